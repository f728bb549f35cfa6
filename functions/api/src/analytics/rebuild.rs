//! `rebuild-figures`: has figures counted again that differ from what they are made of (rules A11, B13, C6).
//!
//! Invariant: it writes no figure. It keeps anew what each thing adds, and marks its hour; `rollup` counts that as it
//! counts anything, so a rebuild may run at any time, and twice.

use axum::extract::State;
use axum::response::Response;
use purser_edge::caller::input::Operator;
use purser_edge::http::answer::ok;
use purser_edge::http::extract::Params;
use purser_edge::http::problem::refusals::{Forbidden, Refused};
use purser_edge::{App, Input, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::recount::{PeriodQuery, RecountView};

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(rebuild_figures))
}

/// Have figures that differ counted again
///
/// The answer says what differs, as a check does; two minutes later it is right.
#[utoipa::path(
    post, path = "/v1/analytics/figures/rebuild", tag = "analytics", params(PeriodQuery),
    responses((status = 200, body = RecountView), Refused<Forbidden>)
)]
async fn rebuild_figures(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<PeriodQuery>>,
) -> Result<Response, Problem> {
    let period = query.period();
    let recount = app.store.recount(period, call.now).await?;
    let differing = recount.differences.len();
    app.store.rebuild(&recount.differences, call.now).await?;
    tracing::info!(period = period.label(), differing, "had figures counted again");
    ok(&RecountView::of(period, &recount, None))
}
