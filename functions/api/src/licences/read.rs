//! `read-licences`: reads one licence, and lists licences (rule C6).
//!
//! Invariant: a reseller sees the licences that it sold, and no others. No key is opened.

use purser_domain::basic::{ClientRefid, LicenceRefid, ResellerRefid, Time};
use purser_domain::licences::{ProductReference, ShownStatus};
use purser_edge::caller::call::Listed;
use purser_edge::http::answer::{List, ok, position};
use purser_edge::prelude::*;
use purser_store::engine::{Page, Paging};
use purser_store::licences::licence::{LicenceFilter, ShownLicence};

use crate::licences::view::LicenceView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_licences)).routes(routes!(read_licence))
}

/// Filters and paging of the list of licences.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LicenceQuery {
    /// Only licences of this client.
    #[param(value_type = Option<ClientRefid>)]
    client: Option<String>,
    /// Only licences that this reseller sold.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// Only licences of this product.
    #[param(value_type = Option<ProductReference>)]
    product: Option<String>,
    /// Only licences with this status.
    status: Option<ShownStatus>,
    /// Only licences that expire, or have expired, before this time.
    expiring_before: Option<Time>,
    /// The order by time of creation: `desc`, newest first, if omitted.
    #[param(inline)]
    order: Option<Order>,
    /// The `next_cursor` of the previous page; the first page if omitted.
    cursor: Option<String>,
    /// The maximum number of items on the page; 25 if omitted. A page of a filtered list may have fewer, although
    /// there is a next one.
    limit: Option<Limit>,
}

type LicenceList = List<LicenceView>;

/// List licences
#[utoipa::path(
    get, path = "/v1/licences", tag = "licences", params(LicenceQuery),
    responses((status = 200, body = LicenceList), Refused<NotFound>)
)]
async fn list_licences(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<LicenceQuery>>,
) -> Result<Response, Problem> {
    let filters = (&query.client, &query.reseller, &query.product, query.status, query.expiring_before, query.order);
    let scope = call.cursor_scope(&filters);
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let shape = |licence: &ShownLicence| LicenceView::from(licence);
    let Some(filter) = filter(&app, &call, &query).await? else {
        return List::answer(&app, &scope, Page::only(None), shape);
    };
    let paging = Paging { limit: query.limit.unwrap_or_default().get(), position, order: query.order.map(Into::into) };
    List::answer(&app, &scope, app.store.licences(&filter, paging, call.now).await?, shape)
}

/// Which licences a query asks for; `None` if it names what nothing can be named. A client that is not the caller's is
/// looked up and nothing more, so that the work tells nobody that there is one (rule A8).
async fn filter(app: &App, call: &Call, query: &LicenceQuery) -> Result<Option<LicenceFilter>, Problem> {
    let Listed::Of(reseller) = call.listed(query.reseller.as_deref())? else { return Ok(None) };
    let client = query.client.as_deref().map(ClientRefid::parse);
    let product = query.product.clone().map(|text| ProductReference::try_from(text).ok());
    if client == Some(None) || product == Some(None) {
        return Ok(None);
    }
    if let (Some(Some(client)), Some(own)) = (&client, call.caller.role.reseller())
        && app.store.client_particulars(client, Some(own)).await?.is_none()
    {
        return Ok(None);
    }
    Ok(Some(LicenceFilter {
        client: client.flatten(),
        reseller,
        product: product.flatten(),
        status: query.status,
        expiring_before: query.expiring_before,
    }))
}

/// Read a licence
#[utoipa::path(
    get, path = "/v1/licences/{refid}", tag = "licences", params(("refid" = LicenceRefid, Path)),
    responses((status = 200, body = LicenceView))
)]
async fn read_licence(
    State(app): State<App>,
    Input(call, Named(refid), ..): Input<Call, Named<LicenceRefid>>,
) -> Result<Response, Problem> {
    let found = app.store.licence_today(&refid, call.caller.role.reseller(), call.now).await?;
    let (shown, refused) = found.ok_or(Refusal::NotFound(ResourceKind::Licence))?;
    ok(&LicenceView::with_refused(&shown, refused))
}
