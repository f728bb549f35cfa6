//! `read-checkpoints`: lists the signed checkpoints of the ledger, which operators save outside the reach of this
//! deployment (rule B11).
//!
//! Invariant: only operators read checkpoints, because they name every reseller; each part is shown exactly as it was
//! signed.

use purser_domain::basic::Day;
use purser_domain::money::checkpoint::Part;
use purser_edge::http::answer::{List, position};
use purser_edge::prelude::*;

use crate::ledger::view::CheckpointPartView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_checkpoints))
}

/// Filter and paging of the list of checkpoint parts.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CheckpointQuery {
    /// Only parts of this day's checkpoint.
    date: Option<Day>,
    /// The `next_cursor` of the previous page; the first page if omitted.
    cursor: Option<String>,
    /// The maximum number of items on the page; 25 if omitted.
    limit: Option<Limit>,
}

type CheckpointPartList = List<CheckpointPartView>;

/// List checkpoints, newest first
///
/// A day's checkpoint has as many parts as its wallets need, numbered from 1; the last part is marked with `last`.
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
