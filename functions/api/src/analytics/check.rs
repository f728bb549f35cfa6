//! `check-figures`: recounts figures and reports the differences (rules A11, B13, C6).
//!
//! Invariant: it writes nothing. Only operators may call it, because it shows everybody's figures, and its cost grows
//! with what was created in the period.

use purser_domain::analytics::period::Period;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;

use super::recount::{PeriodQuery, RecountView};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(check_figures))
}

/// Recount figures and show the differences
///
/// A day and its hours are counted from the clients, resellers, licences and ledger entries that were created on it;
/// a month from the figures of its days, a year from those of its months, and all time from those of the years.
#[utoipa::path(
    get, path = "/v1/analytics/figures/check", tag = "analytics", params(PeriodQuery),
    responses((status = 200, body = RecountView), Refused<Forbidden>)
)]
async fn check_figures(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<PeriodQuery>>,
) -> Result<Response, Problem> {
    let period = query.period();
    let recount = app.store.recount(period, call.now).await?;
    let first_day = match period {
        Period::All => app.store.first_day().await?,
        _ => None,
    };
    let days = first_day.map(|first| (first, call.now.day()));
    ok(&RecountView::of(period, &recount, days))
}
