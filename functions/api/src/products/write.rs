//! `write-products`: creates and changes products: their price, terms and tiers (rule B3).
//!
//! Invariant: only operators change products; a licence keeps the terms under which it was sold.

use purser_domain::basic::{Name, OneTo};
use purser_domain::licences::{
    Days, DomainRule, Feature, Grants, GrantsChange, IpRange, KeyFormat, Lease, NewProductReference, ParallelUses,
    Product, ProductChange, ProductReference, Term, TermsKind,
};
use purser_domain::money::{Amount, Tier};
use purser_edge::http::json::present;
use purser_edge::prelude::*;

use crate::licences::body::{Domains, Features, IpRanges, either, terms, wrong_terms};
use crate::products::view::ProductView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(create_product)).routes(routes!(change_product))
}

/// A product to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reference": "PROD-100", "name": "Pro, one year", "price": 700, "term": "P1Y"}))]
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
    /// If omitted, a product with a term is a `subscription`, and one without is `lifetime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<TermsKind>,
    /// How long one term of a licence lasts, counted from its activation. Required for a subscription or trial, and not
    /// allowed for other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<Term>,
    /// The older name of `kind`.
    #[schema(deprecated)]
    terms: Option<TermsKind>,
    /// The older name of `term`, for a number of days.
    #[schema(deprecated)]
    duration_days: Option<Days>,
    /// The maximum number of installations that may use one licence at the same time; unlimited if omitted.
    parallel_uses: Option<ParallelUses>,
    /// How long an installation may go without being heard of before its seat is free; for ever, if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    #[schema(value_type = Option<Vec<Feature>>, max_items = 32)]
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<Features>,
    /// The domains that the program may run on; any, if omitted.
    #[schema(value_type = Option<Vec<DomainRule>>, max_items = 32)]
    #[serde(skip_serializing_if = "Option::is_none")]
    domains: Option<Domains>,
    /// The network addresses that the program may ask from; any, if omitted.
    #[schema(value_type = Option<Vec<IpRange>>, max_items = 32)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_ranges: Option<IpRanges>,
    /// How long after its activation a licence covers new versions; as long as it is valid, if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    updates_term: Option<Term>,
    /// How long after its activation a licence comes with support.
    #[serde(skip_serializing_if = "Option::is_none")]
    support_term: Option<Term>,
    /// The form of the keys of its licences; `groups` if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_format: Option<KeyFormat>,
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
    let kind = either(body.kind, body.terms, "/terms")?;
    let term = either(body.term, body.duration_days.map(Term::of_days), "/duration_days")?;
    let product = Product {
        reference: body.reference,
        name: body.name,
        price: body.price,
        tiers: body.tiers.map(distinct),
        terms: terms(kind, term)?,
        parallel_uses: body.parallel_uses,
        grants: Grants {
            lease: body.lease,
            features: body.features.map(Vec::from).unwrap_or_default(),
            domains: body.domains.map(Vec::from).unwrap_or_default(),
            ip_ranges: body.ip_ranges.map(Vec::from).unwrap_or_default(),
            updates_term: body.updates_term,
            support_term: body.support_term,
        },
        key_format: body.key_format.unwrap_or(KeyFormat::Groups),
        active: body.active.unwrap_or(true),
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };
    Ok(answer::created(app.store.create_product::<ProductView>(&product, &request).await?))
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
    kind: Option<TermsKind>,
    /// Null removes the term.
    #[schema(value_type = Option<Term>)]
    #[serde(default, deserialize_with = "present")]
    term: Option<Option<Term>>,
    /// The older name of `kind`.
    #[schema(value_type = TermsKind, deprecated)]
    #[serde(default, deserialize_with = "present")]
    terms: Option<TermsKind>,
    /// The older name of `term`, for a number of days.
    #[schema(value_type = Option<Days>, deprecated)]
    #[serde(default, deserialize_with = "present")]
    duration_days: Option<Option<Days>>,
    /// Null removes the limit.
    #[schema(value_type = Option<ParallelUses>)]
    #[serde(default, deserialize_with = "present")]
    parallel_uses: Option<Option<ParallelUses>>,
    /// Null: an installation never lapses.
    #[schema(value_type = Option<Lease>)]
    #[serde(default, deserialize_with = "present")]
    lease: Option<Option<Lease>>,
    #[schema(value_type = Vec<Feature>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    features: Option<Features>,
    #[schema(value_type = Vec<DomainRule>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    domains: Option<Domains>,
    #[schema(value_type = Vec<IpRange>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    ip_ranges: Option<IpRanges>,
    /// Null: new versions are covered as long as the licence is valid.
    #[schema(value_type = Option<Term>)]
    #[serde(default, deserialize_with = "present")]
    updates_term: Option<Option<Term>>,
    #[schema(value_type = Option<Term>)]
    #[serde(default, deserialize_with = "present")]
    support_term: Option<Option<Term>>,
    #[schema(value_type = KeyFormat)]
    #[serde(default, deserialize_with = "present")]
    key_format: Option<KeyFormat>,
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
        kind: either(body.kind, body.terms, "/terms")?,
        term: either(body.term, body.duration_days.map(|days| days.map(Term::of_days)), "/duration_days")?,
        parallel_uses: body.parallel_uses,
        grants: GrantsChange {
            lease: body.lease,
            features: body.features.map(Vec::from),
            domains: body.domains.map(Vec::from),
            ip_ranges: body.ip_ranges.map(Vec::from),
            updates_term: body.updates_term,
            support_term: body.support_term,
        },
        key_format: body.key_format,
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
