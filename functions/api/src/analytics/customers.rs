//! Rankings of customers, by what they hold (rule D5). A customer is a client; the API calls it a customer here.

use purser_charts::columns;
use purser_domain::analytics::metric::Ranking;
use purser_domain::basic::{ClientRefid, Name, ResellerRefid};
use purser_edge::prelude::*;

use super::{ranking, scope};

/// How to rank customers, and how many to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CustomersQuery {
    /// What customers are ranked by; licences by default.
    #[param(inline)]
    by: Option<Ranking>,
    /// Count only licences that this reseller sold. When a reseller calls, only its own sales are counted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// How many to list; 25 by default.
    limit: Option<Limit>,
}

/// Customers, the one that holds most first.
#[derive(Debug, Serialize, ToSchema)]
struct TopCustomers {
    data: Vec<TopCustomer>,
}

/// A customer, with the licences and products it holds.
#[derive(Debug, Serialize, ToSchema)]
struct TopCustomer {
    client: ClientRefid,
    /// The customer's name; null if it has been deleted, or now belongs to another reseller.
    #[schema(required = true)]
    name: Option<Name>,
    /// How many licences the customer holds that were not revoked.
    licences: u64,
    /// How many different products those licences are for.
    products: u64,
}

columns!(TopCustomer: client, name, licences, products);

/// Customers by the number of licences or products that they hold
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
