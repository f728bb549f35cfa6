//! The actions behind the forms: confirming an address and setting a password. Both need a token from an e-mail.
//!
//! Invariant: the pages call the same functions as the API, so both have the same effects.

use purser_domain::people::GivenPassword;
use purser_edge::{App, Problem};
use purser_store::engine::Request;

use purser_api::accounts::auth::links;

/// The problem code for an unknown, used or expired token.
pub const INVALID_TOKEN: &str = "invalid_token";
/// The pointer of a problem with the password. Its detail continues a sentence that starts with "The password".
pub const PASSWORD: &str = "/password";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done;

pub async fn confirm(app: &App, request: Request, token: &str) -> Result<Done, Problem> {
    links::confirm(app, &request, token).await.map(|_| Done)
}

pub async fn reset(app: &App, request: Request, token: &str, password: &str) -> Result<Done, Problem> {
    let given = GivenPassword::try_from(password.to_owned());
    let given = given.map_err(|weak| App::weak_password(&weak))?;
    links::reset(app, &request, token, given).await.map(|_| Done)
}
