//! Work that was given up on after its last try, kept whole so that it can be inspected and redriven.
//!
//! Invariant: nothing is given up on without a dead letter, and a dead letter leaves only when its work is done or
//! when there are too many of them. The log gets names and keys only, because records and events can hold personal
//! data.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::journal::Journal;
use crate::{Now, Target};

/// How many are kept; the oldest are dropped first.
const KEPT: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub at: Timestamp,
    pub function: String,
    pub reason: String,
    pub work: Value,
}

/// All dead letters: in memory, and in `dead-letters.jsonl` if there is a folder.
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

    /// All dead letters, oldest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.letters.clone()
    }

    /// Calls each function with its work once more, oldest first. Removes letters that succeed; returns their number.
    pub async fn redrive(&self, again: &Target) -> usize {
        let mut outcomes = Vec::new();
        for letter in self.all() {
            let tried = again(letter.function.clone(), letter.work.clone());
            // A task of its own, so that a panic in a function counts as a failed try.
            let outcome = tokio::spawn(tried).await;
            let outcome = outcome.unwrap_or_else(|panic| Err(panic.to_string()));
            outcomes.push((letter, outcome));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.letters.len();
        for (letter, outcome) in outcomes {
            // A letter that is missing by now was redriven by a concurrent call.
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

    /// Keeps a dead letter. If the file can't be written, the letter is in memory only, and the caller goes on.
    pub(crate) fn bury(&self, function: &str, reason: &str, work: Value) {
        let letter = DeadLetter { at: (self.now)(), function: function.to_owned(), reason: reason.to_owned(), work };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &mut kept.journal
            && let Err(error) = journal.append(&letter)
        {
            tracing::error!(path = %journal.path().display(), %error, "could not write a dead letter to disk");
        }
        if kept.letters.len() == KEPT {
            kept.letters.remove(0);
        }
        kept.letters.push(letter);
    }
}

impl Kept {
    /// Rewrites the file. If that fails, letters that were redriven are back after the next start and are redriven
    /// twice, which is harmless because every function is idempotent.
    fn write(&mut self) {
        let Self { letters, journal } = self;
        if let Some(journal) = journal
            && let Err(error) = journal.rewrite(letters)
        {
            tracing::error!(path = %journal.path().display(), %error, "could not write the dead letters to disk");
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
