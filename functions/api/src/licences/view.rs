//! Licences as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one. The key is shown where it is
//! made and where it is revealed, and nowhere else (rule C9).

use std::collections::BTreeSet;

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, EntryRefid, LicenceRefid, ResellerRefid, Time};
use purser_domain::licences::{
    Comments, Days, DomainRule, Feature, IpRange, KeyHint, Lease, LicenceKey, ParallelUses, ProductReference,
    ShownStatus, Suspender, Term, TermsKind,
};
use purser_domain::parties::Metadata;
use purser_store::licences::licence::ShownLicence;
use serde::Serialize;
use utoipa::ToSchema;

/// A licence: a key for a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Licence)]
pub struct LicenceView {
    refid: LicenceRefid,
    /// The licence key that the customer types into the product. It is shown when it is made, and when it is revealed;
    /// otherwise it is null.
    #[schema(required = true)]
    key: Option<LicenceKey>,
    /// The end of the key, by which people tell keys apart. Null if the licence was sold before there were hints.
    #[schema(required = true)]
    key_hint: Option<KeyHint>,
    product: ProductReference,
    /// The client that owns the licence; null if it is not linked to a client.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    #[schema(required = true)]
    client_id: Option<ClientId>,
    /// The address of whoever the licence is for, as long as it is not linked to a client. Renewals and new keys leave
    /// it out.
    #[schema(required = true)]
    email: Option<EmailAddress>,
    /// The reseller that sold the licence, if any.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The provision that the licence was bought in, if any.
    #[schema(required = true)]
    provision: Option<EntryRefid>,
    status: ShownStatus,
    /// Who suspended the licence; empty unless it is suspended.
    suspended_by: BTreeSet<Suspender>,
    kind: TermsKind,
    /// How long one term lasts; null if the licence has none.
    #[schema(required = true)]
    term: Option<Term>,
    /// The older name of `kind`.
    #[schema(deprecated)]
    terms: TermsKind,
    /// The term, if it is a number of days; otherwise null.
    #[schema(required = true, deprecated)]
    duration_days: Option<Days>,
    #[schema(required = true)]
    parallel_uses: Option<ParallelUses>,
    /// How long an installation may go without being heard of before its seat is free; null: for ever.
    #[schema(required = true)]
    lease: Option<Lease>,
    features: Vec<Feature>,
    /// The domains that the program may run on; any, if there are none.
    domains: Vec<DomainRule>,
    /// The network addresses that the program may ask from; any, if there are none.
    ip_ranges: Vec<IpRange>,
    /// The number of installations that hold a seat. Those that have lapsed count until others take theirs. Answers
    /// that were stored before there were seats say null if any number may use the licence. It changes without a new
    /// version of the licence, and so without a new `ETag`.
    #[schema(required = true)]
    activations: Option<u32>,
    #[schema(required = true)]
    activated_at: Option<Time>,
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// Versions that were released until then are covered; null: every version, as long as the licence is valid.
    #[schema(required = true)]
    updates_until: Option<Time>,
    #[schema(required = true)]
    support_until: Option<Time>,
    /// Comments of the vendor and the reseller. Lists, purchases, renewals and new keys leave this out, and `metadata`.
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<Option<Comments>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    /// How many times an installation was refused a seat today, in UTC. Only reading the licence shows this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false)]
    refused_today: Option<u32>,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl LicenceView {
    /// The licence, with how many times an installation was refused a seat today.
    pub fn with_refused(shown: &ShownLicence, refused_today: u32) -> Self {
        Self { refused_today: Some(refused_today), ..Self::from(shown) }
    }
}

impl From<&ShownLicence> for LicenceView {
    fn from(shown: &ShownLicence) -> Self {
        let licence = &shown.licence;
        Self {
            refid: licence.refid.clone(),
            key: shown.key.clone(),
            key_hint: licence.key_hint.clone(),
            product: licence.product.clone(),
            client: licence.client.clone(),
            client_id: licence.client_id.clone(),
            email: licence.email.clone(),
            reseller: licence.reseller.clone(),
            provision: licence.provision.clone(),
            status: licence.status_at(shown.at),
            suspended_by: licence.suspended_by.clone(),
            kind: licence.terms.kind(),
            term: licence.terms.term(),
            terms: licence.terms.kind(),
            duration_days: licence.terms.term().and_then(Term::days),
            parallel_uses: licence.parallel_uses,
            lease: licence.grants.lease,
            features: licence.grants.features.clone(),
            domains: licence.grants.domains.clone(),
            ip_ranges: licence.grants.ip_ranges.clone(),
            activations: Some(shown.seats),
            activated_at: licence.activated_at,
            expires_at: licence.expires_at,
            updates_until: licence.updates_until,
            support_until: licence.support_until,
            comments: shown.notes.as_ref().map(|notes| notes.comments.clone()),
            metadata: shown.notes.as_ref().map(|notes| notes.metadata.clone()),
            refused_today: None,
            created_at: licence.created_at,
            updated_at: licence.updated_at,
            version: licence.version,
        }
    }
}
