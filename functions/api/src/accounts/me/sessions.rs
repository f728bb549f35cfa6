//! The sessions and past sign-ins of the signed-in user.

use http::StatusCode;
use purser_domain::people::Sessions;
use purser_edge::caller::call::SignedIn;
use purser_edge::caller::input::PathId;
use purser_edge::http::answer::{List, position};
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::engine::{NoView, Page};
use purser_store::people::account::{Account, AccountChange};

use crate::accounts::view::{LoginView, SessionView};

type SessionList = List<SessionView>;
type LoginList = List<LoginView>;

/// List your own sessions, newest first
#[utoipa::path(
    get, path = "/v1/me/sessions", tag = "account", security(("session" = [])),
    responses((status = 200, body = SessionList))
)]
pub(super) async fn list_sessions(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    let found = app.store.sessions(&me.user).await?;
    let (sessions, seen) = found.ok_or(Refusal::SessionEnded)?;
    let lasting = sessions.lasting(&seen, app.config.accounts.sessions, me.request.now);
    let page = Page { items: lasting.cloned().collect::<Vec<_>>().into_iter().rev().collect(), position: None };
    List::answer(&app, "", page, |session| {
        let used = session.last_used(seen.get(&session.id));
        SessionView::of(session, used, session.id == me.session)
    })
}

/// End all your own sessions, including this one
#[utoipa::path(
    delete, path = "/v1/me/sessions", tag = "account", security(("session" = [])),
    responses((status = 204))
)]
pub(super) async fn end_sessions(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    let all = |sessions: Sessions| Ok(Sessions { sessions: Vec::new(), ..sessions });
    end(&app, &me, all).await
}

/// The id of a session, which may be anything: an unknown one is 404.
pub(super) struct SessionId(String);

impl PathId for SessionId {
    const WHAT: ResourceKind = ResourceKind::Session;
    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

/// End one of your own sessions
#[utoipa::path(
    delete, path = "/v1/me/sessions/{id}", tag = "account", security(("session" = [])),
    params(("id" = String, Path, description = "The id of the session.")),
    responses((status = 204))
)]
pub(super) async fn end_session(
    State(app): State<App>,
    Input(me, Named(SessionId(id)), ..): Input<SignedIn, Named<SessionId>>,
) -> Result<Response, Problem> {
    let one = |sessions: Sessions| {
        let known = sessions.sessions.iter().any(|session| session.id == id);
        let left = known.then(|| sessions.ending(&id));
        left.ok_or_else(|| Refusal::NotFound(ResourceKind::Session).into())
    };
    end(&app, &me, one).await
}

/// Replaces the user's sessions with those that `left` returns.
pub(crate) async fn end(
    app: &App,
    me: &SignedIn,
    left: impl Fn(Sessions) -> Result<Sessions, StoreError> + Send + Sync,
) -> Result<Response, Problem> {
    let end = |account: &Account| {
        let before = account.sessions.as_ref().map(Sessions::next);
        let left = before.map(&left).transpose()?;
        Ok(left.map(|sessions| AccountChange { sessions: Some(sessions), ..AccountChange::default() }))
    };
    app.store.change_own_account::<NoView>((&me.user, &me.session), &me.request, end).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// List your own sign-ins in the last 180 days, newest first
#[utoipa::path(
    get, path = "/v1/me/logins", tag = "account", security(("session" = [])), params(PageQuery),
    responses((status = 200, body = LoginList))
)]
pub(super) async fn list_own_logins(
    State(app): State<App>,
    Input(me, (), Params(query), ..): Input<SignedIn, (), Params<PageQuery>>,
) -> Result<Response, Problem> {
    let scope = me.cursor_scope();
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.logins(&me.user, limit, position).await?;
    List::answer(&app, &scope, page, |login| LoginView::from(login))
}
