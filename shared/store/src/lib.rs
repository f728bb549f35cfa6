//! The table: keys, conditions, transactions and cursors. The engine knows no noun; the other rooms are the nouns.
//!
//! Invariants: every key is made here; every command is one `TransactWriteItems` made by [`engine::command`] (the
//! claims of consumers, the parts of checkpoints, used challenges, requests for links, pictures and
//! figures are single puts; when a session was last used, and what figures are counted from, single updates); the store
//! never reads the clock (`now` is an argument) and never scans.

pub mod analytics;
pub mod engine;
pub mod events;
pub mod licences;
pub mod money;
pub mod parties;
pub mod people;

pub use engine::error::StoreError;

use purser_domain::basic::refid::Prefix;
use purser_domain::money::tier::Discounts;
use purser_domain::parties::client::ClientStatus;

use crate::engine::command::line::Lines;
use crate::engine::secrets::Secrets;
use crate::engine::table::Table;
use crate::money::wallet;
use crate::parties::client::Bind;

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

/// What a deployment decides for all its callers.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The discounts of the tiers.
    pub discounts: Discounts,
    /// The status of a new client.
    pub client_status: ClientStatus,
    /// Whether a new client is bound to the confirmed login with its address (rule A7).
    pub bind_by_address: bool,
}

impl Policy {
    /// The login a new client is bound to when its creator names none.
    pub(crate) fn bind(self) -> Bind {
        if self.bind_by_address { Bind::ByAddress } else { Bind::No }
    }
}

/// The table with what is needed to name and seal its items. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
    secrets: Secrets,
    prefixes: Prefixes,
    policy: Policy,
    lines: Lines,
}

impl Store {
    /// The store in `table`.
    pub fn new(table: Table, secrets: Secrets, prefixes: Prefixes, policy: Policy) -> Self {
        Self { table, secrets, prefixes, policy, lines: Lines::before(wallet::is_key) }
    }

    /// The same store, whose commands wait for their turn with those of `other`.
    #[must_use]
    pub fn in_line_with(self, other: &Self) -> Self {
        Self { lines: other.lines.clone(), ..self }
    }

    /// The same store under another policy.
    #[must_use]
    pub fn under(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// What the store derives and seals with.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
