//! Logins that nobody needs any more: which they are, and how they go (rule D6).
//!
//! Invariant: nothing goes by itself. Whoever deletes says in which version, so a login that was used, confirmed or
//! bound since the list was read stays.

use crate::accounts::view::StaleUserView;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use purser_domain::basic::refid::UserRefid;
use purser_domain::people::user::User;
use purser_edge::caller::input::{Named, Operator};
use purser_edge::http::answer::{List, position};
use purser_edge::http::extract::{IfMatch, PageQuery, Params};
use purser_edge::http::problem::refusals::{Forbidden, Refused, UserInUse};
use purser_edge::{App, Input, Problem};

type StaleUserList = List<StaleUserView>;

/// List logins that nobody needs any more, newest first
///
/// Those that hold no role, are no customer's and were never confirmed, or not signed in to for long. Most logins are
/// none of them, so a page may be short or empty and still have one after it.
#[utoipa::path(
    get, path = "/v1/stale-users", tag = "users", params(PageQuery),
    responses((status = 200, body = StaleUserList), Refused<Forbidden>)
)]
pub(super) async fn list_stale_users(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator, (), Params<PageQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&());
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or_default().get();
    let (rule, now) = (&app.config.accounts.clean_up, app.clock.now());
    let page = app.store.stale_users(rule, limit, position, now).await?;
    List::answer(&app, &scope, page, |(user, stale)| StaleUserView::of(user, stale))
}

/// Delete a login that holds no role
#[utoipa::path(
    delete, path = "/v1/users/{refid}", tag = "users",
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Only if this is its ETag."),
    ),
    responses((status = 204), Refused<(Forbidden, UserInUse)>)
)]
pub(super) async fn delete_user(
    State(app): State<App>,
    Input(call, Named(refid), version, ..): Input<Operator, Named<UserRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let must = |user: &User| version.must_hold(user.version);
    app.store.delete_user(&refid, must, &call.request()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
