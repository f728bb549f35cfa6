//! Products and licences.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::basic::time::Time;
use purser_domain::licences::licence::LicenceStatus;
use purser_domain::licences::product::{Product, TermsKind};
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::Tier;
use purser_store::licences::licence::KeyedLicence;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AmountShape, ClientIdShape, ClientRefidShape, EmailShape, LicenceRefidShape, NameShape, ProductReferenceShape,
    ProvisionRefidShape, ResellerRefidShape, TierShape,
};

/// What a licence grants over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terms, rename_all = "lowercase")]
pub enum TermsShape {
    Perpetual,
    Lifetime,
    Subscription,
    Trial,
}

/// Where a licence stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicenceStatus, rename_all = "lowercase")]
pub enum LicenceStatusShape {
    Pending,
    Active,
    Suspended,
    Revoked,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductShape {
    #[schema(value_type = ProductReferenceShape)]
    reference: String,
    #[schema(value_type = NameShape)]
    name: String,
    /// The list price of one unit, in credits.
    #[schema(value_type = AmountShape)]
    price: Credits,
    /// The tiers that may sell it; null: all.
    #[schema(required = true, value_type = Option<Vec<TierShape>>)]
    tiers: Option<Vec<Tier>>,
    #[schema(value_type = TermsShape)]
    terms: TermsKind,
    /// How long a licence lasts from its activation; null: for life.
    #[schema(required = true)]
    duration_days: Option<u32>,
    /// How many installations may use a licence at a time; null: unlimited.
    #[schema(required = true)]
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
            terms: product.terms.kind(),
            duration_days: product.terms.days().map(u32::from),
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
    #[schema(value_type = LicenceRefidShape)]
    refid: String,
    /// What the customer types into the product.
    key: String,
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    /// Who owns it; null while it is not linked.
    #[schema(required = true, value_type = Option<ClientRefidShape>)]
    client: Option<String>,
    #[schema(required = true, value_type = Option<ClientIdShape>)]
    client_id: Option<String>,
    #[schema(required = true, value_type = Option<EmailShape>)]
    email: Option<String>,
    /// The reseller that sold it.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The provision that paid for it.
    #[schema(required = true, value_type = Option<ProvisionRefidShape>)]
    provision: Option<String>,
    #[schema(value_type = LicenceStatusShape)]
    status: LicenceStatus,
    #[schema(value_type = TermsShape)]
    terms: TermsKind,
    #[schema(required = true)]
    duration_days: Option<u32>,
    #[schema(required = true)]
    parallel_uses: Option<u32>,
    /// How many installations use it.
    activations: u32,
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    activated_at: Option<Time>,
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
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
            terms: licence.terms.kind(),
            duration_days: licence.terms.days().map(u32::from),
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
