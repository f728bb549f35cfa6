//! The post office: accepts `SendEmail` as SES v2 does, and keeps the e-mails in a mailbox for display.
//!
//! Invariants: an acknowledged e-mail is in the mailbox, and on disk if there is a folder; no e-mail leaves this
//! machine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Now;
use crate::cloud::journal::Journal;

mod page;
mod simulator;
mod wire;

pub use page::{mailbox_page, mails, routes};

/// How many e-mails are kept; the oldest are dropped first.
const KEPT: usize = 500;

/// An e-mail as it was sent. Its content is untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub id: String,
    pub from: String,
    /// All recipients, including copies and blind copies; at least one.
    pub to: Vec<String>,
    /// Never empty.
    pub subject: String,
    /// At least one of `text` and `html` is there.
    pub text: Option<String>,
    pub html: Option<String>,
    pub sent_at: Timestamp,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone)]
struct PostOffice {
    mailbox: Mailbox,
    tell: Tell,
}

/// The e-mails that are kept. Clones share them.
#[derive(Clone)]
pub struct Mailbox {
    kept: Arc<Mutex<Kept>>,
    now: Now,
}

struct Kept {
    mails: Vec<Mail>,
    journal: Option<Journal>,
}

impl Mailbox {
    /// Opens the mailbox, with the newest 500 e-mails that earlier processes left in `mails.jsonl` of `folder`.
    pub fn open(folder: Option<&Path>, now: Now) -> io::Result<Self> {
        let (journal, mails) = match folder {
            Some(folder) => {
                let (journal, mails) = Journal::open(&folder.join("mails.jsonl"), KEPT)?;
                (Some(journal), mails)
            }
            None => (None, Vec::new()),
        };
        Ok(Self { kept: Arc::new(Mutex::new(Kept { mails, journal })), now })
    }

    pub fn newest_first(&self) -> Vec<Mail> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.mails.iter().rev().cloned().collect()
    }

    /// Keeps an e-mail: on disk first, so that none is shown and then lost.
    fn keep(&self, mail: Mail) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &mut kept.journal {
            journal.append(&mail)?;
        }
        if kept.mails.len() >= KEPT {
            kept.mails.remove(0);
        }
        kept.mails.push(mail);
        Ok(())
    }
}

/// Receives the events that SES puts on the account's default bus, in EventBridge's envelope.
pub type Tell = Arc<dyn Fn(&Value) + Send + Sync>;

/// `SendEmail` of SES v2, as the SDK's client calls it. E-mails go into `mailbox`, events about them to `tell`.
pub fn service(mailbox: Mailbox, tell: Tell) -> axum::Router {
    axum::Router::new().fallback(wire::send_email).with_state(PostOffice { mailbox, tell })
}
