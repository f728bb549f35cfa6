//! Licences as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one.

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, EntryRefid, LicenceRefid, ResellerRefid, Time};
use purser_domain::licences::{Days, LicenceStatus, ParallelUses, ProductReference, TermsKind};
use purser_store::licences::licence::KeyedLicence;
use serde::Serialize;
use utoipa::ToSchema;

/// A licence: a key for a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Licence)]
pub struct LicenceView {
    refid: LicenceRefid,
    /// The licence key that the customer types into the product.
    key: String,
    product: ProductReference,
    /// The client that owns the licence; null if it is not linked to a client.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    #[schema(required = true)]
    client_id: Option<ClientId>,
    #[schema(required = true)]
    email: Option<EmailAddress>,
    /// The reseller that sold the licence, if any.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The provision that the licence was bought in, if any.
    #[schema(required = true)]
    provision: Option<EntryRefid>,
    status: LicenceStatus,
    terms: TermsKind,
    #[schema(required = true)]
    duration_days: Option<Days>,
    #[schema(required = true)]
    parallel_uses: Option<ParallelUses>,
    /// The number of installations that use the licence.
    activations: u32,
    #[schema(required = true)]
    activated_at: Option<Time>,
    #[schema(required = true)]
    expires_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl From<&KeyedLicence> for LicenceView {
    fn from(keyed: &KeyedLicence) -> Self {
        let licence = &keyed.licence;
        Self {
            refid: licence.refid.clone(),
            key: keyed.key.reveal().to_owned(),
            product: licence.product.clone(),
            client: licence.client.clone(),
            client_id: licence.client_id.clone(),
            email: licence.email.clone(),
            reseller: licence.reseller.clone(),
            provision: licence.provision.clone(),
            status: licence.status,
            terms: licence.terms.kind(),
            duration_days: licence.terms.days(),
            parallel_uses: licence.parallel_uses,
            activations: licence.activations,
            activated_at: licence.activated_at,
            expires_at: licence.expires_at,
            created_at: licence.created_at,
            updated_at: licence.updated_at,
            version: licence.version,
        }
    }
}
