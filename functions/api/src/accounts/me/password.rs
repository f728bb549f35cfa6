//! Changing the password and the e-mail address.
//!
//! Invariant: both require the current password, and a code of the second factor, if there is one. A new password ends
//! all sessions and begins a new one in place of the current one. A new e-mail address takes effect when its owner
//! confirms it; that also ends all sessions.

use purser_domain::basic::EmailAddress;
use purser_domain::people::token::Asks;
use purser_domain::people::{GivenCode, GivenPassword, Password};
use purser_edge::caller::call::{Connection, SignedIn};
use purser_edge::caller::passwords;
use purser_edge::http::problem::Guesses;
use purser_edge::prelude::*;
use purser_store::people::account::Account;

use super::proof::wholly_proven;
use crate::accounts::auth::Received;
use crate::accounts::view::SessionTokenView;

/// The current password and the new one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "password": "a quiet harbour at dusk", "new_password": "a loud harbour at dawn"
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ChangePassword {
    /// The current password.
    password: GivenPassword,
    /// The new password.
    #[schema(value_type = Password)]
    new_password: GivenPassword,
    /// A code of the second factor, required if you have one.
    code: Option<GivenCode>,
}

/// Change your own password
///
/// All sessions end. The answer is a new session that replaces the current one.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "account", security(("session" = [])), request_body = ChangePassword,
    responses(
        (status = 200, body = SessionTokenView),
        Refused<(WrongPassword, InvalidCode, WeakPassword, TooManyAttempts)>,
    )
)]
pub(super) async fn change_password(
    State(app): State<App>,
    from: Connection,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<ChangePassword>>,
) -> Result<Response, Problem> {
    let account = wholly_proven(&app, &me, &body.password, body.code.as_ref()).await?;
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

/// The new address, and the current password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"email": "ada@acme.example", "password": "a quiet harbour at dusk"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ChangeEmail {
    /// The new address.
    email: EmailAddress,
    /// The current password.
    password: GivenPassword,
    /// A code of the second factor, required if you have one.
    code: Option<GivenCode>,
}

/// Change your own address
///
/// Sends the new address a link that works once, and tells the old one that somebody asked. When the link is followed,
/// the address changes, all sessions end, and the old address is told again.
#[utoipa::path(
    put, path = "/v1/me/email", tag = "account", security(("session" = [])), request_body = ChangeEmail,
    responses((status = 202, body = Received), Refused<(WrongPassword, InvalidCode, TooManyAttempts)>)
)]
pub(super) async fn change_email(
    State(app): State<App>,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<ChangeEmail>>,
) -> Result<Response, Problem> {
    let account = wholly_proven(&app, &me, &body.password, body.code.as_ref()).await?;
    let asks = Asks::ChangeEmail { user: me.user, email: body.email, epoch: account.user.epoch };
    app.store.ask_for_link(asks, &me.request).await?;
    let mut received = Received::answer()?;
    // It may cause an e-mail to a stranger, so it is charged like a guess.
    received.extensions_mut().insert(Guesses(1));
    Ok(received)
}
