//! Ledger entries: the append-only history of a wallet.
//!
//! Invariant: the entries of a wallet are numbered 1, 2, 3 … without gaps, each entry holds the hash of the previous
//! one, and their signed amounts add up to the balance (rule B11). What the hash covers never changes; personal data
//! and free text are outside it, so that they can be erased.

mod audit;

pub use audit::{Audit, Break, Waypoint};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::basic::hex::hex;
use crate::basic::number::number_type;
use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use crate::basic::text::{Description, Reference};
use crate::basic::time::Time;
use crate::licences::product::ProductReference;
use crate::licences::tenure::RunNumber;
use crate::money::credits::{Amount, Credits};
use crate::money::tier::{BasisPoints, Tier};
use crate::people::caller::Actor;
use crate::refusal::Refusal;

/// The type of an entry, which says how it changes the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum EntryType {
    /// A top-up.
    Credit,
    /// A purchase.
    Debit,
    /// Credits of a purchase that return to the wallet (rule B10).
    Refund,
    /// Credits that arrived from another wallet by a transfer.
    TransferIn,
    /// Credits that left for another wallet by a transfer.
    TransferOut,
}

impl EntryType {
    /// The balance after an entry of this type. The entry is refused if the balance is too small for it, or would
    /// become too large.
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

/// The SHA-256 of an entry; all zeros if there is no entry yet. It has two forms as text: `Display`, `Debug` and
/// `FromStr` use hexadecimal digits, and stored documents use base64url.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[display("{}", HEXLOWER.encode(_0))]
#[serde(try_from = "String", into = "String")]
pub struct EntryHash([u8; 32]);

#[cfg(feature = "schema")]
crate::value_schema!(
    EntryHash as "Hash", "SHA-256, hexadecimal.", hex(64),
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

impl EntryHash {
    /// The hash that the first entry of a wallet follows.
    pub const START: Self = Self([0; 32]);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits in lower case")]
pub struct EntryHashError;

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
        BASE64URL_NOPAD.encode(&hash.0)
    }
}

impl TryFrom<String> for EntryHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| "must be base64url")?;
        bytes.try_into().map(Self).map_err(|_| "must be 32 bytes")
    }
}

// Keys of entries have room for twelve digits, so that they sort by number.
number_type!(
    /// The number of an entry in its wallet; 0 before the first.
    Sequence(u64), from 0 to 999_999_999_999, example 42
);

/// What was sold, and at what price (rule B11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub product: ProductReference,
    /// The number of units, over all clients.
    pub quantity: u32,
    /// The list price of one unit.
    pub list_price: Amount,
    /// The reseller's tier at the time of the sale.
    pub tier: Tier,
    /// The tier's discount at the time of the sale.
    pub discount: BasisPoints,
    pub clients: Vec<ClientRefid>,
    /// The licences that were minted, in the order of the clients; each client has the same number of them.
    pub licences: Vec<LicenceRefid>,
    /// `Some`: the sale renewed its one licence by a term of this run, and minted nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<RunNumber>,
}

impl Sale {
    pub fn by_client(&self) -> impl Iterator<Item = (&ClientRefid, &[LicenceRefid])> {
        let each = self.licences.len() / self.clients.len().max(1);
        self.clients.iter().zip(self.licences.chunks(each.max(1)))
    }

    /// Whether each unit is one licence, and each client has the same number of licences. A renewal is of one licence.
    fn adds_up(&self) -> bool {
        let (units, clients) = (self.licences.len(), self.clients.len());
        let one = self.renews.is_none() || units == 1;
        units == self.quantity as usize && clients > 0 && units.is_multiple_of(clients) && one
    }
}

/// What a refund returns (rule B10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The entry of the purchase, which itself never changes.
    pub provision: EntryRefid,
    /// The licences whose price returns; empty if the purchase named only a cost.
    pub licences: Vec<LicenceRefid>,
}

/// The other end of a transfer (rule B10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterparty {
    pub reseller: ResellerRefid,
    pub entry: EntryRefid,
}

/// A ledger entry: one line of a wallet's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id of the entry; that of a purchase is also the refid of the provision.
    pub refid: EntryRefid,
    pub reseller: ResellerRefid,
    /// The number of the entry in its wallet, counted from 1.
    pub sequence: u64,
    #[serde(rename = "type")]
    pub kind: EntryType,
    pub amount: Credits,
    pub balance_before: Credits,
    pub balance_after: Credits,
    /// The reseller's threshold at that time, so that the entry alone shows whether the balance fell below it (rule
    /// B9).
    pub threshold: Credits,
    /// The caller's own name for the entry.
    pub reference: Option<Reference>,
    pub description: Option<Description>,
    /// The sale, if the entry is the purchase of a product.
    pub sale: Option<Sale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Counterparty>,
    pub actor: Actor,
    /// When the entry was made; never earlier than the previous entry.
    pub created_at: Time,
    pub previous_hash: EntryHash,
    pub hash: EntryHash,
}

impl Entry {
    /// Computes the hash of the fields that must not change: one line per field in this order, after a line with the
    /// version. A field that an entry does not have takes no line, so fields can be added without changing the hashes
    /// of earlier entries. The client and licence lists of a sale are concatenated without a separator; `quantity`
    /// alone tells where the second list begins ([`Entry::has_its_parts`]).
    pub fn computed_hash(&self) -> EntryHash {
        let mut lines = vec![
            "purser entry 1".to_owned(),
            self.previous_hash.to_string(),
            self.reseller.to_string(),
            self.sequence.to_string(),
            self.refid.to_string(),
            self.kind.into_str().to_owned(),
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
                sale.tier.into_str().to_owned(),
                sale.discount.get().to_string(),
            ]);
            lines.extend(sale.clients.iter().map(ToString::to_string));
            lines.extend(sale.licences.iter().map(ToString::to_string));
            if let Some(run) = sale.renews {
                lines.extend(["renews".to_owned(), run.get().to_string()]);
            }
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

    /// Whether the entry has exactly the parts of its type, and its sale has as many licences as it must. Only then
    /// are the hashed lines unambiguous.
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

    pub fn is_provision(&self) -> bool {
        self.kind == EntryType::Debit
    }

    /// The provision that this entry is, or that it refunds.
    pub fn provision(&self) -> Option<&EntryRefid> {
        let refunded = self.refund.as_ref().map(|refund| &refund.provision);
        refunded.or_else(|| self.is_provision().then_some(&self.refid))
    }
}

#[cfg(test)]
mod tests;
