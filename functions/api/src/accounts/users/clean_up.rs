//! Users that nobody seems to need any more: listing them, and deleting users (rule D6).
//!
//! Invariant: no user is deleted automatically. A deletion can name the version that was listed, so a user that has
//! signed in, confirmed or been bound since then stays.

use http::StatusCode;
use purser_domain::basic::UserRefid;
use purser_domain::people::User;
use purser_edge::http::answer::{List, position};
use purser_edge::prelude::*;

use crate::accounts::view::StaleUserView;

type StaleUserList = List<StaleUserView>;

/// List users that nobody seems to need any more, newest first
///
/// Lists users who hold no role, are bound to no client, and either never confirmed their address or last signed in
/// long ago. Few users qualify, so a page may be short or empty although another one follows.
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

/// Delete a user that holds no role
#[utoipa::path(
    delete, path = "/v1/users/{refid}", tag = "users",
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Delete only if this is the current ETag."),
    ),
    responses((status = 204), Refused<(Forbidden, UserInUse)>)
)]
pub(super) async fn delete_user(
    State(app): State<App>,
    Input(call, Named(refid), version, ..): Input<Operator<Admin>, Named<UserRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let must = |user: &User| version.must_hold(user.version);
    app.store.delete_user(&refid, must, &call.request()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
