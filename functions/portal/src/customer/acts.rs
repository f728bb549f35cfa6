//! What the forms do: confirm an address, set a password, each by a token that a mail brought.
//!
//! Invariant: the pages do what the API does, by the same functions.

use purser_domain::people::password::GivenPassword;
use purser_edge::{App, Problem};
use purser_store::engine::command::Request;

use purser_api::accounts::auth::links;

/// The code of a token that opens nothing.
pub const INVALID_TOKEN: &str = "invalid_token";
/// Where the problem of a password points to. Its detail goes on after "The password": `must be …`.
pub const PASSWORD: &str = "/password";

/// That it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done;

/// Confirms the address that the token was mailed to.
pub async fn confirm(app: &App, request: Request, token: &str) -> Result<Done, Problem> {
    links::confirm(app, &request, token).await.map(|_| Done)
}

/// Sets the password of the login that the token was mailed to.
pub async fn reset(app: &App, request: Request, token: &str, password: &str) -> Result<Done, Problem> {
    let given = GivenPassword::try_from(password.to_owned());
    let given = given.map_err(|weak| App::weak_password(&weak))?;
    links::reset(app, &request, token, given).await.map(|_| Done)
}
