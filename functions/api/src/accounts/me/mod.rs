//! `manage-account`: what users see and change of their own account (rules D1–D3).
//!
//! Invariant: every route here concerns only the signed-in user. A change of the password, the address or the second
//! factor, which could let a session thief keep the account, requires the password, and ends every other session once
//! it takes effect.

mod avatar;
mod password;
pub mod picture;
mod profile;
mod second_factor;
pub(crate) mod sessions;

use purser_domain::basic::UserRefid;
use purser_domain::people::GivenPassword;
use purser_edge::caller::passwords::{self, Checked};
use purser_edge::prelude::*;
use purser_store::engine::Request;
use purser_store::people::account::Account;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(profile::read_me, profile::change_me))
        .routes(routes!(avatar::read_avatar, avatar::change_avatar, avatar::remove_avatar))
        .routes(routes!(password::change_password))
        .routes(routes!(password::change_email))
        .routes(routes!(sessions::list_sessions, sessions::end_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(sessions::list_own_logins))
        .routes(routes!(
            second_factor::offer_second_factor,
            second_factor::enable_second_factor,
            second_factor::disable_second_factor
        ))
}

/// The account of `user`, after checking their password. A wrong password is counted for `place`, a session or a link,
/// and the next attempt there has to wait longer.
pub(crate) async fn proven(
    app: &App,
    user: &UserRefid,
    place: &str,
    password: &GivenPassword,
    request: &Request,
) -> Result<Account, Problem> {
    let begun = app.store.begin_proof(user, place, request.now);
    let account = begun.await?;
    let kept = account.credentials.password.as_ref();
    let right = passwords::check(kept, password).await? != Checked::Wrong;
    app.store.count_proof(place, right, request).await?;
    if !right {
        return Err(Refusal::WrongPassword.into());
    }
    Ok(account)
}
