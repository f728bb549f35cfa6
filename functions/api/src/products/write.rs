//! `write-products`: creates and changes products: their price, terms and tiers (rule B3).
//!
//! Invariant: only operators change products; a licence keeps the terms under which it was sold.

use purser_domain::basic::{Name, OneTo};
use purser_domain::licences::{
    Days, NewProductReference, ParallelUses, Product, ProductChange, ProductReference, Terms, TermsError, TermsKind,
};
use purser_domain::money::{Amount, Tier};
use purser_edge::http::json::present;
use purser_edge::prelude::*;

use crate::products::view::ProductView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(create_product)).routes(routes!(change_product))
}

/// A product to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reference": "PROD-100", "name": "Pro, one year", "price": 700, "duration_days": 365}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CreateProduct {
    /// The reference by which purchases name the product. It can't be changed.
    #[schema(value_type = NewProductReference)]
    reference: ProductReference,
    name: Name,
    /// The list price of one unit, in credits.
    price: Amount,
    /// The tiers whose resellers may buy it, at least one; all tiers if omitted.
    #[schema(value_type = Option<Vec<Tier>>, min_items = 1, max_items = 100)]
    tiers: Option<Tiers>,
    /// If omitted, a product with a duration is a `subscription`, and one without is `lifetime`.
    terms: Option<TermsKind>,
    /// The duration of a licence in days, counted from its activation. Required for a subscription or trial, and not
    /// allowed for other terms.
    duration_days: Option<Days>,
    /// The maximum number of installations that may use one licence at the same time; unlimited if omitted.
    parallel_uses: Option<ParallelUses>,
    /// Whether the product can be bought; true if omitted.
    active: Option<bool>,
}

/// Create a product
#[utoipa::path(
    post, path = "/v1/products", tag = "products", request_body = CreateProduct,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
    ),
    responses((status = 201, body = ProductView), Refused<(Forbidden, DuplicateProduct)>)
)]
async fn create_product(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Operator, (), Option<Key>, Body<CreateProduct>>,
) -> Result<Response, Problem> {
    // The fingerprint covers the resolved `active`, so a repeat that spells out the default counts as the same
    // request.
    let resolved = CreateProduct { active: Some(body.active.unwrap_or(true)), ..body.clone() };
    let request = call.repeatable(key, &resolved)?;
    let product = Product {
        reference: body.reference,
        name: body.name,
        price: body.price,
        tiers: body.tiers.map(distinct),
        terms: Terms::new(body.terms, body.duration_days).map_err(wrong_terms)?,
        parallel_uses: body.parallel_uses,
        active: body.active.unwrap_or(true),
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };
    Ok(answer::created(app.store.create_product::<ProductView>(&product, &request).await?))
}

fn wrong_terms(error: TermsError) -> Problem {
    Problem::invalid("/terms", error.to_string())
}

/// The tiers that a body names, perhaps some of them twice.
type Tiers = OneTo<100, Tier>;

fn distinct(tiers: Tiers) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = tiers.into_iter().collect();
    tiers.sort_unstable();
    tiers.dedup();
    tiers
}

/// The members to change; a member that is left out keeps its value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"price": 750}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeProduct {
    #[schema(value_type = Name)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
    #[schema(value_type = Amount)]
    #[serde(default, deserialize_with = "present")]
    price: Option<Amount>,
    /// Null allows all tiers.
    #[schema(value_type = Option<Vec<Tier>>, min_items = 1, max_items = 100)]
    #[serde(default, deserialize_with = "present")]
    tiers: Option<Option<Tiers>>,
    #[schema(value_type = TermsKind)]
    #[serde(default, deserialize_with = "present")]
    terms: Option<TermsKind>,
    /// Null removes the duration.
    #[schema(value_type = Option<Days>)]
    #[serde(default, deserialize_with = "present")]
    duration_days: Option<Option<Days>>,
    /// Null removes the limit.
    #[schema(value_type = Option<ParallelUses>)]
    #[serde(default, deserialize_with = "present")]
    parallel_uses: Option<Option<ParallelUses>>,
    #[schema(value_type = bool)]
    #[serde(default, deserialize_with = "present")]
    active: Option<bool>,
}

/// Change a product
#[utoipa::path(
    patch, path = "/v1/products/{reference}", tag = "products", request_body = ChangeProduct,
    params(
        ("reference" = ProductReference, Path),
        ("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag."),
    ),
    responses((status = 200, body = ProductView), Refused<Forbidden>)
)]
async fn change_product(
    State(app): State<App>,
    Input(call, Found(found), version, Body(body)): Input<Operator, Found<Product>, IfMatch, Body<ChangeProduct>>,
) -> Result<Response, Problem> {
    let change = ProductChange {
        name: body.name,
        price: body.price,
        tiers: body.tiers.map(|tiers| tiers.map(distinct)),
        terms: body.terms,
        duration_days: body.duration_days,
        parallel_uses: body.parallel_uses,
        active: body.active,
    };
    change.terms(found.terms).map_err(wrong_terms)?;
    let change = |product: &Product| {
        version.must_hold(product.version)?;
        // The terms were valid a moment ago, so this fails only if another request has changed the product's terms
        // since.
        product.changed(&change, call.now).map_err(|_| Refusal::VersionMismatch)
    };
    let changed = app.store.change_product::<ProductView>(&found.reference, &call.request(), change).await?;
    Ok(answer::changed(changed))
}
