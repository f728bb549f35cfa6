//! `rebuild-figures`: has figures that differ from a recount counted again (rules A11, B13, C6), and writes what lists
//! are searched by where it is missing.
//!
//! Invariant: it writes no figure. It stores anew what each differing thing adds, and marks an hour of each
//! difference as dirty, so that `rollup` counts it like any other hour. So a rebuild may run at any time, and twice.
//! The same holds for the rows that lists are searched by.

use purser_edge::http::answer::{ok, position};
use purser_edge::prelude::*;
use purser_store::parties::search_rows::Searched;

use super::recount::{PeriodQuery, RecountView};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(rebuild_figures)).routes(routes!(rebuild_search))
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

/// Which part of the search to write anew.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// What is searched for.
    #[param(inline)]
    of: Sought,
    /// The `next_cursor` of the previous answer; the first part if omitted.
    cursor: Option<String>,
}

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Sought {
    Clients,
    Resellers,
}

/// A part of the search that was written anew.
#[derive(Debug, Serialize, ToSchema)]
struct RebuiltSearch {
    /// How many clients or resellers can now be found that perhaps could not be.
    done: usize,
    /// The `cursor` of the next part; null after the last one.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Make clients or resellers from before lists could be searched found
///
/// Running this again changes nothing; `purser-operator migrate` runs it until all are found.
#[utoipa::path(
    post, path = "/v1/analytics/search/rebuild", tag = "analytics", params(SearchQuery),
    responses((status = 200, body = RebuiltSearch), Refused<Forbidden>)
)]
async fn rebuild_search(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<SearchQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&query.of);
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let of = match query.of {
        Sought::Clients => Searched::Clients,
        Sought::Resellers => Searched::Resellers,
    };
    let page = app.store.search_anew(of, position).await?;
    let next_cursor = page.position.map(|position| app.store.cursor(&scope, &position)).transpose()?;
    ok(&RebuiltSearch { done: page.items.len(), next_cursor })
}
