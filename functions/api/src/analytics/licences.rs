//! Licences: minted, and of which products (SPEC C6).

use axum::extract::State;
use axum::response::Response;
use purser_domain::analytics::{Kind, metric};
use purser_edge::extract::Params;
use purser_edge::negotiation::Accept;
use purser_edge::shapes::ProductReferenceShape;
use purser_edge::table::Cell;
use purser_edge::trend::Series;
use purser_edge::{App, Call, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::ranking::{self, TopQuery};
use super::trend::{self, TrendQuery, TrendShape};
use super::{count, scope};

/// Licences by day, month or year of their minting
#[utoipa::path(
    get, path = "/v1/analytics/licences/minted", tag = "analytics", params(TrendQuery),
    responses(
        (status = 200, content(
            (TrendShape = "application/json"), (String = "text/csv"), (String = "image/svg+xml")
        )),
        (status = 404, description = "`not_found`"),
        (status = 406, description = "`not_acceptable`"),
    )
)]
pub(super) async fn minted(
    State(app): State<App>,
    call: Call,
    accept: Accept,
    query: Result<Params<TrendQuery>, Problem>,
) -> Result<Response, Problem> {
    let Params(query) = query?;
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let read = trend::read(&app, (Kind::Licence, &scope), &query, [metric::MINTED]).await?;
    let series = [Series {
        column: "value",
        label: "Licences",
    }];
    trend::answer(&accept, read, "Licences minted", series, TrendShape::from)
}

/// Products, the one of most licences first.
#[derive(Debug, Serialize, ToSchema)]
struct Popularity {
    data: Vec<PopularProduct>,
}

/// A product and its licences.
#[derive(Debug, Serialize, ToSchema)]
struct PopularProduct {
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    /// Its licences that were minted in the range and not revoked.
    licences: u64,
}

/// Products by how many licences of them were minted in the range and not revoked
#[utoipa::path(
    get, path = "/v1/analytics/licences/popularity", tag = "analytics", params(TopQuery),
    responses(
        (status = 200, content((Popularity = "application/json"), (String = "text/csv"))),
        (status = 404, description = "`not_found`"),
        (status = 406, description = "`not_acceptable`"),
    )
)]
pub(super) async fn popularity(
    State(app): State<App>,
    call: Call,
    accept: Accept,
    query: Result<Params<TopQuery>, Problem>,
) -> Result<Response, Problem> {
    let Params(query) = query?;
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let periods = query.periods(&app)?;
    let figures = app.store.figures(Kind::Licence, &scope, periods.clone());
    let counts = figures.await?.sum(&periods);
    let mut data: Vec<PopularProduct> = counts
        .by(metric::OF_PRODUCT)
        .map(|(product, licences)| PopularProduct {
            product: product.to_owned(),
            licences: count(licences),
        })
        .collect();
    data.sort_by(|a, b| {
        b.licences
            .cmp(&a.licences)
            .then_with(|| a.product.cmp(&b.product))
    });
    data.truncate(query.limit.unwrap_or_default().get());
    ranking::answer(&accept, &["product", "licences"], &data, |it| {
        vec![Cell::Text(&it.product), ranking::figure(it.licences)]
    })
}
