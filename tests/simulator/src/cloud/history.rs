//! The history of a simulated cloud: one line for each thing that happened.
//!
//! Invariant: two runs of the same seed produce the same lines, so their histories can be compared.

use std::sync::Mutex;

use super::lock;

#[derive(Debug, Default)]
pub struct History(Mutex<Vec<Line>>);

#[derive(Debug)]
struct Line {
    at: u64,
    who: String,
    what: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, who, what } = self;
        write!(f, "{:>9.3} s  {who:<12} {what}", f64::from(u32::try_from(*at).unwrap_or(u32::MAX)) / 1e3)
    }
}

impl History {
    pub(super) fn note(&self, at: u64, who: &str, what: String) {
        let who = who.to_owned();
        lock(&self.0).push(Line { at, who, what });
    }

    pub fn lines(&self) -> Vec<String> {
        lock(&self.0).iter().map(ToString::to_string).collect()
    }

    /// The last `most` lines that contain one of these words.
    pub fn about(&self, words: &[String], most: usize) -> Vec<String> {
        let names = |line: &&Line| {
            words.iter().any(|word| {
                let word = word.as_str();
                let parts = line.what.split(|it: char| !it.is_alphanumeric() && it != '-');
                line.who == word || line.who.split('.').next() == Some(word) || parts.into_iter().any(|it| it == word)
            })
        };
        let lines = lock(&self.0);
        let found: Vec<&Line> = lines.iter().filter(names).collect();
        let from = found.len().saturating_sub(most);
        found.iter().skip(from).map(ToString::to_string).collect()
    }
}
