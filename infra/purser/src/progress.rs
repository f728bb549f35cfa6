//! How far a history is: a bar in a terminal, a line now and then anywhere else.
//!
//! Invariant: it is on standard error, so that results alone are on standard output.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use purser_demo::history::Step;

use crate::say_to;

/// How long after one line the next may come, where there is no terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// How far it is.
pub struct Progress {
    bar: ProgressBar,
    /// When the last line was written, where there is no terminal.
    plain: Option<Instant>,
    step: Option<Step>,
}

impl Progress {
    /// Of a history of so many clients.
    pub fn of(clients: u32) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(clients.into()) } else { ProgressBar::hidden() };
        // A form that is not understood leaves the bar's own.
        if let Ok(style) =
            ProgressStyle::with_template("{wide_bar} {msg}, {human_pos} of {human_len} clients, {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, plain: (!terminal).then(Instant::now), step: None }
    }

    /// It is this far.
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

    /// Where it ended; none before the first step.
    pub fn end(self) -> Option<Step> {
        self.bar.finish_and_clear();
        self.step
    }
}
