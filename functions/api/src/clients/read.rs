//! `read-clients`: clients and lists of them (rules A2, A5, A8).
//!
//! Invariant: a look-up costs one or two reads, a page one read of each partition; a reseller's list is made from
//! its own partition.

use crate::clients::view::ClientView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::basic::text::ClientId;
use purser_domain::parties::client::{Client, ClientStatus};
use purser_edge::caller::call::Listed;
use purser_edge::caller::input::Found;
use purser_edge::http::answer::{List, ok, position};
use purser_edge::http::extract::{Limit, Params};
use purser_edge::http::problem::refusals::{NotFound, Refused};
use purser_edge::{App, Call, Input, Problem};
use purser_store::engine::page::Page;
use purser_store::parties::client::ClientFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_clients)).routes(routes!(read_client))
}

/// The refid of no client.
const NOBODY: &str = "CL-0000000000000000";

/// Whether a client belongs to a reseller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Ownership {
    Standalone,
    Reselled,
}

/// Which clients.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClientQuery {
    /// Only clients in this status.
    status: Option<ClientStatus>,
    /// Only standalone or only resold clients.
    #[param(inline)]
    ownership: Option<Ownership>,
    /// Only clients of this reseller.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The client with this address, whatever its case.
    email: Option<String>,
    /// The client with this external id.
    client_id: Option<String>,
    /// Where to go on: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many, 25 unless given.
    limit: Option<Limit>,
}

impl ClientQuery {
    /// What the list is filtered by, whatever the page.
    fn filters(&self) -> impl Serialize {
        (self.status, self.ownership, &self.reseller, &self.email, &self.client_id)
    }
}

type ClientList = List<ClientView>;

/// List clients
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients", params(ClientQuery),
    responses((status = 200, body = ClientList), Refused<NotFound>)
)]
async fn list_clients(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<ClientQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&query.filters());
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let Listed::Of(reseller) = call.listed(query.reseller.as_deref())? else {
        return List::answer(&app, &scope, Page::only(None), view);
    };
    let filter = ClientFilter {
        reseller,
        status: query.status,
        resold: query.ownership.map(|ownership| ownership == Ownership::Reselled),
    };
    let page = if query.email.is_some() || query.client_id.is_some() {
        let found = look_up(&app, &query).await?;
        Page::only(found.filter(|client| filter.shows(client)))
    } else {
        app.store.clients(&filter, query.limit.unwrap_or_default().get(), position).await?
    };
    List::answer(&app, &scope, page, view)
}

fn view(client: &Client) -> ClientView {
    client.into()
}

/// The client with the address and external id that are asked for. Text that is neither belongs to no client.
async fn look_up(app: &App, query: &ClientQuery) -> Result<Option<Client>, Problem> {
    let by_email = match query.email.clone().map(EmailAddress::try_from) {
        Some(Ok(email)) => Some(app.store.client_by_email(&email).await?),
        Some(Err(_)) => Some(None),
        None => None,
    };
    let by_id = query
        .client_id
        .clone()
        .map(|text| ClientId::try_from(text).ok().map(|client_id| app.store.client_refid(&client_id)));
    let refid = match (by_email, by_id) {
        (Some(email), Some(id)) if email != id => None,
        (Some(found), _) | (None, Some(found)) => found,
        (None, None) => None,
    };
    if let Some(refid) = refid {
        return Ok(app.store.client(&refid).await?);
    }
    // An address that nobody has takes as many reads as one of somebody else's client.
    if let Some(nobody) = ClientRefid::parse(NOBODY) {
        app.store.client(&nobody).await?;
    }
    Ok(None)
}

/// Read a client
#[utoipa::path(
    get, path = "/v1/clients/{refid}", tag = "clients", params(("refid" = ClientRefid, Path)),
    responses((status = 200, body = ClientView))
)]
async fn read_client(Input(_call, Found(client), ..): Input<Call, Found<Client>>) -> Result<Response, Problem> {
    ok(&ClientView::from(&client))
}
