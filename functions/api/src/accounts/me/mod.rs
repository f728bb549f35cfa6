//! `manage-account`: what users see and change of their own account (rules D1–D3).
//!
//! Invariant: every route here concerns only the signed-in user. A change of the password, the address or the second
//! factor, which could let a session thief keep the account, requires the password and a code of the second factor, if
//! there is one, and ends every other session once it takes effect.

mod avatar;
mod password;
pub mod picture;
mod profile;
pub(crate) mod proof;
mod second_factor;
pub(crate) mod sessions;

use purser_edge::prelude::*;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(profile::read_me, profile::change_me))
        .routes(routes!(avatar::read_avatar, avatar::change_avatar, avatar::remove_avatar))
        .routes(routes!(proof::prove))
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
