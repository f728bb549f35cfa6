//! `read-clients`: reads one client, and lists clients (rules A2, A5, A8).
//!
//! Invariant: a look-up costs one or two reads, and a page a bounded number of queries, however many clients there are.
//! A reseller's list is read from that reseller's own partition, and so is what a reseller searches for.

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, ResellerRefid, Time, as_stored};
use purser_domain::parties::{Client, ClientStatus, Search};
use purser_edge::caller::call::Listed;
use purser_edge::http::answer::{List, ok, position};
use purser_edge::prelude::*;
use purser_store::engine::{Created, Page, Paging};
use purser_store::parties::client::ClientFilter;

use crate::clients::view::{ClientView, seen_by};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_clients)).routes(routes!(read_client))
}

/// A well-formed refid that belongs to no client.
const NOBODY: &str = "CL-0000000000000000";

/// Whether a client belongs to a reseller (`reselled`) or to none (`standalone`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Ownership {
    Standalone,
    Reselled,
}

/// Filters and paging of the list of clients.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClientQuery {
    /// Only clients with this status.
    status: Option<ClientStatus>,
    /// Only standalone clients, or only clients of resellers.
    #[param(inline)]
    ownership: Option<Ownership>,
    /// Only clients of this reseller.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// Only the client with this e-mail address, ignoring case.
    email: Option<String>,
    /// Only the client with this `client_id`.
    client_id: Option<String>,
    /// Only clients that are found by this text.
    #[param(inline)]
    q: Option<Search>,
    /// Only clients that were created at this time or later.
    created_after: Option<Time>,
    /// Only clients that were created before this time.
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

impl ClientQuery {
    /// The scope of a cursor in the list that these filters describe; `cursor` and `limit` are not among them.
    fn scope(&self, call: &Call) -> String {
        let filters = (self.status, self.ownership, &self.reseller, &self.email, &self.client_id);
        match (&self.q, self.created_after, self.created_before, self.order) {
            // A cursor from before there were more filters works on.
            (None, None, None, None) => call.cursor_scope(&filters),
            more => call.cursor_scope(&(filters, more)),
        }
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
    let scope = query.scope(&call);
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let Listed::Of(reseller) = call.listed(query.reseller.as_deref())? else {
        return List::answer(&app, &scope, Page::only(None), |client: &Client| ClientView::from(client));
    };
    let filter = ClientFilter {
        reseller,
        status: query.status,
        resold: query.ownership.map(|ownership| ownership == Ownership::Reselled),
        created: Created { after: query.created_after, before: query.created_before },
        search: query.q.clone(),
    };
    let page = if query.email.is_some() || query.client_id.is_some() {
        let found = look_up(&app, &query, call.caller.role.reseller()).await?;
        Page::only(found.filter(|client| filter.shows(client)))
    } else {
        let (limit, order) = (query.limit.unwrap_or_default().get(), query.order.map(Into::into));
        app.store.clients(&filter, Paging { limit, position, order }).await?
    };
    seen_by!(call, ClientView as Seen => List::answer(&app, &scope, page, |client: &Client| Seen::from(client)))
}

/// The client that has the requested address and `client_id`, if it belongs to `owner`, where one is given. Text that
/// is not a valid address or id matches no client.
async fn look_up(app: &App, query: &ClientQuery, owner: Option<&ResellerRefid>) -> Result<Option<Client>, Problem> {
    let refid = match query.email.clone().map(|text| as_stored(|| EmailAddress::try_from(text))) {
        Some(Ok(email)) => Some(app.store.client_by_email(&email).await?),
        Some(Err(_)) => Some(None),
        None => None,
    };
    if let Some(text) = query.client_id.clone() {
        let client_id = as_stored(|| ClientId::try_from(text)).ok();
        let found = match client_id {
            Some(client_id) => app.store.client_by_id(&client_id, owner).await?,
            None => None,
        };
        return Ok(found.filter(|client| refid.as_ref().is_none_or(|refid| refid.as_ref() == Some(&client.refid))));
    }
    if let Some(Some(refid)) = refid {
        return Ok(app.store.client_of(&refid, owner).await?);
    }
    // Without this read, the number of reads would tell a caller whether the address belongs to another reseller's
    // client or to no client.
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
async fn read_client(Input(call, Found(client), ..): Input<Call, Found<Client>>) -> Result<Response, Problem> {
    seen_by!(call, ClientView as Seen => ok(&Seen::from(&client)))
}
