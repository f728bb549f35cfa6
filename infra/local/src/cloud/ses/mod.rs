//! The post office: takes `SendEmail` as SES v2 does and keeps the mails in a box to look into.
//!
//! Invariants: a mail that was acknowledged is in the box, and on disk where there is a folder;
//! nothing leaves this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Now;
use crate::cloud::journal::Journal;
use crate::cloud::loopback::Loopback;

mod page;
mod simulator;
mod wire;

pub use page::{mailbox_page, mails, routes};

/// How many mails are kept; the oldest go first.
const KEPT: usize = 500;

/// A mail as it was handed in. Nothing in it is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The id that the sender was given.
    pub id: String,
    /// The sender's address.
    pub from: String,
    /// The addresses it goes to, copies included. At least one.
    pub to: Vec<String>,
    /// The subject, not empty.
    pub subject: String,
    /// The text part. A mail has this, the next or both.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// When it was handed in.
    pub sent_at: Timestamp,
    /// Headers that the sender added.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Tags that the sender put on it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What the listener works with.
#[derive(Clone)]
struct PostOffice {
    mailbox: Mailbox,
    tell: Tell,
}

/// The mails kept. Clones are the same box.
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
    /// Opens the box, with what an earlier process left in `mails.jsonl` of `folder`. It holds
    /// the newest 500 mails.
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

    /// All mails kept, newest first.
    pub fn newest_first(&self) -> Vec<Mail> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.mails.iter().rev().cloned().collect()
    }

    /// Keeps a mail, on disk first.
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

/// Takes what SES tells the account's own bus, in EventBridge's envelope.
pub type Tell = Arc<dyn Fn(&Value) + Send + Sync>;

/// Serves SES v2's `SendEmail` on a port of its own; mails go into `mailbox`, and what becomes of them to `tell`.
pub async fn serve(mailbox: Mailbox, tell: Tell) -> io::Result<Loopback> {
    let router = axum::Router::new().fallback(wire::send_email).with_state(PostOffice { mailbox, tell });
    Loopback::serve(router).await
}
