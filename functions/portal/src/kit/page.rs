//! Turns pages into responses, and provides the page for failures.
//!
//! Invariant: a page runs no script, loads nothing, is not cached, cannot be framed and sends no referrer. Its only
//! style sheet is inline and allowed by its hash.

use std::sync::LazyLock;

use askama::Template;
use data_encoding::BASE64;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use purser_edge::prelude::*;
use sha2::{Digest, Sha256};

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
    // This cannot fail: base64 and the text around it are valid in a header.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers
});

#[derive(Template)]
#[template(path = "kit/message.html")]
pub struct Message<'a> {
    pub brand: &'a str,
    pub title: &'a str,
    pub text: &'a [&'a str],
}

pub fn show(status: StatusCode, page: &impl Template) -> Response {
    instead_of(status.into_response(), page)
}

/// Replaces the body of a response with a page, keeping its status, its headers and what the log reads from it.
pub fn instead_of(answer: Response, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let (mut parts, _) = answer.into_parts();
            parts.headers.remove(CONTENT_LENGTH);
            parts.headers.extend(HEADERS.clone());
            Response::from_parts(parts, html.into())
        }
        Err(error) => {
            tracing::error!(%error, "failed to render a page");
            Problem::internal().into_response()
        }
    }
}

/// Gives a failure that has no page of its own a page; leaves every other response as it is.
pub fn or_failure(app: &App, answer: Response) -> Response {
    let status = answer.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || answer.headers().get(CONTENT_TYPE) == Some(&HTML) {
        return answer;
    }
    let (title, text) = failure(status);
    let page = Message { brand: &app.config.brand, title, text: &[text] };
    instead_of(answer, &page)
}

fn failure(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ("Page not found", "Please open the link in the e-mail again.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That is too long",
            "The text you entered is longer than any password can be. Please go back and try again.",
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "Too many requests",
            "We received too many requests from your network in a short time. Please wait a few minutes and try again. \
             Your link has not been used up.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("We are too busy at the moment", "Nothing has been changed. Please go back and try again in a moment.")
        }
        status if status.is_server_error() => {
            ("Something went wrong on our side", "Please go back and try again in a few minutes.")
        }
        _ => (
            "We could not read your request",
            "Your browser sent something that this page does not expect. Please open the link in the e-mail again.",
        ),
    }
}

#[cfg(test)]
pub(crate) mod tests;
