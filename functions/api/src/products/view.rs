//! Products, as the API shows them.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::basic::text::Name;
use purser_domain::basic::time::Time;
use purser_domain::licences::product::{Days, ParallelUses, Product, ProductReference, TermsKind};
use purser_domain::money::credits::Amount;
use purser_domain::money::tier::Tier;
use serde::Serialize;
use utoipa::ToSchema;

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductView {
    reference: ProductReference,
    name: Name,
    /// The list price of one unit, in credits.
    price: Amount,
    /// The tiers that may sell it; null: all.
    #[schema(required = true)]
    tiers: Option<Vec<Tier>>,
    terms: TermsKind,
    /// How long a licence lasts from its activation; null: for life.
    #[schema(required = true)]
    duration_days: Option<Days>,
    /// How many installations may use a licence at a time; null: unlimited.
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
