//! What is said while it goes on, and in the end.
//!
//! Invariant: results are lines on standard output; all else is on standard error, where a terminal gets a bar and
//! anything else a line now and then.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// How long after one line the next may come, where there is no terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(5);

/// How far something is.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    /// When the last line was written, where there is no terminal.
    plain: Option<Mutex<Instant>>,
}

impl Progress {
    /// Begins something of so many steps, if that is known, which are called `what`.
    pub fn begin(what: &'static str, steps: Option<u64>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = match steps {
            _ if !terminal => ProgressBar::hidden(),
            Some(steps) => ProgressBar::new(steps),
            None => ProgressBar::new_spinner(),
        };
        if !terminal && let Some(steps) = steps {
            bar.set_length(steps);
        }
        let form = match steps {
            Some(_) => "{wide_bar} {human_pos} of {human_len} {msg}, {eta} left",
            None => "{spinner} {human_pos} {msg}",
        };
        // A form that is not understood leaves the bar's own.
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        let plain = (!terminal).then(|| Mutex::new(Instant::now()));
        Self { bar, what, plain }
    }

    /// Some steps are done.
    pub fn done(&self, steps: u64) {
        self.bar.inc(steps);
        let Some(Ok(mut last)) = self.plain.as_ref().map(Mutex::lock) else {
            return;
        };
        if last.elapsed() < NOW_AND_THEN {
            return;
        }
        *last = Instant::now();
        let position = grouped(self.bar.position());
        let of = self.bar.length().map(|steps| format!(" of {}", grouped(steps)));
        warn(&format!("{position}{} {}", of.unwrap_or_default(), self.what));
    }

    /// Says something that was found.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    /// Says something that went wrong.
    pub fn warn(&self, line: &str) {
        self.bar.suspend(|| warn(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line on standard output. If it is closed, nobody wants to know.
pub fn say(line: &str) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error.
pub fn warn(line: &str) {
    let _closed = writeln!(std::io::stderr(), "purser-operator: {line}");
}

/// A number as people read it: `88,312`.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A number of things: `1 wallet`, `88,312 wallets`.
pub fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    match one.strip_suffix('y').filter(|_| number != 1) {
        Some(stem) if one != "day" => format!("{} {stem}ies", grouped(number)),
        _ => format!("{} {one}{plural}", grouped(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (number, text) in [
            (0, "0 entries"),
            (1, "1 entry"),
            (999, "999 entries"),
            (1_204, "1,204 entries"),
            (1_000_000, "1,000,000 entries"),
        ] {
            assert_eq!(counted(number, "entry"), text);
        }
        assert_eq!(counted(2, "day"), "2 days");
    }
}
