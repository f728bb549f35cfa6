//! The table: keys, conditions, transactions and cursors, one file per noun.
//!
//! Invariants: every key is made here; every command is one `TransactWriteItems` made by [`command`] (the
//! claims of consumers, the parts of checkpoints, used challenges, requests for links, pictures and
//! figures are single puts; when a session was last used, and what figures are counted from, single updates); the store
//! never reads the clock (`now` is an argument) and never scans.

pub mod account;
pub mod analytics;
pub mod answer;
pub mod api_key;
mod attempts;
pub mod avatar;
pub mod captcha;
pub mod change;
pub mod checkpoint;
pub mod claim;
pub mod client;
pub mod command;
pub mod credits;
pub mod cursor;
pub mod entry;
pub mod error;
pub mod idempotency;
pub mod item;
pub mod keys;
pub mod licence;
pub mod line;
pub mod link;
pub mod loaded;
pub mod meter;
pub mod page;
pub mod product;
mod proof;
pub mod provision;
pub mod refund;
pub mod reseller;
pub mod second_factor;
pub mod secrets;
pub mod session;
mod side_by_side;
pub mod sign_in;
pub mod suppression;
pub mod table;
pub mod token;
pub mod transfer;
mod turn;
pub mod user;
pub mod wallet;

pub use error::StoreError;

use purser_domain::refid::Prefix;

use crate::line::Lines;
use crate::secrets::Secrets;
use crate::table::Table;

/// The prefixes of refids; those of clients and resellers are configuration.
#[derive(Debug, Clone)]
pub struct Prefixes {
    /// `CL-` unless configured.
    pub client: Prefix,
    /// `RS-` unless configured.
    pub reseller: Prefix,
    /// `US-`.
    pub user: Prefix,
    /// `LI-`.
    pub licence: Prefix,
    /// `PV-`.
    pub entry: Prefix,
    /// `AK-`.
    pub api_key: Prefix,
}

/// The table with what is needed to name and seal its items. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
    secrets: Secrets,
    prefixes: Prefixes,
    lines: Lines,
}

impl Store {
    /// The store in `table`.
    pub fn new(table: Table, secrets: Secrets, prefixes: Prefixes) -> Self {
        Self { table, secrets, prefixes, lines: Lines::default() }
    }

    /// The same store, whose commands wait for their turn with those of `other`.
    #[must_use]
    pub fn in_line_with(self, other: &Self) -> Self {
        Self { lines: other.lines.clone(), ..self }
    }

    /// What the store derives and seals with.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
