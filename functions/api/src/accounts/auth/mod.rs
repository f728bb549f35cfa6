//! `customer-auth`: how people register, sign in and sign out (rules D1, D2).
//!
//! Invariant: until the caller has proven to own an address, neither the answer nor the work behind it depends on
//! whether the address is known. A request that names only an address is stored, and the answer never varies;
//! `mail-links` decides later who gets which e-mail.

pub mod links;
mod login;
mod requests;

use purser_edge::caller::captcha::CaptchaView;
use purser_edge::prelude::*;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(captcha))
        .routes(routes!(requests::register))
        .routes(routes!(requests::resend_confirmation))
        .routes(routes!(requests::forgot_password))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(links::confirm_address))
        .routes(routes!(links::reset_password))
}

/// The receipt of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Always `received`, whether or not the address is known.
    status: &'static str,
}

impl Received {
    pub(crate) fn answer() -> Result<Response, Problem> {
        answer::accepted(&Self { status: "received" })
    }
}

/// Get a CAPTCHA
///
/// Send its `token` and your answer as `captcha` with the request that needs it. A page that loads a service with
/// `site_key` names the form as the action: `register`, `login`, `resend_confirmation`, `forgot_password` or `sign_up`.
#[utoipa::path(
    get, path = "/v1/auth/captcha", tag = "accounts", responses((status = 200, body = CaptchaView)), security(())
)]
async fn captcha(State(app): State<App>) -> Result<Response, Problem> {
    answer::ok(&app.captcha()?)
}
