//! `read-checkpoints`: the signed checkpoints of the ledger, to be kept where this deployment can't reach (rule B11).
//!
//! Invariant: operators alone read them, because they name every reseller; a part is shown as it was signed.

use crate::ledger::view::CheckpointPartView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::time::Day;
use purser_domain::money::checkpoint::Part;
use purser_edge::caller::input::Operator;
use purser_edge::http::answer::{List, position};
use purser_edge::http::extract::{Limit, Params};
use purser_edge::http::problem::refusals::{Forbidden, Refused};
use purser_edge::{App, Input, Problem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_checkpoints))
}

/// Which parts.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CheckpointQuery {
    /// Only parts of this day.
    date: Option<Day>,
    /// Where to go on: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many, 25 unless given.
    limit: Option<Limit>,
}

type CheckpointPartList = List<CheckpointPartView>;

/// List checkpoints, newest first
///
/// Each day has as many parts as its wallets need, numbered from 1; the last one says so.
#[utoipa::path(
    get, path = "/v1/checkpoints", tag = "ledger", params(CheckpointQuery),
    responses((status = 200, body = CheckpointPartList), Refused<Forbidden>)
)]
async fn list_checkpoints(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<CheckpointQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&query.date);
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.checkpoints(query.date, limit, position).await?;
    List::answer(&app, &scope, page, |part: &Part| CheckpointPartView::from(part))
}
