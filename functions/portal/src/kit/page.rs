//! A page as an answer, and the page of what went wrong.
//!
//! Invariant: a page runs no script, loads nothing, is kept by nobody, stands in no frame, and tells no other site
//! where it was; its one style is allowed by its hash.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use purser_edge::{App, Problem};
use sha2::{Digest, Sha256};

/// The style of all pages; it stands in each of them.
pub const STYLE: &str = include_str!("../../templates/kit/style.css");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HTML),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ]);
    // Base 64 and the text around it can stand in any header.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers
});

/// A page that only says something.
#[derive(Template)]
#[template(path = "kit/message.html")]
pub struct Message<'a> {
    /// Whose page it is.
    pub brand: &'a str,
    /// What happened.
    pub title: &'a str,
    /// What to know and to do, by paragraphs.
    pub text: &'a [&'a str],
}

/// Answers with a page.
pub fn show(status: StatusCode, page: &impl Template) -> Response {
    instead_of(status.into_response(), page)
}

/// An answer with its status, its headers and what the log needs of it, shown as a page.
pub fn instead_of(answer: Response, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let (mut parts, _) = answer.into_parts();
            parts.headers.remove(CONTENT_LENGTH);
            parts.headers.extend(HEADERS.clone());
            Response::from_parts(parts, html.into())
        }
        Err(error) => {
            tracing::error!(%error, "a page can't be made");
            Problem::internal().into_response()
        }
    }
}

/// The answer, or if it is a failure that no page says yet, the page of that.
pub async fn or_failure(State(app): State<App>, answer: Response) -> Response {
    let status = answer.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || answer.headers().get(CONTENT_TYPE) == Some(&HTML) {
        return answer;
    }
    let (title, text) = failure(status);
    let page = Message { brand: &app.config.brand, title, text: &[text] };
    instead_of(answer, &page)
}

/// What people are told of a failure.
fn failure(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ("There is no such page", "Please open the link of the mail again.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("That is too much", "What you sent is longer than any password can be. Please go back and try again.")
        }
        StatusCode::TOO_MANY_REQUESTS => (
            "Too many requests",
            "Too much came from your network in a short time. Please wait a few minutes and try again; your link stays \
             as it is.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Too much is happening at once", "Nothing was changed. Please go back and try again in a moment.")
        }
        status if status.is_server_error() => {
            ("Something went wrong on our side", "Please go back and try again in a few minutes.")
        }
        _ => (
            "That can't be read",
            "What your browser sent is not what this page asks for. Please open the link of the mail again.",
        ),
    }
}
