//! The links in e-mails: they confirm an address or set a password.
//!
//! Invariant: a token works once, and only until it expires; the refusal doesn't reveal why a token is invalid. No
//! password is hashed for an invalid token, so guessing tokens costs the deployment little.

use purser_domain::basic::Name;
use purser_domain::people::{GivenPassword, GivenToken, Password, Purpose, User};
use purser_edge::caller::call::Anybody;
use purser_edge::caller::passwords;
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_store::engine::Request;
use purser_store::people::sign_in::Place;

use crate::accounts::me::proof::proven;

noted!(AddressTaken = DuplicateEmail, ", if another user has taken the new address meanwhile");

/// The token of a link that confirms an address, and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "sTsvS4WZkT8S3tv3mPzWyvNCTUhWSG4FJrd1IzKl6Xw", "password": "a quiet harbour at dusk"
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ConfirmAddress {
    token: GivenToken,
    /// For a registration, the password that the account gets. For a change of address, the password that it has.
    #[schema(value_type = Password)]
    password: GivenPassword,
    /// For a registration, the user's name. Without it, the name is what stands before the `@` of the address.
    name: Option<Name>,
}

/// The confirmation of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// Always `confirmed`.
    status: &'static str,
}

/// Confirm an address
///
/// Takes the token from an e-mail about a registration or a change of address. Whatever was set in a registered account
/// before, other than by an operator or a reseller, ends. All sessions of the user end.
#[utoipa::path(
    post, path = "/v1/auth/confirm", tag = "accounts", request_body = ConfirmAddress,
    responses(
        (status = 200, body = Confirmed),
        Refused<(AddressTaken, InvalidToken, WeakPassword, WrongPassword, TooManyAttempts)>,
    ),
    security(())
)]
pub(super) async fn confirm_address(
    State(app): State<App>,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<ConfirmAddress>>,
) -> Result<Response, Problem> {
    confirm(&app, &request, body.token.as_str(), body.password, body.name).await?;
    answer::ok(&Confirmed { status: "confirmed" })
}

pub async fn confirm(
    app: &App,
    request: &Request,
    token: &str,
    password: GivenPassword,
    name: Option<Name>,
) -> Result<User, Problem> {
    match app.store.user_of_token(token, request.now).await? {
        (Purpose::Confirm {}, user) => choose(app, request, token, (&user, password, name)).await,
        (Purpose::ChangeEmail { .. }, user) => {
            if name.is_some() {
                return Err(Problem::invalid("/name", "must be left out when an address is changed"));
            }
            // Wrong passwords are counted for the link, as they are for a session.
            proven(app, &user.refid, Place::Link(token), &password, request).await?;
            Ok(app.store.change_address(token, request).await?)
        }
        (Purpose::Reset | Purpose::SetPassword, _) => Err(Refusal::InvalidToken.into()),
    }
}

/// The token of a link that sets a password, and the new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ResetPassword {
    token: GivenToken,
    #[schema(value_type = Password)]
    password: GivenPassword,
}

/// The result of setting a password.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reset {
    /// Always `reset`.
    status: &'static str,
    /// The value to send as `device` with the next sign-in from here. With it, failed attempts by others don't make
    /// the user wait.
    device: String,
}

/// Set a password with the token of an e-mail
///
/// All sessions of the user end.
#[utoipa::path(
    post, path = "/v1/auth/reset-password", tag = "accounts", request_body = ResetPassword,
    responses((status = 200, body = Reset), Refused<(InvalidToken, WeakPassword)>),
    security(())
)]
pub(super) async fn reset_password(
    State(app): State<App>,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<ResetPassword>>,
) -> Result<Response, Problem> {
    let user = reset(&app, &request, body.token.as_str(), body.password).await?;
    answer::ok(&Reset { status: "reset", device: app.store.new_device(&user, request.now)? })
}

pub async fn reset(app: &App, request: &Request, token: &str, password: GivenPassword) -> Result<User, Problem> {
    match app.store.user_of_token(token, request.now).await? {
        (Purpose::Reset | Purpose::SetPassword, user) => choose(app, request, token, (&user, password, None)).await,
        (Purpose::Confirm {} | Purpose::ChangeEmail { .. }, _) => Err(Refusal::InvalidToken.into()),
    }
}

/// Gives the user of a token the password, and a name if the link confirms a registration.
async fn choose(
    app: &App,
    request: &Request,
    token: &str,
    (user, password, name): (&User, GivenPassword, Option<Name>),
) -> Result<User, Problem> {
    let password = app.new_password(password, &user.email, Some(name.as_ref().unwrap_or(&user.name)))?;
    let hash = passwords::hash(&password).await?;
    let set = app.store.set_password(token, &hash, name.as_ref(), request).await;
    Ok(set.map_err(|error| match error {
        purser_store::StoreError::Refused(Refusal::NotFound(_)) => Refusal::InvalidToken.into(),
        error => error,
    })?)
}
