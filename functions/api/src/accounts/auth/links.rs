//! What the links in mails do: confirm an address, set a password.
//!
//! Invariant: a token works once, within its time; what is wrong with one that does not is not told. Nothing is hashed
//! for a token that is not good.

use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::people::given::GivenToken;
use purser_domain::people::password::{GivenPassword, Password};
use purser_domain::people::user::User;
use purser_edge::caller::call::Anybody;
use purser_edge::caller::passwords;
use purser_edge::http::answer;
use purser_edge::http::extract::Body;
use purser_edge::http::problem::refusals::{DuplicateEmail, InvalidToken, Refused, WeakPassword};
use purser_edge::{App, Input, Problem, noted};
use purser_store::engine::command::Request;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

noted!(AddressTaken = DuplicateEmail, ", when somebody else has the new address by now");

/// The token of a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ConfirmAddress {
    token: GivenToken,
}

/// That an address is confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// Always `confirmed`.
    status: &'static str,
}

/// Confirm an address
///
/// With the token of a mail: of a registration, whose password is valid from now on, or of a new address.
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

/// Confirms the address of whoever has this token.
pub async fn confirm(app: &App, request: &Request, token: &str) -> Result<User, Problem> {
    let confirmed = app.store.confirm(token, request).await;
    Ok(confirmed?)
}

/// The token of a link, and a new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ResetPassword {
    token: GivenToken,
    #[schema(value_type = Password)]
    password: GivenPassword,
}

/// That a password is set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reset {
    /// Always `reset`.
    status: &'static str,
    /// What the next sign-in from here shows as `device`: it waits for nothing that others did.
    device: String,
}

/// Set a password with the token of a mail
///
/// All sessions end.
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

/// Sets the password of whoever has this token.
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
