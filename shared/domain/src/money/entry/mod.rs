//! Ledger entries: the append-only history of a wallet.
//!
//! Invariant: entries of a wallet are numbered 1, 2, 3 … without gaps, each carries the hash of the one before
//! it, and their signed amounts add up to the balance (rule B11). What the hash covers is never changed;
//! personal data and free text stay outside it, so that they can be erased.

mod audit;

pub use audit::{Audit, Break, Waypoint};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::basic::hex::hex;
use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use crate::basic::text::{Description, Reference};
use crate::basic::time::Time;
use crate::licences::product::ProductReference;
use crate::money::credits::{Amount, Credits};
use crate::money::tier::{BasisPoints, Tier};
use crate::people::caller::Actor;
use crate::refusal::Refusal;

/// What an entry does to the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryType {
    /// A top-up.
    Credit,
    /// A purchase.
    Debit,
    /// Credits that a purchase cost, back again (rule B10).
    Refund,
    /// Credits from another wallet.
    TransferIn,
    /// Credits to another wallet.
    TransferOut,
}

impl EntryType {
    /// The type's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Refund => "refund",
            Self::TransferIn => "transfer_in",
            Self::TransferOut => "transfer_out",
        }
    }

    /// The balance after `amount` moved, unless there is not as much, or no room for as much.
    pub fn applied(self, balance: Credits, amount: Credits) -> Result<Credits, Refusal> {
        match self {
            Self::Credit | Self::Refund | Self::TransferIn => {
                let most = Credits::MAX_BALANCE;
                let sum = balance.checked_add(amount);
                sum.ok_or(Refusal::BalanceTooLarge { most })
            }
            Self::Debit | Self::TransferOut => {
                let required = amount;
                let rest = balance.checked_sub(amount);
                rest.ok_or(Refusal::InsufficientCredits { balance, required })
            }
        }
    }
}

/// SHA-256 of an entry, or zeros before the first one.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryHash([u8; 32]);

#[cfg(feature = "schema")]
crate::value_schema!(
    EntryHash as "Hash", "SHA-256, hexadecimal.", hex(64),
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

impl EntryHash {
    /// What stands before the first entry.
    pub const START: Self = Self([0; 32]);
}

impl std::fmt::Display for EntryHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits in lower case")]
pub struct EntryHashError;

/// Reads what [`std::fmt::Display`] writes.
impl std::str::FromStr for EntryHash {
    type Err = EntryHashError;
    fn from_str(text: &str) -> Result<Self, EntryHashError> {
        hex(text).map(Self).ok_or(EntryHashError)
    }
}

impl std::fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EntryHash({self})")
    }
}

impl From<EntryHash> for String {
    fn from(hash: EntryHash) -> Self {
        data_encoding::BASE64URL_NOPAD.encode(&hash.0)
    }
}

impl TryFrom<String> for EntryHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| "not base 64")?;
        bytes.try_into().map(Self).map_err(|_| "not 32 bytes")
    }
}

/// The number of an entry in its wallet; 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct Sequence(u64);

#[cfg(feature = "schema")]
crate::value_schema!(Sequence, "The number of an entry in its wallet; 0 before the first.", integer(0, Self::MAX), 42);

impl Sequence {
    /// As many entries of a wallet sort by their numbers in a key.
    const MAX: u64 = 999_999_999_999;

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Sequence {
    type Error = &'static str;
    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number <= Self::MAX { Ok(Self(number)) } else { Err("must be at most 999999999999") }
    }
}

/// What a sale was priced at (rule B11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// What was sold.
    pub product: ProductReference,
    /// How many units.
    pub quantity: u32,
    /// The list price of one unit.
    pub list_price: Amount,
    /// The tier that bought.
    pub tier: Tier,
    /// The discount that applied.
    pub discount: BasisPoints,
    /// The clients it was for.
    pub clients: Vec<ClientRefid>,
    /// The licences it minted, as many for each client, in the order of the clients.
    pub licences: Vec<LicenceRefid>,
}

impl Sale {
    /// Each client with its licences.
    pub fn by_client(&self) -> impl Iterator<Item = (&ClientRefid, &[LicenceRefid])> {
        let each = self.licences.len() / self.clients.len().max(1);
        self.clients.iter().zip(self.licences.chunks(each.max(1)))
    }

    /// Whether each unit is one licence, and each client has as many.
    fn adds_up(&self) -> bool {
        let (units, clients) = (self.licences.len(), self.clients.len());
        units == self.quantity as usize && clients > 0 && units.is_multiple_of(clients)
    }
}

/// What a refund takes back (rule B10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The purchase, which is never changed.
    pub provision: EntryRefid,
    /// Those of its licences whose price returns; none for a bare cost.
    pub licences: Vec<LicenceRefid>,
}

/// The other half of a transfer (rule B10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterparty {
    /// The other wallet.
    pub reseller: ResellerRefid,
    /// The entry in that wallet's history.
    pub entry: EntryRefid,
}

/// One line of a wallet's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id; a debit's is its provision's refid.
    pub refid: EntryRefid,
    /// The wallet.
    pub reseller: ResellerRefid,
    /// Its number, from 1.
    pub sequence: u64,
    /// What it does to the balance.
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// By how much.
    pub amount: Credits,
    /// The balance it found.
    pub balance_before: Credits,
    /// The balance it left.
    pub balance_after: Credits,
    /// The threshold in force, so that a crossing shows in the entry alone (rule B9).
    pub threshold: Credits,
    /// The caller's name of it.
    pub reference: Option<Reference>,
    /// What it is for.
    pub description: Option<Description>,
    /// What was sold, for the sale of a product.
    pub sale: Option<Sale>,
    /// What it takes back, for a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// The other half, for a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Counterparty>,
    /// Who caused it.
    pub actor: Actor,
    /// When; never before the entry it follows.
    pub created_at: Time,
    /// The hash of the entry before it.
    pub previous_hash: EntryHash,
    /// Its own hash.
    pub hash: EntryHash,
}

impl Entry {
    /// The hash of what must not change: one line a field, in this order, under a version. A field that an entry does
    /// not have takes no line, so fields can be added without changing the hash of earlier entries. The client and
    /// licence lists of a sale are concatenated without a separator; `quantity` alone tells where the second begins
    /// ([`Entry::has_its_parts`]).
    pub fn computed_hash(&self) -> EntryHash {
        let mut lines = vec![
            "purser entry 1".to_owned(),
            self.previous_hash.to_string(),
            self.reseller.to_string(),
            self.sequence.to_string(),
            self.refid.to_string(),
            self.kind.as_str().to_owned(),
            self.amount.to_string(),
            self.balance_before.to_string(),
            self.balance_after.to_string(),
            self.threshold.to_string(),
            self.actor.as_str().to_owned(),
            self.created_at.to_string(),
        ];
        if let Some(sale) = &self.sale {
            lines.extend([
                sale.product.to_string(),
                sale.quantity.to_string(),
                sale.list_price.credits().to_string(),
                sale.tier.as_str().to_owned(),
                u16::from(sale.discount).to_string(),
            ]);
            lines.extend(sale.clients.iter().map(ToString::to_string));
            lines.extend(sale.licences.iter().map(ToString::to_string));
        }
        if let Some(refund) = &self.refund {
            lines.extend(["refund".to_owned(), refund.provision.to_string()]);
            lines.extend(refund.licences.iter().map(ToString::to_string));
        }
        if let Some(other) = &self.counterparty {
            let (reseller, entry) = (other.reseller.to_string(), other.entry.to_string());
            lines.extend(["counterparty".to_owned(), reseller, entry]);
        }
        EntryHash(Sha256::digest(lines.join("\n")).into())
    }

    /// Whether it has the parts of its type and no other, and a sale as many licences as it must: only then do the
    /// lines of its hash say one thing.
    pub fn has_its_parts(&self) -> bool {
        let parts = (&self.sale, &self.refund, &self.counterparty);
        match self.kind {
            EntryType::Credit => matches!(parts, (None, None, None)),
            EntryType::Debit => matches!(parts, (_, None, None)) && self.sale.iter().all(Sale::adds_up),
            EntryType::Refund => matches!(parts, (None, Some(_), None)),
            EntryType::TransferIn | EntryType::TransferOut => {
                matches!(parts, (None, None, Some(_)))
            }
        }
    }

    /// Whether this entry took the balance from at or above the threshold to below it (rule B9).
    pub fn ran_low(&self) -> bool {
        self.balance_before >= self.threshold && self.balance_after < self.threshold
    }

    /// Whether this entry is a provision.
    pub fn is_provision(&self) -> bool {
        self.kind == EntryType::Debit
    }

    /// The provision this entry is, or takes back.
    pub fn provision(&self) -> Option<&EntryRefid> {
        let refunded = self.refund.as_ref().map(|refund| &refund.provision);
        refunded.or_else(|| self.is_provision().then_some(&self.refid))
    }
}

#[cfg(test)]
mod tests;
