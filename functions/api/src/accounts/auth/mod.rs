//! `customer-auth`: how people get an account, get in, and get out (rules D1, D2).
//!
//! Invariant: no answer here, nor the work behind it, depends on whether an address is known, until whoever asks has
//! proven to be its owner. What strangers ask for by address is noted and answered alike; who is mailed what is found
//! out afterwards, by `mail-links`.

pub mod links;
mod login;
mod requests;

use axum::extract::State;
use axum::response::Response;
use purser_edge::caller::captcha::CaptchaView;
use purser_edge::http::answer;
use purser_edge::http::problem::Guesses;
use purser_edge::{App, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
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

/// That a request arrived.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Always `received`, whether or not the address is known.
    status: &'static str,
}

impl Received {
    /// 202. Each may be a mail to a stranger, so many from one address cost it as much as guessing.
    pub(crate) fn answer() -> Result<Response, Problem> {
        let mut received = answer::accepted(&Self { status: "received" })?;
        received.extensions_mut().insert(Guesses(1));
        Ok(received)
    }
}

/// Ask for a CAPTCHA
///
/// Its `token` and the answer go as `captcha` with what is asked for. Kind `off`: none is needed.
#[utoipa::path(
    get, path = "/v1/auth/captcha", tag = "accounts", responses((status = 200, body = CaptchaView)), security(())
)]
async fn captcha(State(app): State<App>) -> Result<Response, Problem> {
    answer::ok(&app.captcha()?)
}
