//! Progress of `purser demo`: a bar in a terminal, and otherwise a line every ten seconds.
//!
//! Invariant: progress goes to standard error, so that standard output holds results alone.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use purser_demo::history::Step;

use crate::say_to;

/// The shortest time between two lines when standard error is not a terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

pub struct Progress {
    bar: ProgressBar,
    /// When the last line was written; none in a terminal, which has the bar.
    plain: Option<Instant>,
    step: Option<Step>,
}

impl Progress {
    pub fn of(clients: u32) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(clients.into()) } else { ProgressBar::hidden() };
        // If the template can't be parsed, the bar keeps its default style.
        if let Ok(style) =
            ProgressStyle::with_template("{wide_bar} {msg}, {human_pos} of {human_len} clients, {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, plain: (!terminal).then(Instant::now), step: None }
    }

    pub fn at(&mut self, step: Step) {
        let month = step.moment.strftime("%B %Y").to_string();
        if self.plain.is_some_and(|last| last.elapsed() > NOW_AND_THEN) {
            self.plain = Some(Instant::now());
            let clients = HumanCount(step.clients);
            say_to(std::io::stderr(), &format!("{month}: {clients} clients\n"));
        }
        self.bar.set_position(step.clients);
        self.bar.set_message(month);
        self.step = Some(step);
    }

    /// Removes the bar and returns the last step; none if there was no step.
    pub fn end(self) -> Option<Step> {
        self.bar.finish_and_clear();
        self.step
    }
}
