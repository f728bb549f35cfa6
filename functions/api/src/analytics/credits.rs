//! Figures of credits: distributed, spent and outstanding (rule B13).

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Kind, metric};
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;

use super::trend::{CreditTrendView, Subject, TrendQuery};
use super::{ScopeQuery, scope, trend};

/// Credits distributed and spent, by day, month or year
#[utoipa::path(
    get, path = "/v1/analytics/credits/trends", tag = "analytics", params(TrendQuery),
    responses(
        (status = 200, content(
            (CreditTrendView = "application/json"), (String = "text/csv"), (String = "image/svg+xml")
        )),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn trends(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<TrendQuery>>,
) -> Result<Response, Problem> {
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let subject = Subject {
        kind: Kind::Entry,
        title: "Credits distributed and spent",
        series: [(metric::DISTRIBUTED, "Distributed"), (metric::SPENT, "Spent")],
    };
    trend::answer::<CreditTrendView, 2>(&app, &accept, &scope, &query, &subject).await
}

/// The credits that can still be spent.
#[derive(Debug, Serialize, ToSchema)]
struct Outstanding {
    /// The sum of all balances, or the balance of one reseller.
    credits: i64,
}

/// Credits that were distributed and not spent: the sum of all balances
#[utoipa::path(
    get, path = "/v1/analytics/credits/outstanding", tag = "analytics", params(ScopeQuery),
    responses((status = 200, body = Outstanding), Refused<NotFound>)
)]
pub(super) async fn outstanding(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<ScopeQuery>>,
) -> Result<Response, Problem> {
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let figures = app.store.figures(Kind::Entry, &scope, [Period::All]).await?;
    ok(&Outstanding { credits: figures.sum(&[Period::All]).get(metric::OUTSTANDING) })
}
