//! Wallets, entries and provisions.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::basic::time::Time;
use purser_domain::money::credits::Credits;
use purser_domain::money::entry::{Counterparty, Entry, Sale};
use purser_domain::money::tier::Tier;
use purser_domain::money::wallet::Wallet;
use purser_store::money::sold::{Provision, Sold};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ClientShape, CreditsShape, DescriptionShape, EntryRefidShape, HashShape, LicenceShape, ProductReferenceShape,
    ProvisionRefidShape, ReferenceShape, ResellerRefidShape, TierShape,
};

/// A wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
pub struct WalletShape {
    #[schema(value_type = CreditsShape)]
    balance: Credits,
    #[schema(value_type = CreditsShape)]
    low_credit_threshold: Credits,
    /// The number of its last entry; 0 before the first.
    sequence: u64,
}

impl From<&Wallet> for WalletShape {
    fn from(wallet: &Wallet) -> Self {
        Self { balance: wallet.balance, low_credit_threshold: wallet.low_credit_threshold, sequence: wallet.sequence }
    }
}

/// What an entry does to the balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryType, rename_all = "snake_case")]
pub enum EntryTypeShape {
    Credit,
    Debit,
    Refund,
    TransferIn,
    TransferOut,
}

/// A ledger entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryShape {
    #[schema(value_type = EntryRefidShape)]
    refid: String,
    /// Its number in the wallet, from 1 without gaps.
    sequence: u64,
    /// What it does to the balance.
    #[schema(value_type = EntryTypeShape)]
    r#type: &'static str,
    /// How much; the type says the direction.
    #[schema(value_type = CreditsShape)]
    amount: Credits,
    #[schema(value_type = CreditsShape)]
    balance_after: Credits,
    #[schema(required = true, value_type = Option<ReferenceShape>)]
    reference: Option<String>,
    #[schema(required = true, value_type = Option<DescriptionShape>)]
    description: Option<String>,
    /// Who caused it: a key, a login, or `operator`. Of credits that another reseller sent, that reseller.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// The hash of the entry before it, hexadecimal.
    #[schema(value_type = HashShape)]
    previous_hash: String,
    /// SHA-256 of this entry, hexadecimal.
    #[schema(value_type = HashShape)]
    hash: String,
    /// The provision it is, for a debit; the provision it refunds, for a refund.
    #[schema(required = true, value_type = Option<ProvisionRefidShape>)]
    provision: Option<String>,
    /// What was sold at which price, for the sale of a product.
    #[schema(required = true)]
    sale: Option<SaleShape>,
    /// The other half, for a transfer.
    #[schema(required = true)]
    counterparty: Option<CounterpartyShape>,
}

/// The other half of a transfer. Each side is told the other's refids, for its books, also when an operator moved the
/// credits; of the other's wallet it learns nothing else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counterparty)]
pub struct CounterpartyShape {
    /// Whose wallet it is in.
    #[schema(value_type = ResellerRefidShape)]
    reseller: String,
    /// The entry there.
    #[schema(value_type = EntryRefidShape)]
    entry: String,
}

impl From<&Counterparty> for CounterpartyShape {
    fn from(other: &Counterparty) -> Self {
        Self { reseller: other.reseller.to_string(), entry: other.entry.to_string() }
    }
}

/// What a sale was priced at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleShape {
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    quantity: u32,
    /// The list price of one unit.
    #[schema(value_type = CreditsShape)]
    list_price: Credits,
    #[schema(value_type = TierShape)]
    tier: Tier,
    /// The discount that applied, in hundredths of a per cent.
    discount_basis_points: u16,
}

impl From<&Sale> for SaleShape {
    fn from(sale: &Sale) -> Self {
        Self {
            product: sale.product.to_string(),
            quantity: sale.quantity,
            list_price: sale.list_price.credits(),
            tier: sale.tier,
            discount_basis_points: sale.discount.into(),
        }
    }
}

impl From<&Entry> for EntryShape {
    fn from(entry: &Entry) -> Self {
        Self {
            refid: entry.refid.to_string(),
            sequence: entry.sequence,
            r#type: entry.kind.as_str(),
            amount: entry.amount,
            balance_after: entry.balance_after,
            reference: entry.reference.as_ref().map(ToString::to_string),
            description: entry.description.as_ref().map(ToString::to_string),
            actor: entry.actor.as_str().to_owned(),
            created_at: entry.created_at,
            previous_hash: entry.previous_hash.to_string(),
            hash: entry.hash.to_string(),
            provision: entry.provision().map(ToString::to_string),
            sale: entry.sale.as_ref().map(SaleShape::from),
            counterparty: entry.counterparty.as_ref().map(CounterpartyShape::from),
        }
    }
}

/// A provision: one purchase with credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provision)]
pub struct ProvisionShape {
    #[schema(value_type = ProvisionRefidShape)]
    refid: String,
    /// What it cost, in credits.
    #[schema(value_type = CreditsShape)]
    cost: Credits,
    /// The balance it left.
    #[schema(value_type = CreditsShape)]
    balance: Credits,
    /// Whom it was for; null for a bare cost, for several clients, and for one that was deleted or moved away since.
    #[schema(required = true)]
    client: Option<ClientShape>,
    /// What it minted; empty for a bare cost.
    licences: Vec<LicenceShape>,
    entry: EntryShape,
    /// What of its cost has been refunded.
    #[schema(value_type = CreditsShape)]
    refunded: Credits,
    /// The entries that refunded it, oldest first.
    refunds: Vec<EntryShape>,
    /// Of a purchase for several clients, each with its licences. The answer to a refund leaves each `client` null; the
    /// licences name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<SoldShape>)]
    results: Option<Vec<SoldShape>>,
}

/// What a purchase was for one client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sold)]
pub struct SoldShape {
    /// The client; null when it was deleted or moved away since, and in the answer to a refund.
    #[schema(required = true)]
    client: Option<ClientShape>,
    /// Its licences.
    licences: Vec<LicenceShape>,
}

/// A purchase for many clients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkProvision)]
pub struct BulkProvisionShape {
    #[schema(value_type = ProvisionRefidShape)]
    refid: String,
    /// What it cost.
    #[schema(value_type = CreditsShape)]
    cost: Credits,
    /// The balance it left.
    #[schema(value_type = CreditsShape)]
    balance: Credits,
    entry: EntryShape,
    /// The clients in the order of the request, each with its licence.
    results: Vec<SoldShape>,
}

impl From<&Sold> for SoldShape {
    fn from(sold: &Sold) -> Self {
        Self {
            client: sold.client.as_ref().map(ClientShape::from),
            licences: sold.licences.iter().map(LicenceShape::from).collect(),
        }
    }
}

impl From<&Provision> for ProvisionShape {
    fn from(provision: &Provision) -> Self {
        let sold = provision.sold.as_slice();
        let licences = sold.iter().flat_map(|sold| &sold.licences);
        let only = match sold {
            [only] => only.client.as_ref(),
            _ => None,
        };
        Self {
            refid: provision.entry.refid.to_string(),
            cost: provision.entry.amount,
            balance: provision.entry.balance_after,
            client: only.map(ClientShape::from),
            licences: licences.map(LicenceShape::from).collect(),
            entry: EntryShape::from(&provision.entry),
            refunded: provision.refunded(),
            refunds: provision.refunds.iter().map(EntryShape::from).collect(),
            results: (sold.len() > 1).then(|| sold.iter().map(SoldShape::from).collect()),
        }
    }
}

/// The answer to a refund. It is remembered, and since they bought, what many clients hold may have grown beyond
/// what can be; it leaves them out, so that no refund fails for that.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct RefundShape(ProvisionShape);

impl From<&Provision> for RefundShape {
    fn from(provision: &Provision) -> Self {
        let mut shape = ProvisionShape::from(provision);
        for sold in shape.results.iter_mut().flatten() {
            sold.client = None;
        }
        Self(shape)
    }
}

impl From<&Provision> for BulkProvisionShape {
    fn from(provision: &Provision) -> Self {
        Self {
            refid: provision.entry.refid.to_string(),
            cost: provision.entry.amount,
            balance: provision.entry.balance_after,
            entry: EntryShape::from(&provision.entry),
            results: provision.sold.iter().map(SoldShape::from).collect(),
        }
    }
}
