//! Proving again who one is: before a change of the account, and before making lasting access (rule D2).
//!
//! Invariant: a wrong password or code is counted for the session or the link, and the next attempt there has to wait
//! longer. A code is used up by the proof. A proof counts for the session in which it was given, and no longer than
//! [`PROOF_LASTS`].

use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::session::PROOF_LASTS;
use purser_domain::people::{GivenCode, GivenPassword};
use purser_edge::caller::call::SignedIn;
use purser_edge::caller::passwords::{self, Checked};
use purser_edge::prelude::*;
use purser_edge::process::metrics::Metric;
use purser_store::StoreError;
use purser_store::engine::{NoView, Request};
use purser_store::people::account::{Account, AccountChange};
use purser_store::people::sign_in::Place;

/// The account of `user`, after checking their password at `place`.
pub(crate) async fn proven(
    app: &App,
    user: &UserRefid,
    place: Place<'_>,
    password: &GivenPassword,
    request: &Request,
) -> Result<Account, Problem> {
    let begun = app.store.begin_proof(user, place, request.now);
    let account = begun.await?;
    let kept = account.credentials.password.as_ref();
    let right = passwords::check(kept, password).await? != Checked::Wrong;
    app.store.count_proof(place, right, request).await?;
    if !right {
        app.security(Metric::SignInRefused, user.as_str(), None);
        return Err(Refusal::WrongPassword.into());
    }
    Ok(account)
}

/// The account of the signed-in user, after checking their password and, if they have a second factor, a code of it.
/// Without the code, whoever knows the password could turn the second factor off, or move the account away from it.
pub(super) async fn wholly_proven(
    app: &App,
    me: &SignedIn,
    password: &GivenPassword,
    code: Option<&GivenCode>,
) -> Result<Account, Problem> {
    let account = proven(app, &me.user, Place::Session(&me.session), password, &me.request).await?;
    // The session may have ended since the request came in. What follows would belong to the user's next epoch.
    account.must_be_in(&me.session)?;
    if account.credentials.second_factor.is_none() {
        return Ok(account);
    }
    let code = code.ok_or_else(|| Problem::invalid("/code", "is required, because you have a second factor"))?;
    by_code(app, me, code, None).await?;
    let account = app.store.account(&me.user, me.request.now).await?;
    let account = account.ok_or(Refusal::SessionEnded)?;
    account.must_be_in(&me.session)?;
    Ok(account)
}

/// Uses up a code of the signed-in user, and notes in the session until when that counts as a proof.
async fn by_code(app: &App, me: &SignedIn, code: &GivenCode, until: Option<Time>) -> Result<(), Problem> {
    let now = me.request.now;
    // It is counted as wrong until it has proven right, so that of many codes sent at once only a few are judged.
    app.store.count_proof(Place::Session(&me.session), false, &me.request).await?;
    // What follows may write the same items. A request of its own keeps a stale read from taking this write for that.
    let mut own = me.request.clone();
    own.stamp.request.push_str(" code");
    let prove = |account: &Account| {
        let factor = account.credentials.second_factor.as_ref().ok_or(Refusal::InvalidCode)?;
        let used = app.store.use_second_factor(&me.user, factor, code.as_str(), now)?;
        let mut credentials = account.credentials.next(now);
        credentials.second_factor = Some(used);
        Ok(Some(AccountChange { credentials: Some(credentials), ..proven_until(account, me, until) }))
    };
    match app.store.change_own_account::<NoView>((&me.user, &me.session), &own, prove).await {
        Err(StoreError::Refused(Refusal::InvalidCode)) => {
            app.security(Metric::SignInRefused, me.user.as_str(), None);
            Err(Refusal::InvalidCode.into())
        }
        done => {
            done?;
            match app.store.count_proof(Place::Session(&me.session), true, &own).await {
                // The code is used up, and right. Only the next attempt has to wait.
                Err(StoreError::Refused(Refusal::TooManyAttempts { .. })) => Ok(()),
                cleared => Ok(cleared?),
            }
        }
    }
}

fn proven_until(account: &Account, me: &SignedIn, until: Option<Time>) -> AccountChange {
    let sessions = account.sessions.as_ref().zip(until);
    let sessions = sessions.map(|(sessions, until)| sessions.next().proven(&me.session, until));
    AccountChange { sessions, ..AccountChange::default() }
}

/// Who you are: your password or a code, not both.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"password": "a quiet harbour at dusk"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct GivenProof {
    password: Option<GivenPassword>,
    /// A code of the second factor, or a recovery code.
    code: Option<GivenCode>,
}

/// Until when the proof counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Proof {
    proved_until: Time,
}

/// Prove again who you are
///
/// For 15 minutes, this session may then do what creates lasting access: make API keys, invite users and change their
/// roles. Without a proof, that is 403 with the code `proof_required`.
#[utoipa::path(
    post, path = "/v1/me/proof", tag = "account", security(("session" = [])), request_body = GivenProof,
    responses((status = 200, body = Proof), Refused<(WrongPassword, InvalidCode, TooManyAttempts)>)
)]
pub(super) async fn prove(
    State(app): State<App>,
    Input(me, (), (), Body(body)): Input<SignedIn, (), (), Body<GivenProof>>,
) -> Result<Response, Problem> {
    let proved_until = me.request.now.plus(PROOF_LASTS);
    match (body.password, body.code) {
        (Some(password), None) => {
            let checked = proven(&app, &me.user, Place::Session(&me.session), &password, &me.request).await?;
            let note = |account: &Account| {
                if account.credentials.password != checked.credentials.password {
                    return Err(Refusal::WrongPassword.into());
                }
                Ok(Some(proven_until(account, &me, Some(proved_until))))
            };
            app.store.change_own_account::<NoView>((&me.user, &me.session), &me.request, note).await?;
        }
        (None, Some(code)) => by_code(&app, &me, &code, Some(proved_until)).await?,
        _ => return Err(Problem::invalid("", "must have either password or code")),
    }
    answer::ok(&Proof { proved_until })
}
