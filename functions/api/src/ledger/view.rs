//! Wallets, ledger entries and checkpoints as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one. A checkpoint is shown with
//! exactly the members and values that were signed, so that a saved copy can be verified.

use purser_domain::basic::{Day, Description, EntryRefid, Reference, ResellerRefid, Time};
use purser_domain::licences::ProductReference;
use purser_domain::money::checkpoint::Part;
use purser_domain::money::checkpoint::chain::Successor;
use purser_domain::money::entry::Counterparty;
use purser_domain::money::{
    Amount, BasisPoints, Credits, Entry, EntryHash, EntryType, PublicKey, Sale, Sequence, Signature, Tier, Wallet,
    WalletHead,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A reseller's wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
pub struct WalletView {
    balance: Credits,
    low_credit_threshold: Credits,
    /// The sequence number of the latest ledger entry; 0 if there is none.
    sequence: u64,
}

impl From<&Wallet> for WalletView {
    fn from(wallet: &Wallet) -> Self {
        Self { balance: wallet.balance, low_credit_threshold: wallet.low_credit_threshold, sequence: wallet.sequence }
    }
}

/// A line of a wallet's ledger. It never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryView {
    refid: EntryRefid,
    /// The sequence number in the wallet's ledger, starting at 1, without gaps.
    sequence: u64,
    /// What kind of change it is, and so whether it adds to or subtracts from the balance.
    r#type: EntryType,
    /// The number of credits, without a sign; `type` tells the direction.
    amount: Credits,
    balance_after: Credits,
    #[schema(required = true)]
    reference: Option<Reference>,
    #[schema(required = true)]
    description: Option<Description>,
    /// Who caused the entry: the refid of an API key or user, or `operator` for the deployment's first key. For
    /// credits received from another reseller, the refid of that reseller.
    actor: String,
    created_at: Time,
    /// The hash of the previous entry, in hexadecimal.
    #[serde(serialize_with = "shown")]
    previous_hash: EntryHash,
    /// The SHA-256 hash of this entry, in hexadecimal.
    #[serde(serialize_with = "shown")]
    hash: EntryHash,
    /// For a debit, the provision that it paid for; for a refund, the provision that it refunds.
    #[schema(required = true)]
    provision: Option<EntryRefid>,
    /// For the purchase of a product: the product and how it was priced.
    #[schema(required = true)]
    sale: Option<SaleView>,
    /// For a transfer: the matching entry in the other wallet.
    #[schema(required = true)]
    counterparty: Option<CounterpartyView>,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            refid: entry.refid.clone(),
            sequence: entry.sequence,
            r#type: entry.kind,
            amount: entry.amount,
            balance_after: entry.balance_after,
            reference: entry.reference.clone(),
            description: entry.description.clone(),
            actor: entry.actor.as_str().to_owned(),
            created_at: entry.created_at,
            previous_hash: entry.previous_hash,
            hash: entry.hash,
            provision: entry.provision().cloned(),
            sale: entry.sale.as_ref().map(SaleView::from),
            counterparty: entry.counterparty.as_ref().map(CounterpartyView::from),
        }
    }
}

/// Serialises a hash in its public, hexadecimal form; the table stores a shorter one.
fn shown<S: Serializer>(hash: &EntryHash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}

/// The other half of a transfer. Each side learns, for its books, only the refids of the other reseller and of its
/// entry, even if an operator moved the credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counterparty)]
pub struct CounterpartyView {
    /// The reseller that owns the other wallet.
    reseller: ResellerRefid,
    /// The refid of the entry in the other wallet.
    entry: EntryRefid,
}

impl From<&Counterparty> for CounterpartyView {
    fn from(other: &Counterparty) -> Self {
        Self { reseller: other.reseller.clone(), entry: other.entry.clone() }
    }
}

/// The product of a purchase and how it was priced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleView {
    product: ProductReference,
    quantity: u32,
    /// The list price of one unit, in credits.
    list_price: Amount,
    tier: Tier,
    /// The discount that was applied, in basis points (hundredths of a per cent).
    discount_basis_points: BasisPoints,
}

impl From<&Sale> for SaleView {
    fn from(sale: &Sale) -> Self {
        Self {
            product: sale.product.clone(),
            quantity: sale.quantity,
            list_price: sale.list_price,
            tier: sale.tier,
            discount_basis_points: sale.discount,
        }
    }
}

/// The state of a wallet's ledger at the time of a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WalletHead)]
pub struct WalletHeadView {
    reseller: ResellerRefid,
    #[schema(value_type = Sequence)]
    sequence: u64,
    /// The hash of the entry with number `sequence`; all zeros if the ledger was empty.
    #[serde(serialize_with = "shown")]
    head: EntryHash,
    balance: Credits,
}

impl From<&WalletHead> for WalletHeadView {
    fn from(wallet: &WalletHead) -> Self {
        Self {
            reseller: wallet.reseller.clone(),
            sequence: wallet.sequence,
            head: wallet.head,
            balance: wallet.balance,
        }
    }
}

/// A signed part of a day's checkpoint. Each part can be verified by itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointPart)]
pub struct CheckpointPartView {
    date: Day,
    /// The number of the part within its day, starting at 1, without gaps.
    part: u32,
    /// Whether this is the last part of its day.
    last: bool,
    /// The time at which all wallets of this part had been read.
    created_at: Time,
    wallets: Vec<WalletHeadView>,
    public_key: PublicKey,
    signature: Signature,
    /// The key that will sign from a later day on, announced under the one that signed this part; usually none.
    successor: Option<SuccessorView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointSuccessor)]
pub struct SuccessorView {
    public_key: PublicKey,
    signature: Signature,
}

impl From<&Successor> for SuccessorView {
    fn from(successor: &Successor) -> Self {
        Self { public_key: successor.public_key, signature: successor.signature }
    }
}

impl From<&Part> for CheckpointPartView {
    fn from(part: &Part) -> Self {
        Self {
            date: part.date,
            part: part.part,
            last: part.last,
            created_at: part.created_at,
            wallets: part.wallets.iter().map(WalletHeadView::from).collect(),
            public_key: part.public_key,
            signature: part.signature,
            successor: part.successor.as_ref().map(SuccessorView::from),
        }
    }
}
