//! The actions behind the forms: confirming an address and setting a password. Both need a token from an e-mail.
//!
//! Invariant: the pages call the same functions as the API, so both have the same effects.

use purser_domain::basic::Name;
use purser_domain::people::GivenPassword;
use purser_edge::{App, Problem};
use purser_store::engine::Request;

use purser_api::accounts::auth::links;

/// The problem code for an unknown, used or expired token.
pub const INVALID_TOKEN: &str = "invalid_token";
/// The pointer of a problem with the password. Its detail continues a sentence that starts with "The password".
pub const PASSWORD: &str = "/password";
/// The same for the name.
pub const NAME: &str = "/name";
/// The problem code for a password that is not the account's.
pub const WRONG_PASSWORD: &str = "wrong_password";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done;

/// Confirms an address. A blank `name` is none.
pub async fn confirm(app: &App, request: Request, token: &str, password: &str, name: &str) -> Result<Done, Problem> {
    let name = Some(name.trim()).filter(|name| !name.is_empty()).map(|name| Name::try_from(name.to_owned()));
    let name = name.transpose().map_err(|error| Problem::invalid(NAME, error.to_string()))?;
    links::confirm(app, &request, token, given(password)?, name).await.map(|_| Done)
}

pub async fn reset(app: &App, request: Request, token: &str, password: &str) -> Result<Done, Problem> {
    links::reset(app, &request, token, given(password)?).await.map(|_| Done)
}

fn given(password: &str) -> Result<GivenPassword, Problem> {
    GivenPassword::try_from(password.to_owned()).map_err(|weak| App::weak_password(&weak))
}
