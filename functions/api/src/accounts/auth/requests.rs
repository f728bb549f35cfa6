//! Requests that anybody may make for an address: to register, to get the confirmation again, to reset a password.
//!
//! Invariant: each is charged to the network address that it comes from, and is one put. Its answer is the same whether
//! or not the address is known.

use http::request::Parts;
use purser_domain::basic::{EmailAddress, Name};
use purser_domain::people::token::Asks;
use purser_domain::people::{GivenPassword, Password};
use purser_edge::caller::call::{Anybody, Connection};
use purser_edge::caller::captcha::{CaptchaBody, Form};
use purser_edge::caller::input::Subject;
use purser_edge::caller::passwords;
use purser_edge::http::json::{looked_up, object};
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_store::engine::Request;

use super::Received;

noted!(RegistrationOff = NotFound, ", if the deployment doesn't offer registration");

/// The account to register.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"email": "billing@acme.example", "name": "Ada Lovelace"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Register {
    email: EmailAddress,
    /// The user's name. If the address is confirmed by a link, the name is chosen there.
    name: Option<Name>,
    /// The password, if the deployment asks for no confirmation of the address. Otherwise it is chosen when the link
    /// is followed, and refused here.
    #[schema(value_type = Option<Password>)]
    password: Option<GivenPassword>,
    #[serde(default, deserialize_with = "object")]
    captcha: Option<CaptchaBody>,
}

/// Proof that the deployment offers registration. Otherwise the path answers 404, as if it did not exist.
pub(super) struct Registration;

impl<W: Sync> Subject<W> for Registration {
    async fn find(_: &W, _: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.config.accounts.registration.then_some(Self).ok_or_else(|| Problem::not_found("path"))
    }
}

/// Register an account
#[utoipa::path(
    post, path = "/v1/auth/register", tag = "accounts", request_body = Register,
    responses(
        (status = 202, body = Received),
        Refused<(RegistrationOff, WeakPassword, CaptchaFailed, TooManyAttempts)>,
    ),
    security(())
)]
pub(super) async fn register(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), _, (), Body(body)): Input<Anybody, Registration, (), Body<Register>>,
) -> Result<Response, Problem> {
    let confirms = app.config.accounts.confirm_address;
    let (email, name) = (body.email, body.name);
    let password = body.password.map(|given| app.new_password(given, &email, name.as_ref())).transpose()?;
    match &password {
        None if !confirms => return Err(Problem::invalid("/password", "is required")),
        Some(_) if confirms => {
            return Err(Problem::invalid("/password", "is chosen when the link in the e-mail is followed"));
        }
        _ => {}
    }
    app.admit_ask(Form::Register, body.captcha.as_ref(), &from, &request).await?;
    let password = match password {
        Some(password) => Some(passwords::hash(&password).await?),
        None => None,
    };
    let asks = Asks::Register { email, name, password };
    ask(&app, asks, &request).await
}

/// The address that the request is about.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"email": "billing@acme.example"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Address {
    #[serde(deserialize_with = "looked_up")]
    email: EmailAddress,
    #[serde(default, deserialize_with = "object")]
    captcha: Option<CaptchaBody>,
}

/// Ask for the confirmation link again
#[utoipa::path(
    post, path = "/v1/auth/resend-confirmation", tag = "accounts", request_body = Address,
    responses((status = 202, body = Received), Refused<(CaptchaFailed, TooManyAttempts)>),
    security(())
)]
pub(super) async fn resend_confirmation(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<Address>>,
) -> Result<Response, Problem> {
    app.admit_ask(Form::ResendConfirmation, body.captcha.as_ref(), &from, &request).await?;
    ask(&app, Asks::Resend { email: body.email }, &request).await
}

/// Ask for a link to set a new password
#[utoipa::path(
    post, path = "/v1/auth/forgot-password", tag = "accounts", request_body = Address,
    responses((status = 202, body = Received), Refused<(CaptchaFailed, TooManyAttempts)>),
    security(())
)]
pub(super) async fn forgot_password(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<Address>>,
) -> Result<Response, Problem> {
    app.admit_ask(Form::ForgotPassword, body.captcha.as_ref(), &from, &request).await?;
    ask(&app, Asks::Reset { email: body.email }, &request).await
}

async fn ask(app: &App, asks: Asks, request: &Request) -> Result<Response, Problem> {
    app.store.ask_for_link(asks, request).await?;
    Received::answer()
}
