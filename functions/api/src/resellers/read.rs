//! `read-resellers`: reads a reseller, lists resellers, and quotes a reseller's price of a product (rules B1, B2).
//!
//! Invariant: a reseller reads itself and no other reseller.

use purser_domain::basic::{ResellerRefid, Time, UserRefid};
use purser_domain::licences::ProductReference;
use purser_domain::money::provision::quote;
use purser_domain::money::{Credits, Quantity, Tier, Wallet};
use purser_domain::parties::{Reseller, ResellerStatus, Search};
use purser_edge::http::answer::{List, ok, position};
use purser_edge::prelude::*;
use purser_store::engine::{Created, Page, Paging};
use purser_store::parties::reseller::ResellerFilter;

use crate::resellers::view::ResellerView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_resellers)).routes(routes!(read_reseller)).routes(routes!(read_quote))
}

/// Filters and paging of the list of resellers.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResellerQuery {
    /// Only resellers with this tier.
    tier: Option<Tier>,
    /// Only resellers with this status.
    status: Option<ResellerStatus>,
    /// Only resellers whose parent is this one.
    #[param(value_type = Option<ResellerRefid>)]
    parent: Option<String>,
    /// Only the reseller that this user is a member of.
    #[param(value_type = Option<UserRefid>)]
    user: Option<String>,
    /// Only resellers that are found by this text.
    #[param(inline)]
    q: Option<Search>,
    /// Only resellers that were created at this time or later.
    created_after: Option<Time>,
    /// Only resellers that were created before this time.
    created_before: Option<Time>,
    /// The order: `desc`, newest first, if omitted. With `q`, the order is that of the texts that were found, from A to
    /// Z (`asc`) if omitted.
    #[param(inline)]
    order: Option<Order>,
    /// The `next_cursor` of the previous page; the first page if omitted.
    cursor: Option<String>,
    /// The maximum number of items on the page; 25 if omitted.
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
    let filters = (query.tier, query.status, &query.parent, &query.user);
    let scope = match (&query.q, query.created_after, query.created_before, query.order) {
        // A cursor from before there were more filters works on.
        (None, None, None, None) => call.cursor_scope(&filters),
        more => call.cursor_scope(&(filters, more)),
    };
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let parent = query.parent.as_deref().map(ResellerRefid::parse);
    let user = query.user.as_deref().map(UserRefid::parse);
    let filter = ResellerFilter {
        tier: query.tier,
        status: query.status,
        parent: parent.clone().flatten(),
        created: Created { after: query.created_after, before: query.created_before },
        search: query.q.clone(),
    };
    let page = match (parent, user) {
        // Text that is not a refid matches no reseller.
        (Some(None), _) | (_, Some(None)) => Page::only(None),
        (_, Some(Some(user))) => Page::only(with_login(&app, &user, &filter).await?),
        (_, None) => {
            let (limit, order) = (query.limit.unwrap_or_default().get(), query.order.map(Into::into));
            app.store.resellers(&filter, Paging { limit, position, order }).await?
        }
    };
    List::answer(&app, &scope, page, |reseller: &Reseller| ResellerView::from(reseller))
}

/// The reseller that `user` is a member of, unless the filter excludes it (rule B1).
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
async fn read_reseller(
    Input(_call, Found(reseller), ..): Input<Applicant, Found<Reseller>>,
) -> Result<Response, Problem> {
    ok(&ResellerView::from(&reseller))
}

/// The purchase to quote.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuoteQuery {
    /// The reference of the product.
    #[param(value_type = ProductReference)]
    product: String,
    /// The number of units; 1 if omitted.
    quantity: Option<Quantity>,
}

/// The price of a product for a reseller.
#[derive(Debug, Serialize, ToSchema)]
struct Quote {
    product: ProductReference,
    quantity: Quantity,
    tier: Tier,
    /// The price of one unit at the reseller's tier, in credits.
    unit_price: Credits,
    /// The price of all units, in credits.
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
    let reference = ProductReference::try_from(query.product).map_err(|_| Refusal::NotFound(ResourceKind::Product))?;
    let product = app.store.product(&reference).await?.ok_or(Refusal::NotFound(ResourceKind::Product))?;
    let quantity = query.quantity.unwrap_or(Quantity::ONE);
    let quoted = quote(&product, quantity, wallet.tier, &app.config.discounts)?;
    ok(&Quote { product: reference, quantity, tier: quoted.tier, unit_price: quoted.unit_price, cost: quoted.cost })
}
