//! The store: the one DynamoDB table, its keys, conditions, transactions and cursors. `engine` knows none of the
//! product's nouns; each of the other modules holds one group of them.
//!
//! Invariants: every key is made in this crate. Every command commits as one `TransactWriteItems`, made by
//! [`engine::command`]. A few writes are not commands and bypass it: single puts (checkpoint parts, used CAPTCHA
//! challenges, requests for links, suppressed addresses, pictures, figures), single removals (pictures, answered
//! requests for links, what is erased), single updates (claims, budgets, notices, what falls due, erased answers, when
//! a session was last used, renewed seals; timeline rows, marks and the lease of the roll-ups), and the transactions
//! that clear marks and write rows to search. The store never reads the clock (`now` is an argument) and never scans.

pub mod analytics;
pub mod engine;
pub mod erasure;
pub mod events;
pub mod licences;
pub mod money;
pub mod parties;
pub mod people;
pub mod reseal;

pub use engine::error::StoreError;

use purser_domain::basic::Prefix;
use purser_domain::money::Discounts;
use purser_domain::parties::ClientStatus;

use crate::engine::command::line::Lines;
use crate::engine::{Secrets, Table};
use crate::events::mail_budget::MailLimits;
use crate::money::wallet;
use crate::parties::client::Bind;

/// The prefix of each kind of refid. Those of clients and resellers are configurable.
#[derive(Debug, Clone)]
pub struct Prefixes {
    /// `CL-` unless configured otherwise.
    pub client: Prefix,
    /// `RS-` unless configured otherwise.
    pub reseller: Prefix,
    /// `US-`.
    pub user: Prefix,
    /// `LI-`.
    pub licence: Prefix,
    /// `PV-`.
    pub entry: Prefix,
    /// `AK-`.
    pub api_key: Prefix,
    /// `AC-`.
    pub activation: Prefix,
}

/// The settings of a deployment that apply to the commands of all callers.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub discounts: Discounts,
    /// The status of a new client.
    pub client_status: ClientStatus,
    /// Whether a new client is bound to the user with its address, if the address is confirmed (rule A7).
    pub bind_by_address: bool,
    pub mails: MailLimits,
}

impl Policy {
    /// The user that a new client is bound to if its creator names none.
    pub(crate) fn bind(self) -> Bind {
        if self.bind_by_address { Bind::ByAddress } else { Bind::No }
    }
}

/// The table, with the secrets and prefixes that name and seal its items. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
    secrets: Secrets,
    prefixes: Prefixes,
    policy: Policy,
    lines: Lines,
}

impl Store {
    pub fn new(table: Table, secrets: Secrets, prefixes: Prefixes, policy: Policy) -> Self {
        Self { table, secrets, prefixes, policy, lines: Lines::before(wallet::is_key) }
    }

    /// Returns a store whose commands share the lines of `other`, so that commands of both wait for each other.
    #[must_use]
    pub fn in_line_with(self, other: &Self) -> Self {
        Self { lines: other.lines.clone(), ..self }
    }

    #[must_use]
    pub fn under(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
