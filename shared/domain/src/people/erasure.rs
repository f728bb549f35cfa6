//! Erasure: what a deletion leaves to be done, because copies of personal data outlive the item that was deleted, such
//! as the answers that are stored for repeated commands (rule A9).
//!
//! Invariant: an erasure names nobody. It holds refids, which identify a person only as long as the person's item is
//! there.

use serde::{Deserialize, Serialize};

use crate::basic::refid::{ClientRefid, RecordCode, UserRefid};
use crate::basic::time::Time;
use crate::parties::client::Client;
use crate::people::user::User;

/// Whose personal data is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Client(ClientRefid),
    User(UserRefid),
}

impl Subject {
    pub fn refid(&self) -> &str {
        match self {
            Self::Client(refid) => refid.as_str(),
            Self::User(refid) => refid.as_str(),
        }
    }
}

/// What a deletion leaves to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    pub subject: Subject,
    /// The record of the command that created what was deleted.
    pub record: Option<RecordCode>,
    /// When that was. A record of another time belongs to another command, which used the same key later.
    pub made_at: Time,
    /// When it was deleted.
    pub created_at: Time,
    /// Always 1: an erasure is stored and never changed.
    pub version: u64,
}

impl Erasure {
    /// What is left to be done when a client is deleted.
    pub fn of_client(client: &Client, now: Time) -> Self {
        Self::of(Subject::Client(client.refid.clone()), client.record.as_ref(), client.created_at, now)
    }

    /// What is left to be done when a user is deleted.
    pub fn of_user(user: &User, now: Time) -> Self {
        Self::of(Subject::User(user.refid.clone()), user.record.as_ref(), user.created_at, now)
    }

    fn of(subject: Subject, record: Option<&RecordCode>, made_at: Time, now: Time) -> Self {
        Self { subject, record: record.cloned(), made_at, created_at: now, version: 1 }
    }
}
