//! `write-products`: what is sold, at which price, by whom (SPEC B3).
//!
//! Invariant: only operators change products; licences keep the terms they were sold with.

use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::credits::Amount;
use purser_domain::product::{Days, ParallelUses, Product, ProductReference};
use purser_domain::text::Name;
use purser_domain::tier::Tier;
use purser_edge::extract::{Body, IfMatch, MaybeBody, Named, OptionalKey};
use purser_edge::json::present;
use purser_edge::shapes::{ProductShape, TierShape};
use purser_edge::{App, Call, Problem, answer, json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(create_product))
        .routes(routes!(change_product))
}

/// A product to sell.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateProduct {
    /// What orders call it; it can't be changed.
    #[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._~-]+$")]
    reference: ProductReference,
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// The list price of one unit, in credits.
    #[schema(value_type = u64, minimum = 1, maximum = 1_000_000_000_000_i64)]
    price: Amount,
    /// The tiers that may sell it; all unless given.
    #[schema(value_type = Option<Vec<TierShape>>)]
    tiers: Option<Vec<Tier>>,
    /// How long a licence lasts from its activation; for life unless given.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    duration_days: Option<Days>,
    /// How many installations may use a licence at a time; unlimited unless given.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    parallel_uses: Option<ParallelUses>,
    /// Whether it is sold; true unless given.
    active: Option<bool>,
}

/// Create a product
#[utoipa::path(
    post, path = "/v1/products", tag = "products", request_body = CreateProduct,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat answers the first answer."),
    ),
    responses((status = 201, body = ProductShape))
)]
async fn create_product(
    State(app): State<App>,
    call: Call,
    key: OptionalKey,
    body: MaybeBody<CreateProduct>,
) -> Result<Response, Problem> {
    call.caller.must_operate()?;
    let key = key?;
    let Body(body) = body?;
    let request = call.request(&app, key.as_ref(), &body)?;
    let product = Product {
        reference: body.reference,
        name: body.name,
        price: body.price,
        tiers: body.tiers.map(distinct),
        duration_days: body.duration_days,
        parallel_uses: body.parallel_uses,
        active: body.active.unwrap_or(true),
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };
    Ok(answer::created(
        app.store
            .create_product(&product, &request, &render)
            .await?,
    ))
}

fn distinct(mut tiers: Vec<Tier>) -> Vec<Tier> {
    tiers.sort_unstable();
    tiers.dedup();
    tiers
}

fn render(product: &Product) -> Result<Vec<u8>, purser_store::StoreError> {
    json::write(&ProductShape::from(product))
}

/// What to change of a product; members left out stay as they are.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeProduct {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    #[serde(default, deserialize_with = "present")]
    price: Option<Amount>,
    /// Null: all tiers.
    #[schema(value_type = Option<Vec<TierShape>>)]
    #[serde(default, deserialize_with = "present")]
    tiers: Option<Option<Vec<Tier>>>,
    /// Null: for life.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    #[serde(default, deserialize_with = "present")]
    duration_days: Option<Option<Days>>,
    /// Null: unlimited.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "present")]
    parallel_uses: Option<Option<ParallelUses>>,
    #[schema(value_type = Option<bool>)]
    #[serde(default, deserialize_with = "present")]
    active: Option<bool>,
}

/// Change a product
#[utoipa::path(
    patch, path = "/v1/products/{reference}", tag = "products", request_body = ChangeProduct,
    params(
        ("reference" = String, Path),
        ("If-Match" = Option<String>, Header, description = "Only if this is its ETag."),
    ),
    responses((status = 200, body = ProductShape))
)]
async fn change_product(
    State(app): State<App>,
    call: Call,
    named: Result<Named<ProductReference>, Problem>,
    version: Result<IfMatch, Problem>,
    body: MaybeBody<ChangeProduct>,
) -> Result<Response, Problem> {
    call.caller.must_operate()?;
    let Named(reference) = named?;
    let faults = match (version, body) {
        (Ok(version), Ok(body)) => Ok((version, body)),
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    };
    let (IfMatch(version), Body(body)) = match faults {
        Ok(both) => both,
        Err(problem) if app.store.product(&reference).await?.is_some() => return Err(problem),
        Err(_) => return Err(Refusal::NotFound(purser_domain::refusal::What::Product).into()),
    };
    let now = call.now;
    let change = |product: &Product| {
        if version.is_some_and(|version| version != product.version) {
            return Err(Refusal::VersionMismatch);
        }
        let changed = Product {
            name: body.name.clone().unwrap_or_else(|| product.name.clone()),
            price: body.price.unwrap_or(product.price),
            tiers: body
                .tiers
                .clone()
                .map_or_else(|| product.tiers.clone(), |tiers| tiers.map(distinct)),
            duration_days: body.duration_days.unwrap_or(product.duration_days),
            parallel_uses: body.parallel_uses.unwrap_or(product.parallel_uses),
            active: body.active.unwrap_or(product.active),
            ..product.clone()
        };
        let differs = changed != *product;
        Ok(differs.then(|| Product {
            updated_at: now.max(product.updated_at),
            version: product.version + 1,
            ..changed
        }))
    };
    let changed = app
        .store
        .change_product(&reference, &call.stamp(), change, &render)
        .await?;
    Ok(answer::changed(changed))
}
