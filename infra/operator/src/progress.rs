//! Output of the command: progress while it runs, and results.
//!
//! Invariant: results are lines on standard output; everything else goes to standard error, as a bar in a terminal
//! and otherwise as a line every five seconds.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// The shortest time between two lines when standard error is not a terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(5);

pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    /// When the last line was written; none in a terminal, which has the bar.
    plain: Option<Mutex<Instant>>,
}

impl Progress {
    /// Begins work of `steps` steps, if their number is known; `what` names the steps.
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
        // If the template can't be parsed, the bar keeps its default style.
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        let plain = (!terminal).then(|| Mutex::new(Instant::now()));
        Self { bar, what, plain }
    }

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

    /// Prints a result without disturbing the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    /// Prints a warning without disturbing the bar.
    pub fn warn(&self, line: &str) {
        self.bar.suspend(|| warn(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Prints a line on standard output; a closed output is not an error.
pub fn say(line: &str) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line on standard error; a closed output is not an error.
pub fn warn(line: &str) {
    let _closed = writeln!(std::io::stderr(), "purser-operator: {line}");
}

/// A number with separators: `88,312`.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A number with its noun: `1 wallet`, `88,312 wallets`.
pub fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    // A word such as `day` or `key` just gets an s.
    match one.strip_suffix('y').filter(|_| number != 1) {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{} {stem}ies", grouped(number)),
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
        assert_eq!((counted(2, "day"), counted(3, "API key")), ("2 days".to_owned(), "3 API keys".to_owned()));
    }
}
