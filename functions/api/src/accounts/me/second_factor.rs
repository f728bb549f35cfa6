//! The second factor: the codes of an app (TOTP), and recovery codes.
//!
//! Invariant: a second factor takes effect only after a first code has proven that the app works. Setting it up
//! requires the password, and turning it off a code as well. Turning it on or off ends all sessions; turning it on
//! begins a new one.

use http::StatusCode;
use purser_domain::people::{GivenCode, GivenPassword};
use purser_edge::caller::call::{Connection, SignedIn};
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::engine::NoView;
use purser_store::people::account::{Account, AccountChange};
use purser_store::people::second_factor::RecoveryCodes;
use purser_store::people::sign_in::Place;

use super::proof::{proven, wholly_proven};
use crate::accounts::view::SessionTokenView;

noted!(NoneBegun = SecondFactorDisabled, " if its setup has not begun");

/// The current password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct CurrentPassword {
    password: GivenPassword,
}

/// The current password, and a code of the second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"password": "a quiet harbour at dusk", "code": "123456"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct DisableFactor {
    password: GivenPassword,
    /// A code of the app, or a recovery code; required if the second factor is on.
    code: Option<GivenCode>,
}

/// The secret of a new second factor, to set up an app with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferedFactor {
    /// The secret in base 32, for apps that can't scan a code.
    secret: String,
    /// The secret as an `otpauth://…` address, to be shown as a QR code.
    uri: String,
}

/// Begin to set up a second factor
#[utoipa::path(
    post, path = "/v1/me/totp", tag = "account", security(("session" = [])), request_body = CurrentPassword,
    responses((status = 200, body = OfferedFactor), Refused<(SecondFactorEnabled, WrongPassword, TooManyAttempts)>)
)]
pub(super) async fn offer_second_factor(
    State(app): State<App>,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<CurrentPassword>>,
) -> Result<Response, Problem> {
    let account = proven(&app, &me.user, Place::Session(&me.session), &body.password, &me.request).await?;
    let (secret, sealed) = app.store.new_totp_secret(&me.user)?;
    let offer = |account: &Account| {
        if account.credentials.second_factor.is_some() {
            return Err(Refusal::SecondFactorEnabled.into());
        }
        let mut credentials = account.credentials.next(me.request.now);
        credentials.offered_factor = Some(sealed.clone());
        Ok(Some(AccountChange { credentials: Some(credentials), ..AccountChange::default() }))
    };
    app.store.change_own_account::<NoView>((&me.user, &me.session), &me.request, offer).await?;
    answer::ok(&OfferedFactor { secret: secret.to_base32(), uri: secret.uri(&app.config.brand, &account.user.email) })
}

/// The first code of a new second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"code": "123456"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct FirstCode {
    /// The code that the app shows.
    code: GivenCode,
}

/// The recovery codes and the new session, after the second factor was turned on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EnabledFactor {
    /// Ten recovery codes. Each works once instead of a code of the app. They are shown only this once.
    recovery_codes: Vec<String>,
    /// A new session, which replaces all others.
    session: SessionTokenView,
}

/// Turn the second factor on with its first code
///
/// All sessions end. The answer contains a new one that replaces the current one.
#[utoipa::path(
    put, path = "/v1/me/totp", tag = "account", security(("session" = [])), request_body = FirstCode,
    responses(
        (status = 200, body = EnabledFactor),
        Refused<(SecondFactorEnabled, NoneBegun, InvalidCode, TooManyAttempts)>,
    )
)]
pub(super) async fn enable_second_factor(
    State(app): State<App>,
    from: Connection,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<FirstCode>>,
) -> Result<Response, Problem> {
    let now = me.request.now;
    let codes = RecoveryCodes::draw()?;
    let begun = app.store.begin_proof(&me.user, Place::Session(&me.session), now).await?;
    let enable = |account: &Account| {
        if account.credentials.second_factor.is_some() {
            return Err(Refusal::SecondFactorEnabled.into());
        }
        let kept = codes.kept.clone();
        let proven = app.store.prove_second_factor(&account.credentials, body.code.as_str(), kept, now)?;
        let mut credentials = account.credentials.next(now);
        credentials.second_factor = Some(proven);
        credentials.offered_factor = None;
        Ok(credentials)
    };
    let enabled = app.store.change_credentials(
        &begun,
        &me.session,
        (from.address.as_ref(), from.agent.as_ref()),
        app.config.accounts.sessions,
        &me.request,
        enable,
    );
    let session = match enabled.await {
        Err(StoreError::Refused(Refusal::InvalidCode)) => {
            let wrong = app.store.count_proof(Place::Session(&me.session), false, &me.request);
            wrong.await?;
            return Err(Refusal::InvalidCode.into());
        }
        enabled => enabled?,
    };
    answer::ok(&EnabledFactor { recovery_codes: codes.shown, session: SessionTokenView::from(&session) })
}

/// Turn the second factor off
///
/// All sessions end, including this one.
#[utoipa::path(
    delete, path = "/v1/me/totp", tag = "account", security(("session" = [])), request_body = DisableFactor,
    responses((status = 204), Refused<(SecondFactorDisabled, WrongPassword, InvalidCode, TooManyAttempts)>)
)]
pub(super) async fn disable_second_factor(
    State(app): State<App>,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<DisableFactor>>,
) -> Result<Response, Problem> {
    let account = wholly_proven(&app, &me, &body.password, body.code.as_ref()).await?;
    let checked = account.credentials.password;
    let disable = |account: &Account| {
        if account.credentials.password != checked {
            return Err(Refusal::WrongPassword.into());
        }
        if account.credentials.second_factor.is_none() {
            return Err(Refusal::SecondFactorDisabled.into());
        }
        let mut credentials = account.credentials.next(me.request.now);
        credentials.second_factor = None;
        let mut user = account.user.next_epoch();
        user.second_factor = false;
        Ok(Some(AccountChange { user: Some(user), credentials: Some(credentials), sessions: None }))
    };
    app.store.change_own_account::<NoView>((&me.user, &me.session), &me.request, disable).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
