//! Products as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one.

use purser_domain::basic::{Name, Time};
use purser_domain::licences::{Days, ParallelUses, Product, ProductReference, TermsKind};
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
    terms: TermsKind,
    /// The duration of a licence in days, counted from its activation; null means that it never ends.
    #[schema(required = true)]
    duration_days: Option<Days>,
    /// The maximum number of installations that may use one licence at the same time; null means unlimited.
    #[schema(required = true)]
    parallel_uses: Option<ParallelUses>,
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
            terms: product.terms.kind(),
            duration_days: product.terms.days(),
            parallel_uses: product.parallel_uses,
            active: product.active,
            created_at: product.created_at,
            updated_at: product.updated_at,
            version: product.version,
        }
    }
}
