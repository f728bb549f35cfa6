//! Work that was given up on after its last try, kept whole so that it can be looked at and redone.
//!
//! Invariant: nothing is given up on without a line here, and nothing leaves but by being done or by being one of
//! too many. The log gets names and keys only, since images and events can hold personal facts.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Now;
use crate::Target;
use crate::cloud::journal::Journal;

/// How many are kept; the oldest go first.
const KEPT: usize = 1_000;

/// One piece of work that was given up on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// When it was given up on.
    pub at: Timestamp,
    /// The function that did not take it.
    pub function: String,
    /// What the last try answered.
    pub reason: String,
    /// The stream record or event, whole.
    pub work: Value,
}

/// All that was given up on: in memory, and in `dead-letters.jsonl` where there is a folder.
#[derive(Clone)]
pub struct DeadLetters {
    kept: Arc<Mutex<Kept>>,
    now: Now,
}

struct Kept {
    letters: Vec<DeadLetter>,
    journal: Option<Journal>,
}

impl DeadLetters {
    /// Opens the list, with what an earlier process left in `folder`.
    pub fn open(folder: Option<&Path>, now: Now) -> io::Result<Self> {
        let (journal, letters) = match folder {
            Some(folder) => {
                let (journal, letters) = Journal::open(&folder.join("dead-letters.jsonl"), KEPT)?;
                (Some(journal), letters)
            }
            None => (None, Vec::new()),
        };
        Ok(Self { kept: Arc::new(Mutex::new(Kept { letters, journal })), now })
    }

    /// Everything kept, oldest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.letters.clone()
    }

    /// Gives everything kept to its function once more, oldest first; answers how much was done, and so has left.
    pub async fn redrive(&self, again: &Target) -> usize {
        let mut outcomes = Vec::new();
        for letter in self.all() {
            let tried = again(letter.function.clone(), letter.work.clone());
            // In a task of its own, so that a panic is a failed try.
            let outcome = tokio::spawn(tried).await;
            let outcome = outcome.unwrap_or_else(|panic| Err(panic.to_string()));
            outcomes.push((letter, outcome));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.letters.len();
        for (letter, outcome) in outcomes {
            // Where it is not there any more, somebody else has redriven it meanwhile.
            let mut found = kept.letters.iter_mut();
            match outcome {
                Ok(()) => {
                    let place = found.position(|it| *it == letter);
                    place.map(|place| kept.letters.remove(place));
                }
                Err(reason) => {
                    if let Some(it) = found.find(|it| **it == letter) {
                        it.reason = reason;
                    }
                }
            }
        }
        let redriven = before - kept.letters.len();
        kept.write();
        redriven
    }

    /// Keeps one. A file that cannot be written to costs the line there, never the work at hand.
    pub(crate) fn bury(&self, function: &str, reason: &str, work: Value) {
        let letter = DeadLetter { at: (self.now)(), function: function.to_owned(), reason: reason.to_owned(), work };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &mut kept.journal
            && let Err(error) = journal.append(&letter)
        {
            tracing::error!(path = %journal.path().display(), %error, "a dead letter is not on disk");
        }
        if kept.letters.len() == KEPT {
            kept.letters.remove(0);
        }
        kept.letters.push(letter);
    }
}

impl Kept {
    /// Writes all of it anew. Were that to fail, what has left is there again after the next start, and is done twice,
    /// which no function minds.
    fn write(&mut self) {
        let Self { letters, journal } = self;
        if let Some(journal) = journal
            && let Err(error) = journal.rewrite(letters)
        {
            tracing::error!(path = %journal.path().display(), %error, "the dead letters are not on disk");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_was_given_up_on_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let now: Now = Arc::new(|| Timestamp::UNIX_EPOCH);
        let letters = DeadLetters::open(Some(folder.path()), now.clone()).unwrap();
        letters.bury("relay", "no", serde_json::json!({"a": 1}));
        let again = DeadLetters::open(Some(folder.path()), now).unwrap();
        assert_eq!(again.all(), letters.all());
        assert_eq!(again.all().len(), 1);
        assert!(folder.path().join("dead-letters.jsonl").exists());
    }
}
