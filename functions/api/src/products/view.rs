//! Products as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one.

use purser_domain::basic::{Name, Time};
use purser_domain::licences::{
    Days, DomainRule, Feature, IpRange, KeyFormat, Lease, ParallelUses, Product, ProductReference, Term, TermsKind,
};
use purser_domain::money::{Amount, Tier};
use serde::Serialize;
use utoipa::ToSchema;

/// A product that resellers can buy licences of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductView {
    reference: ProductReference,
    name: Name,
    /// The list price of one unit, in credits.
    price: Amount,
    /// The tiers whose resellers may buy it; null means all tiers.
    #[schema(required = true)]
    tiers: Option<Vec<Tier>>,
    kind: TermsKind,
    /// How long one term of a licence lasts, counted from its activation; null means that it never ends.
    #[schema(required = true)]
    term: Option<Term>,
    /// The older name of `kind`.
    #[schema(deprecated)]
    terms: TermsKind,
    /// The term, if it is a number of days; otherwise null.
    #[schema(required = true, deprecated)]
    duration_days: Option<Days>,
    /// The maximum number of installations that may use one licence at the same time; null means unlimited.
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
    /// How long after its activation a licence covers new versions; null: as long as it is valid.
    #[schema(required = true)]
    updates_term: Option<Term>,
    /// How long after its activation a licence comes with support.
    #[schema(required = true)]
    support_term: Option<Term>,
    key_format: KeyFormat,
    active: bool,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> Self {
        Self {
            reference: product.reference.clone(),
            name: product.name.clone(),
            price: product.price,
            tiers: product.tiers.clone(),
            kind: product.terms.kind(),
            term: product.terms.term(),
            terms: product.terms.kind(),
            duration_days: product.terms.term().and_then(Term::days),
            parallel_uses: product.parallel_uses,
            lease: product.grants.lease,
            features: product.grants.features.clone(),
            domains: product.grants.domains.clone(),
            ip_ranges: product.grants.ip_ranges.clone(),
            updates_term: product.grants.updates_term,
            support_term: product.grants.support_term,
            key_format: product.key_format.clone(),
            active: product.active,
            created_at: product.created_at,
            updated_at: product.updated_at,
            version: product.version,
        }
    }
}
