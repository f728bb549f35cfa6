//! Signing in and out.
//!
//! Invariant: a sign-in takes one run of Argon2id and three round trips, whether or not the address is known. Every
//! session gets a new token; a caller can't choose it, which prevents session fixation.

use purser_domain::basic::EmailAddress;
use purser_domain::people::{GivenCode, GivenDevice, GivenPassword};
use purser_edge::caller::call::{Anybody, Connection, SignedIn};
use purser_edge::caller::captcha::{CaptchaBody, Form};
use purser_edge::caller::passwords::{self, Checked};
use purser_edge::http::json::{looked_up, object};
use purser_edge::prelude::*;
use purser_edge::process::metrics::Metric;
use purser_store::StoreError;
use purser_store::people::sign_in::{Proof, SignIn};

use crate::accounts::me::sessions;
use crate::accounts::view::SessionTokenView;

/// The credentials of a sign-in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SignIn, example = json!({"email": "billing@acme.example", "password": "a quiet harbour at dusk"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Login {
    #[serde(deserialize_with = "looked_up")]
    email: EmailAddress,
    password: GivenPassword,
    /// A code of the second factor or a recovery code, if the user has a second factor.
    code: Option<GivenCode>,
    /// The `device` that an earlier sign-in from this device returned. Without it, the user is notified of a sign-in
    /// from a new device.
    device: Option<GivenDevice>,
    #[serde(default, deserialize_with = "object")]
    captcha: Option<CaptchaBody>,
}

/// Sign in
///
/// Failures are counted by account, network address and known device. Each one lengthens the wait before the next
/// attempt. After many from one network address, each attempt from there must bring the answer to a CAPTCHA.
#[utoipa::path(
    post, path = "/v1/auth/login", tag = "accounts", request_body = Login,
    responses(
        (status = 200, body = SessionTokenView),
        Refused<(InvalidCredentials, SecondFactorRequired, InvalidCode, CaptchaFailed, TooManyAttempts)>,
    ),
    security(())
)]
pub(super) async fn login(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Body(body)): Input<Anybody, (), (), Body<Login>>,
) -> Result<Response, Problem> {
    let person = app.is_person(Form::Login, body.captcha.as_ref(), &request.stamp).await?;
    let sign_in = SignIn {
        email: body.email,
        device: body.device.map(|device| device.as_str().to_owned()),
        address: from.address,
        agent: from.agent,
        person,
    };
    let begun = app.store.begin_sign_in(&sign_in, request.now).await.inspect_err(|error| {
        if let StoreError::Refused(Refusal::CaptchaRequired) = error {
            // Whom it is about is not looked up for somebody who may be a program.
            app.security(Metric::SignInRefused, "unknown", sign_in.address.as_deref());
        }
    })?;
    let user = begun.user.clone();
    let proof = match passwords::check(begun.password.as_ref(), &body.password).await? {
        Checked::Right => Proof::Right,
        Checked::RightOutdated => Proof::Stronger(passwords::rehash(&body.password).await?),
        Checked::Wrong => Proof::Wrong,
    };
    let limits = app.config.accounts.sessions;
    let signed_in = app
        .store
        .finish_sign_in(begun, &proof, body.code.as_ref().map(GivenCode::as_str), &sign_in, limits, &request)
        .await
        .inspect_err(|error| {
            if let StoreError::Refused(Refusal::InvalidCredentials | Refusal::InvalidCode) = error {
                app.security(Metric::SignInRefused, user.as_str(), sign_in.address.as_deref());
            }
        })?;
    answer::ok(&SessionTokenView::from(&signed_in))
}

/// Sign out
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "accounts",
    responses((status = 204)), security(("session" = []))
)]
pub(super) async fn logout(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    sessions::end(&app, &me, |own| Ok(own.ending(&me.session))).await
}
