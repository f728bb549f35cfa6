//! `rebuild-figures`: has figures that differ from a recount counted again (rules A11, B13, C6).
//!
//! Invariant: it writes no figure. It stores anew what each differing thing adds, and marks an hour of each
//! difference as dirty, so that `rollup` counts it like any other hour. So a rebuild may run at any time, and twice.

use purser_edge::http::answer::ok;
use purser_edge::prelude::*;

use super::recount::{PeriodQuery, RecountView};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(rebuild_figures))
}

/// Recount figures and correct those that differ
///
/// The answer shows the differences, like a check. Two minutes later the figures are right.
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
    tracing::info!(period = period.label(), differing, "marked differing figures to be counted again");
    ok(&RecountView::of(period, &recount, None))
}
