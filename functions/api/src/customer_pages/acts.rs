//! What the forms do: confirm an address, set a password, each by a token that a mail brought.
//!
//! Invariant: a token that is unknown, used or expired is [`INVALID_TOKEN`], and nobody learns which.

use http::StatusCode;
use purser_edge::{App, Problem};
use purser_store::command::Request;

/// The code of a token that opens nothing.
pub const INVALID_TOKEN: &str = "invalid_token";
/// Where the problem of a password points to. Its detail goes on after "The password": `must be …`.
pub const PASSWORD: &str = "/password";
/// The least characters of a password (SPEC D2).
pub const LEAST_CHARACTERS: usize = 12;

/// That it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done;

/// Confirms the address that the token was mailed to.
#[expect(clippy::unused_async, reason = "looking a token up is asynchronous")]
pub async fn confirm(_app: &App, _request: Request, _token: &str) -> Result<Done, Problem> {
    Err(invalid_token())
}

/// Sets the password of the login that the token was mailed to.
#[expect(clippy::unused_async, reason = "looking a token up is asynchronous")]
pub async fn reset(
    _app: &App,
    _request: Request,
    _token: &str,
    _password: &str,
) -> Result<Done, Problem> {
    Err(invalid_token())
}

/// No token has been given to anybody yet, so none opens anything.
fn invalid_token() -> Problem {
    let detail = "The token is unknown, was used, or has expired.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, INVALID_TOKEN, detail).guessed()
}
