//! The shapes of resources in JSON (SPEC, "Shapes"): what every function shows of the same thing.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::api_key::ApiKey;
use purser_domain::caller::Role;
use purser_domain::client::{Client, ClientStatus};
use purser_domain::credits::Credits;
use purser_domain::entry::{Entry, Sale};
use purser_domain::licence::LicenceStatus;
use purser_domain::product::Product;
use purser_domain::reseller::{Reseller, ResellerStatus};
use purser_domain::tier::Tier;
use purser_domain::time::Time;
use purser_domain::wallet::Wallet;
use purser_store::licence::KeyedLicence;
use purser_store::provision::Provision;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientShape {
    refid: String,
    client_id: String,
    name: String,
    email: String,
    phone: Option<String>,
    #[schema(value_type = ClientStatusShape)]
    status: ClientStatus,
    /// The reseller it belongs to; null when it is standalone.
    reseller: Option<String>,
    /// The login it is bound to.
    user: Option<String>,
    metadata: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

/// Where a client stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientStatus, rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is its own name")]
pub enum ClientStatusShape {
    Pending,
    Active,
    Suspended,
    Inactive,
}

/// Where a reseller stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResellerStatus, rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is its own name")]
pub enum ResellerStatusShape {
    Pending,
    Active,
    Suspended,
}

/// A reseller's level.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tier, rename_all = "lowercase")]
#[expect(missing_docs, reason = "each value is its own name")]
pub enum TierShape {
    Standard,
    Gold,
    Platinum,
}

impl From<&Client> for ClientShape {
    fn from(client: &Client) -> Self {
        Self {
            refid: client.refid.to_string(),
            client_id: client.client_id.to_string(),
            name: client.name.to_string(),
            email: client.email.to_string(),
            phone: client.phone.as_ref().map(ToString::to_string),
            status: client.status,
            reseller: client.reseller.as_ref().map(ToString::to_string),
            user: client.user.as_ref().map(ToString::to_string),
            metadata: client.metadata.as_object().clone(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            version: client.version,
        }
    }
}

/// A reseller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reseller)]
pub struct ResellerShape {
    refid: String,
    company_name: String,
    email: String,
    #[schema(value_type = TierShape)]
    tier: Tier,
    #[schema(value_type = ResellerStatusShape)]
    status: ResellerStatus,
    hold_provisioning: bool,
    #[schema(value_type = u64)]
    low_credit_threshold: Credits,
    /// The reseller above it.
    parent: Option<String>,
    metadata: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

impl From<&Reseller> for ResellerShape {
    fn from(reseller: &Reseller) -> Self {
        Self {
            refid: reseller.refid.to_string(),
            company_name: reseller.company_name.to_string(),
            email: reseller.email.to_string(),
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            parent: reseller.parent.as_ref().map(ToString::to_string),
            metadata: reseller.metadata.as_object().clone(),
            created_at: reseller.created_at,
            updated_at: reseller.updated_at,
            version: reseller.version,
        }
    }
}

/// A wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
pub struct WalletShape {
    #[schema(value_type = u64)]
    balance: Credits,
    #[schema(value_type = u64)]
    low_credit_threshold: Credits,
    /// The number of its last entry; 0 before the first.
    sequence: u64,
}

impl From<&Wallet> for WalletShape {
    fn from(wallet: &Wallet) -> Self {
        Self {
            balance: wallet.balance,
            low_credit_threshold: wallet.low_credit_threshold,
            sequence: wallet.sequence,
        }
    }
}

/// A ledger entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryShape {
    /// Its number in the wallet, from 1 without gaps.
    sequence: u64,
    /// What it does to the balance.
    r#type: &'static str,
    /// How much; the type says the direction.
    #[schema(value_type = u64)]
    amount: Credits,
    #[schema(value_type = u64)]
    balance_after: Credits,
    reference: Option<String>,
    description: Option<String>,
    /// Who caused it.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// The hash of the entry before it, hexadecimal.
    previous_hash: String,
    /// SHA-256 of this entry, hexadecimal.
    hash: String,
    /// The provision it is, for a debit.
    provision: Option<String>,
    /// What was sold at which price, for the sale of a product.
    sale: Option<SaleShape>,
}

/// What a sale was priced at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleShape {
    product: String,
    quantity: u32,
    /// The list price of one unit.
    #[schema(value_type = u64)]
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
        }
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductShape {
    reference: String,
    name: String,
    /// The list price of one unit, in credits.
    #[schema(value_type = u64)]
    price: Credits,
    /// The tiers that may sell it; null: all.
    #[schema(value_type = Option<Vec<TierShape>>)]
    tiers: Option<Vec<Tier>>,
    /// How long a licence lasts from its activation; null: for life.
    duration_days: Option<u32>,
    /// How many installations may use a licence at a time; null: unlimited.
    parallel_uses: Option<u32>,
    active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

impl From<&Product> for ProductShape {
    fn from(product: &Product) -> Self {
        Self {
            reference: product.reference.to_string(),
            name: product.name.to_string(),
            price: product.price.credits(),
            tiers: product.tiers.clone(),
            duration_days: product.duration_days.map(u32::from),
            parallel_uses: product.parallel_uses.map(u32::from),
            active: product.active,
            created_at: product.created_at,
            updated_at: product.updated_at,
            version: product.version,
        }
    }
}

/// A licence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Licence)]
pub struct LicenceShape {
    refid: String,
    /// What the customer types into the product.
    key: String,
    product: String,
    /// Who owns it; null while it is not linked.
    client: Option<String>,
    client_id: Option<String>,
    email: Option<String>,
    /// The reseller that sold it.
    reseller: Option<String>,
    /// The provision that paid for it.
    provision: Option<String>,
    #[schema(value_type = String)]
    status: LicenceStatus,
    duration_days: Option<u32>,
    parallel_uses: Option<u32>,
    /// How many installations use it.
    activations: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

impl From<&KeyedLicence> for LicenceShape {
    fn from(keyed: &KeyedLicence) -> Self {
        let licence = &keyed.licence;
        Self {
            refid: licence.refid.to_string(),
            key: keyed.key.reveal().to_owned(),
            product: licence.product.to_string(),
            client: licence.client.as_ref().map(ToString::to_string),
            client_id: licence.client_id.as_ref().map(ToString::to_string),
            email: licence.email.as_ref().map(ToString::to_string),
            reseller: licence.reseller.as_ref().map(ToString::to_string),
            provision: licence.provision.as_ref().map(ToString::to_string),
            status: licence.status,
            duration_days: licence.duration_days.map(u32::from),
            parallel_uses: licence.parallel_uses.map(u32::from),
            activations: licence.activations,
            activated_at: licence.activated_at,
            expires_at: licence.expires_at,
            created_at: licence.created_at,
            updated_at: licence.updated_at,
            version: licence.version,
        }
    }
}

/// A provision: one purchase with credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provision)]
pub struct ProvisionShape {
    refid: String,
    /// What it cost, in credits.
    #[schema(value_type = u64)]
    cost: Credits,
    /// The balance it left.
    #[schema(value_type = u64)]
    balance: Credits,
    /// Whom it was for; null for a bare cost.
    client: Option<ClientShape>,
    /// What it minted; empty for a bare cost.
    licences: Vec<LicenceShape>,
    entry: EntryShape,
}

impl From<&Provision> for ProvisionShape {
    fn from(provision: &Provision) -> Self {
        Self {
            refid: provision.entry.refid.to_string(),
            cost: provision.entry.amount,
            balance: provision.entry.balance_after,
            client: provision.client.as_ref().map(ClientShape::from),
            licences: provision.licences.iter().map(LicenceShape::from).collect(),
            entry: EntryShape::from(&provision.entry),
        }
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyShape {
    refid: String,
    name: String,
    /// The reseller it acts for; null for an operator's.
    reseller: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<&ApiKey> for ApiKeyShape {
    fn from(key: &ApiKey) -> Self {
        Self {
            refid: key.refid.to_string(),
            name: key.name.to_string(),
            reseller: match &key.role {
                Role::Operator => None,
                Role::Reseller(reseller) => Some(reseller.to_string()),
            },
            created_at: key.created_at,
        }
    }
}
