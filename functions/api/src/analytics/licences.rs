//! Figures of licences: minted over time, and by product (rule C6).

use purser_charts::columns;
use purser_domain::analytics::period::Interval;
use purser_domain::analytics::{Kind, Scope, metric};
use purser_domain::basic::{ClientRefid, Day, ResellerRefid};
use purser_domain::licences::ProductReference;
use purser_edge::prelude::*;

use super::ranking::{self, TopQuery};
use super::trend::{Subject, TrendQuery, TrendView};
use super::{count, scope, trend};

/// Which buckets to show, and whose licences.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MintedQuery {
    /// The length of a bucket; monthly by default. A trend has at most 1,096 daily, 120 monthly or 100 yearly
    /// buckets.
    interval: Option<Interval>,
    /// The first day. By default, the trend shows the last 30 days, 12 months or 5 years.
    start: Option<Day>,
    /// The last day; today by default. A bucket that lies only partly in the range counts only the part inside.
    end: Option<Day>,
    /// Count only licences that this reseller sold. When a reseller calls, only its own sales are counted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// Count only licences of this client.
    #[param(value_type = Option<ClientRefid>)]
    client: Option<String>,
}

/// Which days and whose licences to count, and how many products to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PopularityQuery {
    /// The first day. Without `start` and `end`, the range is all time; with either, it is at most ten years.
    start: Option<Day>,
    /// The last day; today by default.
    end: Option<Day>,
    /// Count only licences that this reseller sold. When a reseller calls, only its own sales are counted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// Count only licences of this client.
    #[param(value_type = Option<ClientRefid>)]
    client: Option<String>,
    /// How many products to list; 25 by default.
    limit: Option<Limit>,
}

/// The scope of a query, narrowed to one client if it names one. 404 if the caller may not see that client.
async fn scope_of(app: &App, call: &Call, reseller: Option<&str>, client: Option<&str>) -> Result<Scope, Problem> {
    let scope = scope(app, call, reseller).await?;
    let Some(client) = client else {
        return Ok(scope);
    };
    let refid = ClientRefid::parse(client).ok_or(Refusal::NotFound(ResourceKind::Client))?;
    let client = call.client(app, &refid).await?;
    Ok(Scope::Client(scope.reseller().cloned(), client.refid))
}

/// Licences by the day, month or year in which they were minted
#[utoipa::path(
    get, path = "/v1/analytics/licences/minted", tag = "analytics", params(MintedQuery),
    responses(
        (status = 200, content(
            (TrendView = "application/json"), (String = "text/csv"), (String = "image/svg+xml")
        )),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn minted(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<MintedQuery>>,
) -> Result<Response, Problem> {
    let MintedQuery { interval, start, end, reseller, client } = query;
    let scope = scope_of(&app, &call, reseller.as_deref(), client.as_deref()).await?;
    let query = TrendQuery { interval, start, end, reseller };
    let subject = Subject { kind: Kind::Licence, title: "Licences minted", series: [(metric::MINTED, "Licences")] };
    trend::answer::<TrendView, 1>(&app, &accept, &scope, &query, &subject).await
}

/// Products, the one with most licences first.
#[derive(Debug, Serialize, ToSchema)]
struct Popularity {
    data: Vec<PopularProduct>,
}

/// A product and the number of its licences.
#[derive(Debug, Serialize, ToSchema)]
struct PopularProduct {
    #[schema(value_type = ProductReference)]
    product: String,
    /// How many licences of the product were minted in the range and not revoked.
    licences: u64,
}

columns!(PopularProduct: product, licences);

/// Products by how many of their licences were minted in the range and not revoked
#[utoipa::path(
    get, path = "/v1/analytics/licences/popularity", tag = "analytics", params(PopularityQuery),
    responses(
        (status = 200, content((Popularity = "application/json"), (String = "text/csv"))),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn popularity(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<PopularityQuery>>,
) -> Result<Response, Problem> {
    let PopularityQuery { start, end, reseller, client, limit } = query;
    let scope = scope_of(&app, &call, reseller.as_deref(), client.as_deref()).await?;
    let query = TopQuery { start, end, reseller, limit };
    let periods = query.periods(&app)?;
    let figures = app.store.figures(Kind::Licence, &scope, periods.clone());
    let counts = figures.await?.sum(&periods);
    let mut data: Vec<PopularProduct> = counts
        .by(metric::OF_PRODUCT)
        .map(|(product, licences)| PopularProduct { product: product.to_owned(), licences: count(licences) })
        .collect();
    data.sort_by(|a, b| b.licences.cmp(&a.licences).then_with(|| a.product.cmp(&b.product)));
    data.truncate(query.limit.unwrap_or_default().get());
    ranking::answer(&accept, &data)
}
