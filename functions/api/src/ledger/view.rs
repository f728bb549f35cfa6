//! Wallets, entries and checkpoints, as the API shows them.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here. A checkpoint has the members
//! and the values that were signed, so that what is saved can be checked.

use purser_domain::basic::refid::{EntryRefid, ResellerRefid};
use purser_domain::basic::text::{Description, Reference};
use purser_domain::basic::time::{Day, Time};
use purser_domain::licences::product::ProductReference;
use purser_domain::money::checkpoint::{Part, PublicKey, Signature, WalletHead};
use purser_domain::money::credits::{Amount, Credits};
use purser_domain::money::entry::{Counterparty, Entry, EntryHash, EntryType, Sale, Sequence};
use purser_domain::money::tier::{BasisPoints, Tier};
use purser_domain::money::wallet::Wallet;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
pub struct WalletView {
    balance: Credits,
    low_credit_threshold: Credits,
    /// The number of its last entry; 0 before the first.
    sequence: u64,
}

impl From<&Wallet> for WalletView {
    fn from(wallet: &Wallet) -> Self {
        Self { balance: wallet.balance, low_credit_threshold: wallet.low_credit_threshold, sequence: wallet.sequence }
    }
}

/// A ledger entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryView {
    refid: EntryRefid,
    /// Its number in the wallet, from 1 without gaps.
    sequence: u64,
    /// What it does to the balance.
    r#type: EntryType,
    /// How much; the type says the direction.
    amount: Credits,
    balance_after: Credits,
    #[schema(required = true)]
    reference: Option<Reference>,
    #[schema(required = true)]
    description: Option<Description>,
    /// Who caused it: a key, a login, or `operator`. Of credits that another reseller sent, that reseller.
    actor: String,
    created_at: Time,
    /// The hash of the entry before it, hexadecimal.
    #[serde(serialize_with = "shown")]
    previous_hash: EntryHash,
    /// SHA-256 of this entry, hexadecimal.
    #[serde(serialize_with = "shown")]
    hash: EntryHash,
    /// The provision it is, for a debit; the provision it refunds, for a refund.
    #[schema(required = true)]
    provision: Option<EntryRefid>,
    /// What was sold at which price, for the sale of a product.
    #[schema(required = true)]
    sale: Option<SaleView>,
    /// The other half, for a transfer.
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

/// A hash as everybody sees it; it is stored in a shorter form.
fn shown<S: Serializer>(hash: &EntryHash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}

/// The other half of a transfer. Each side is told the other's refids, for its books, also when an operator moved the
/// credits; of the other's wallet it learns nothing else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counterparty)]
pub struct CounterpartyView {
    /// Whose wallet it is in.
    reseller: ResellerRefid,
    /// The entry there.
    entry: EntryRefid,
}

impl From<&Counterparty> for CounterpartyView {
    fn from(other: &Counterparty) -> Self {
        Self { reseller: other.reseller.clone(), entry: other.entry.clone() }
    }
}

/// What a sale was priced at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleView {
    product: ProductReference,
    quantity: u32,
    /// The list price of one unit.
    list_price: Amount,
    tier: Tier,
    /// The discount that applied, in hundredths of a per cent.
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

/// Where a wallet's history stood.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WalletHead)]
pub struct WalletHeadView {
    reseller: ResellerRefid,
    #[schema(value_type = Sequence)]
    sequence: u64,
    /// The hash of that entry; zeros before the first.
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

/// A part of a day's checkpoint, as it was signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointPart)]
pub struct CheckpointPartView {
    date: Day,
    /// Its number within the day, from 1 without gaps.
    part: u32,
    /// Whether it is the last part of its day.
    last: bool,
    /// When its wallets had been read.
    created_at: Time,
    wallets: Vec<WalletHeadView>,
    public_key: PublicKey,
    signature: Signature,
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
        }
    }
}
