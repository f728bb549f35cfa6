//! The links in e-mails: they confirm an address or set a password.
//!
//! Invariant: a token works once, and only until it expires; the refusal doesn't reveal why a token is invalid. No
//! password is hashed for an invalid token, so guessing tokens costs the deployment little.

use purser_domain::people::{GivenPassword, GivenToken, Password, User};
use purser_edge::caller::call::Anybody;
use purser_edge::caller::passwords;
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_store::engine::Request;

noted!(AddressTaken = DuplicateEmail, ", if another user has taken the new address meanwhile");

/// The token of a link that confirms an address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ConfirmAddress {
    token: GivenToken,
}

/// The confirmation of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// Always `confirmed`.
    status: &'static str,
}

/// Confirm an address
///
/// Takes the token from an e-mail about a registration, whose password becomes valid, or a change of address.
#[utoipa::path(
    post, path = "/v1/auth/confirm", tag = "accounts", request_body = ConfirmAddress,
    responses((status = 200, body = Confirmed), Refused<(AddressTaken, InvalidToken)>),
    security(())
)]
pub(super) async fn confirm_address(
    State(app): State<App>,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<ConfirmAddress>>,
) -> Result<Response, Problem> {
    confirm(&app, &request, body.token.as_str()).await?;
    answer::ok(&Confirmed { status: "confirmed" })
}

pub async fn confirm(app: &App, request: &Request, token: &str) -> Result<User, Problem> {
    let confirmed = app.store.confirm(token, request).await;
    Ok(confirmed?)
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
    answer::ok(&Reset { status: "reset", device: app.store.new_device(&user.refid)? })
}

pub async fn reset(app: &App, request: &Request, token: &str, password: GivenPassword) -> Result<User, Problem> {
    let user = app.store.user_of_token(token, request.now).await?;
    let password = app.new_password(password, &user.email, Some(&user.name))?;
    let hash = passwords::hash(&password).await?;
    let set = app.store.set_password(token, &hash, request).await;
    Ok(set.map_err(|error| match error {
        purser_store::StoreError::Refused(Refusal::NotFound(_)) => Refusal::InvalidToken.into(),
        error => error,
    })?)
}
