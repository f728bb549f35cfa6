//! Wallets: the balance of a reseller, and how it changes.
//!
//! Invariant: a balance is never negative, and it changes only together with the entry that says why. Each change
//! raises `version`, and a commit is conditional on `version` alone.

use serde::{Deserialize, Serialize};

use crate::basic::refid::{EntryRefid, ResellerRefid};
use crate::basic::text::{Description, Reference};
use crate::basic::time::Time;
use crate::money::credits::{Amount, Credits};
use crate::money::entry::{Counterparty, Entry, EntryHash, EntryType, Refund, Sale};
use crate::money::tier::Tier;
use crate::parties::reseller::{Reseller, ResellerStatus};
use crate::people::caller::Actor;
use crate::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub reseller: ResellerRefid,
    pub balance: Credits,
    /// The number of the last entry; 0 before the first entry.
    pub sequence: u64,
    pub head: EntryHash,
    /// The tier, copied from the reseller.
    pub tier: Tier,
    /// The status, copied from the reseller.
    pub status: ResellerStatus,
    /// Whether purchases are on hold, copied from the reseller.
    pub hold_provisioning: bool,
    /// The balance below which the reseller is warned, copied from the reseller.
    pub low_credit_threshold: Credits,
    /// When the last entry was made, or the reseller was onboarded if there is none. The next entry is never earlier.
    pub last_at: Time,
    pub version: u64,
}

/// What every entry records, whatever its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Particulars {
    /// The entry's id. The same command always gets the same id.
    pub refid: EntryRefid,
    /// The caller's own name for the entry.
    pub reference: Option<Reference>,
    pub description: Option<Description>,
    pub actor: Actor,
}

/// What a new entry does to the balance, and the parts of its type.
#[derive(Debug)]
pub(crate) struct Movement {
    pub(crate) kind: EntryType,
    pub(crate) amount: Credits,
    pub(crate) sale: Option<Sale>,
    pub(crate) refund: Option<Refund>,
    pub(crate) counterparty: Option<Counterparty>,
}

impl Movement {
    pub(crate) const fn new(kind: EntryType, amount: Credits) -> Self {
        Self { kind, amount, sale: None, refund: None, counterparty: None }
    }
}

/// A wallet after a movement, and the entry of that movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub wallet: Wallet,
    pub entry: Entry,
}

impl Wallet {
    pub fn open(reseller: &Reseller) -> Self {
        Self {
            reseller: reseller.refid.clone(),
            balance: Credits::ZERO,
            sequence: 0,
            head: EntryHash::START,
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            last_at: reseller.created_at,
            version: 1,
        }
    }

    #[must_use]
    /// This wallet with the reseller's current tier, status, hold and threshold.
    pub fn following(&self, reseller: &Reseller) -> Self {
        Self {
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// Whether tier, status, hold and threshold are those of `reseller`.
    pub fn agrees_with(&self, reseller: &Reseller) -> bool {
        self.tier == reseller.tier
            && self.status == reseller.status
            && self.hold_provisioning == reseller.hold_provisioning
            && self.low_credit_threshold == reseller.low_credit_threshold
    }

    /// Refuses a purchase if the reseller may not trade, or if its purchases are on hold (rule B5).
    pub fn must_provision(&self) -> Result<(), Refusal> {
        self.status.must_trade()?;
        if self.hold_provisioning { Err(Refusal::ProvisioningHeld) } else { Ok(()) }
    }

    /// When an entry is made that is asked for at `now`: never before the one before it.
    pub fn at(&self, now: Time) -> Time {
        now.max(self.last_at)
    }

    /// Decides a top-up (rule B4).
    pub fn credit(&self, amount: Amount, particulars: Particulars, now: Time) -> Result<Posting, Refusal> {
        let credit = Movement::new(EntryType::Credit, amount.credits());
        self.post(credit, particulars, now)
    }

    /// Decides a purchase for `cost`, which may take the whole balance (rule B5).
    pub fn debit(
        &self,
        cost: Credits,
        sale: Option<Sale>,
        particulars: Particulars,
        now: Time,
    ) -> Result<Posting, Refusal> {
        let debit = Movement { sale, ..Movement::new(EntryType::Debit, cost) };
        self.post(debit, particulars, now)
    }

    /// Applies any movement. It is refused if the balance is too small for it, or would become too large.
    pub(crate) fn post(&self, movement: Movement, particulars: Particulars, now: Time) -> Result<Posting, Refusal> {
        let mut entry = Entry {
            refid: particulars.refid,
            reseller: self.reseller.clone(),
            sequence: self.sequence + 1,
            kind: movement.kind,
            amount: movement.amount,
            balance_before: self.balance,
            balance_after: movement.kind.applied(self.balance, movement.amount)?,
            threshold: self.low_credit_threshold,
            reference: particulars.reference,
            description: particulars.description,
            sale: movement.sale,
            refund: movement.refund,
            counterparty: movement.counterparty,
            actor: particulars.actor,
            created_at: self.at(now),
            previous_hash: self.head,
            hash: EntryHash::START,
        };
        entry.hash = entry.computed_hash();
        let wallet = Self {
            balance: entry.balance_after,
            sequence: entry.sequence,
            head: entry.hash,
            last_at: entry.created_at,
            version: self.version + 1,
            ..self.clone()
        };
        Ok(Posting { wallet, entry })
    }
}

#[cfg(test)]
pub(crate) mod tests;
