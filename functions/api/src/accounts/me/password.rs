//! Another password, another address.
//!
//! Invariant: each takes the present password. A new password ends every session but a new one in the place of this;
//! a new address counts once its owner has confirmed it.

use crate::accounts::view::SessionTokenView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::email::EmailAddress;
use purser_domain::people::password::{GivenPassword, Password};
use purser_domain::people::token::Asks;
use purser_edge::caller::call::{Connection, SignedIn};
use purser_edge::caller::passwords;
use purser_edge::http::answer;
use purser_edge::http::extract::Body;
use purser_edge::http::problem::refusals::{Refused, TooManyAttempts, WeakPassword, WrongPassword};
use purser_edge::{App, Input, Problem};
use purser_store::people::account::Account;
use serde::Deserialize;
use utoipa::ToSchema;

use super::proven;
use crate::accounts::auth::Received;

/// The present password and the one to have.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "password": "correct horse battery staple", "new_password": "four random common words, no less"
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ChangePassword {
    /// The present one.
    password: GivenPassword,
    /// The one to have.
    #[schema(value_type = Password)]
    new_password: GivenPassword,
}

/// Change the own password
///
/// All sessions end; the answer is a new one in the place of this.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "account", security(("session" = [])), request_body = ChangePassword,
    responses((status = 200, body = SessionTokenView), Refused<(WrongPassword, WeakPassword, TooManyAttempts)>)
)]
pub(super) async fn change_password(
    State(app): State<App>,
    from: Connection,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<ChangePassword>>,
) -> Result<Response, Problem> {
    let account = proven(&app, &me, &body.password).await?;
    let user = &account.user;
    let new = app
        .new_password(body.new_password, &user.email, Some(&user.name))
        .map_err(|problem| problem.renamed("/password", "/new_password"))?;
    let hash = passwords::hash(&new).await?;
    let now = me.request.now;
    let change = |account: &Account| Ok(account.credentials.with_password(hash.clone(), now));
    let change = app.store.change_credentials(
        &account,
        &me.session,
        (from.address.as_ref(), from.agent.as_ref()),
        app.config.accounts.sessions,
        &me.request,
        change,
    );
    answer::ok(&SessionTokenView::from(&change.await?))
}

/// Another address.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"email": "ada@acme.example", "password": "correct horse battery staple"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ChangeEmail {
    /// The address to have.
    email: EmailAddress,
    /// The present password.
    password: GivenPassword,
}

/// Change the own address
///
/// A link is mailed to the new address, and works once; then the old one is told.
#[utoipa::path(
    put, path = "/v1/me/email", tag = "account", security(("session" = [])), request_body = ChangeEmail,
    responses((status = 202, body = Received), Refused<(WrongPassword, TooManyAttempts)>)
)]
pub(super) async fn change_email(
    State(app): State<App>,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<ChangeEmail>>,
) -> Result<Response, Problem> {
    let account = proven(&app, &me, &body.password).await?;
    let asks = Asks::ChangeEmail { user: me.user, email: body.email, epoch: account.user.epoch };
    app.store.ask_for_link(asks, &me.request).await?;
    Received::answer()
}
