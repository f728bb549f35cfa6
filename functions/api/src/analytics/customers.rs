//! Customers: who holds most (rule D5).

use axum::extract::State;
use axum::response::Response;
use purser_charts::columns;
use purser_domain::analytics::metric::Ranking;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::basic::text::Name;
use purser_edge::http::extract::{Limit, Params};
use purser_edge::http::negotiation::Accept;
use purser_edge::http::problem::refusals::{NotAcceptable, NotFound, Refused};
use purser_edge::{App, Call, Input, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ranking, scope};

/// By what, and how many.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CustomersQuery {
    /// By what they are ranked; licences unless given.
    #[param(inline)]
    by: Option<Ranking>,
    /// Only what this reseller sold; for a reseller always what it sold itself.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// How many, 25 unless given.
    limit: Option<Limit>,
}

/// Customers, the one that holds most first.
#[derive(Debug, Serialize, ToSchema)]
struct TopCustomers {
    data: Vec<TopCustomer>,
}

/// A customer and what it holds.
#[derive(Debug, Serialize, ToSchema)]
struct TopCustomer {
    client: ClientRefid,
    /// Its name; null when it is deleted, or another reseller's by now.
    #[schema(required = true)]
    name: Option<Name>,
    /// Licences it holds that were not revoked.
    licences: u64,
    /// Different products of those.
    products: u64,
}

columns!(TopCustomer: client, name, licences, products);

/// Customers by the licences they hold, or by the products of those
#[utoipa::path(
    get, path = "/v1/analytics/customers/top", tag = "analytics", params(CustomersQuery),
    responses(
        (status = 200, content((TopCustomers = "application/json"), (String = "text/csv"))),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn top_customers(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<CustomersQuery>>,
) -> Result<Response, Problem> {
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let by = query.by.unwrap_or(Ranking::Licences);
    let limit = query.limit.unwrap_or_default().get();
    let top = app.store.top_clients(by, scope.reseller(), limit).await?;
    let refids: Vec<ClientRefid> = top.iter().map(|(client, _)| client.clone()).collect();
    let mut known = app.store.clients_named(&refids).await?;
    let data: Vec<TopCustomer> = top
        .into_iter()
        .map(|(client, counts)| {
            let known = known.remove(&client).filter(|it| call.may_reach(it));
            TopCustomer {
                client,
                name: known.map(|it| it.name),
                licences: Ranking::Licences.of(&counts),
                products: Ranking::Products.of(&counts),
            }
        })
        .collect();
    ranking::answer(&accept, &data)
}
