//! `read-resellers`: resellers, lists of them, and what a product costs one (rules B1, B2).
//!
//! Invariant: a reseller reads itself and nobody else.

use crate::resellers::view::ResellerView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::basic::refid::{ResellerRefid, UserRefid};
use purser_domain::licences::product::ProductReference;
use purser_domain::money::credits::Credits;
use purser_domain::money::provision::{Quantity, quote};
use purser_domain::money::tier::Tier;
use purser_domain::money::wallet::Wallet;
use purser_domain::parties::reseller::{Reseller, ResellerStatus};
use purser_domain::refusal::What;
use purser_edge::caller::input::{Found, Operator};
use purser_edge::http::answer::{List, ok, position};
use purser_edge::http::extract::{Limit, Params};
use purser_edge::http::problem::refusals::{BalanceTooLarge, Forbidden, ProductInactive, Refused, TierNotAllowed};
use purser_edge::{App, Call, Input, Problem};
use purser_store::engine::page::Page;
use purser_store::parties::reseller::ResellerFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_resellers)).routes(routes!(read_reseller)).routes(routes!(read_quote))
}

/// Which resellers.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResellerQuery {
    /// Only resellers of this tier.
    tier: Option<Tier>,
    /// Only resellers in this status.
    status: Option<ResellerStatus>,
    /// Only resellers right below this one.
    #[param(value_type = Option<ResellerRefid>)]
    parent: Option<String>,
    /// The reseller that this login is a member of.
    #[param(value_type = Option<UserRefid>)]
    user: Option<String>,
    /// Where to go on: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many, 25 unless given.
    limit: Option<Limit>,
}

type ResellerList = List<ResellerView>;

/// List resellers
#[utoipa::path(
    get, path = "/v1/resellers", tag = "resellers", params(ResellerQuery),
    responses((status = 200, body = ResellerList), Refused<Forbidden>)
)]
async fn list_resellers(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<ResellerQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&(query.tier, query.status, &query.parent, &query.user));
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let parent = query.parent.as_deref().map(ResellerRefid::parse);
    let user = query.user.as_deref().map(UserRefid::parse);
    let filter = ResellerFilter { tier: query.tier, status: query.status, parent: parent.clone().flatten() };
    let page = match (parent, user) {
        // What can't be a refid is nobody's.
        (Some(None), _) | (_, Some(None)) => Page::only(None),
        (_, Some(Some(user))) => Page::only(with_login(&app, &user, &filter).await?),
        (_, None) => {
            let limit = query.limit.unwrap_or_default().get();
            app.store.resellers(&filter, limit, position).await?
        }
    };
    List::answer(&app, &scope, page, |reseller: &Reseller| ResellerView::from(reseller))
}

/// The reseller that `user` is a member of, if the filter shows it (rule B1).
async fn with_login(app: &App, user: &UserRefid, filter: &ResellerFilter) -> Result<Option<Reseller>, Problem> {
    let member = app.store.user(user).await?.and_then(|user| user.reseller);
    let Some(refid) = member else {
        return Ok(None);
    };
    let found = app.store.reseller(&refid).await?;
    Ok(found.filter(|it| filter.shows(it)))
}

/// Read a reseller
#[utoipa::path(
    get, path = "/v1/resellers/{refid}", tag = "resellers", params(("refid" = ResellerRefid, Path)),
    responses((status = 200, body = ResellerView))
)]
async fn read_reseller(Input(_call, Found(reseller), ..): Input<Call, Found<Reseller>>) -> Result<Response, Problem> {
    ok(&ResellerView::from(&reseller))
}

/// What is to be priced.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuoteQuery {
    /// The product's reference.
    #[param(value_type = ProductReference)]
    product: String,
    /// How many units, 1 unless given.
    quantity: Option<Quantity>,
}

/// What a product costs a reseller.
#[derive(Debug, Serialize, ToSchema)]
struct Quote {
    product: ProductReference,
    quantity: Quantity,
    tier: Tier,
    /// The tier price of one unit, in credits.
    unit_price: Credits,
    /// The whole, in credits.
    cost: Credits,
}

/// Quote a tier price
#[utoipa::path(
    get, path = "/v1/resellers/{refid}/quote", tag = "resellers",
    params(("refid" = ResellerRefid, Path), QuoteQuery),
    responses((status = 200, body = Quote), Refused<(ProductInactive, TierNotAllowed, BalanceTooLarge)>)
)]
async fn read_quote(
    State(app): State<App>,
    Input(_call, Found(wallet), Params(query), ..): Input<Call, Found<Wallet>, Params<QuoteQuery>>,
) -> Result<Response, Problem> {
    let reference = ProductReference::try_from(query.product).map_err(|_| Refusal::NotFound(What::Product))?;
    let product = app.store.product(&reference).await?.ok_or(Refusal::NotFound(What::Product))?;
    let quantity = query.quantity.unwrap_or(Quantity::ONE);
    let quoted = quote(&product, quantity, wallet.tier, &app.config.discounts)?;
    ok(&Quote { product: reference, quantity, tier: quoted.tier, unit_price: quoted.unit_price, cost: quoted.cost })
}
