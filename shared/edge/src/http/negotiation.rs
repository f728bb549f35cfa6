//! Content negotiation: chooses the format of an answer by the request's `Accept` header (RFC 9110, 12.5.1).
//!
//! Invariant: every answer whose format was negotiated carries `Vary: Accept`, and so does a 406, so that no cache
//! serves a format to a client that asked for another one.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, VARY};
use http::request::Parts;
use mediatype::{MediaType, Name};

use crate::http::problem::Problem;

/// The Content-Security-Policy of an SVG picture. It allows the styles within the picture and nothing else, because a
/// picture opened directly in a browser is a document of our origin.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
    Svg,
}

impl Format {
    const fn media_type(self) -> MediaType<'static> {
        let name = Name::new_unchecked;
        match self {
            Self::Json => MediaType::new(name("application"), name("json")),
            Self::Csv => MediaType::new(name("text"), name("csv")),
            Self::Svg => MediaType::from_parts(name("image"), name("svg"), Some(name("xml")), &[]),
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// The media types that a request's `Accept` header allows; `None` means any.
#[derive(Debug)]
pub struct Accept(Option<headers_accept::Accept>);

impl Accept {
    /// The format in `offered` that the request prefers. Of equally preferred formats, the first that the header names,
    /// or else the first offered. 406 if the request accepts none of them.
    pub fn choose(&self, offered: &[Format]) -> Result<Format, Problem> {
        let Some(accept) = &self.0 else {
            return offered.first().copied().ok_or_else(Problem::internal);
        };
        let types: Vec<_> = offered.iter().map(|it| it.media_type()).collect();
        let chosen = accept.negotiate(&types);
        let place = types.iter().position(|it| chosen == Some(it));
        let format = place.and_then(|place| offered.get(place));
        format.copied().ok_or_else(|| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            Problem::not_acceptable(&names.join(", "))
        })
    }

    /// Reads the header. A malformed one is ignored, as RFC 9110 permits, because old clients send a bare `*`.
    fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT).iter().map(HeaderValue::to_str);
        let lines: Result<Vec<_>, _> = lines.collect();
        let text = lines.unwrap_or_default().join(",");
        let given = !text.trim().is_empty();
        Self(given.then(|| text.parse().ok()).flatten())
    }
}

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// 200 with a body in the negotiated format.
#[derive(Debug)]
pub struct Represented {
    pub format: Format,
    pub body: Vec<u8>,
}

impl IntoResponse for Represented {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static(self.format.content_type());
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from(ACCEPT));
        if self.format == Format::Svg {
            let policy = HeaderValue::from_static(PICTURE_POLICY);
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{Csv, Json, Svg};
    use super::*;

    fn chosen(lines: &[&str], offered: &[Format]) -> Result<Format, &'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, line.parse().unwrap());
        }
        let chosen = Accept::of(&headers).choose(offered);
        chosen.map_err(|problem| problem.code())
    }

    #[test]
    fn the_format_that_is_liked_best_is_chosen() {
        let all = &[Json, Csv, Svg];
        for (accept, format) in [
            ("", Ok(Json)),
            ("*/*", Ok(Json)),
            ("application/json", Ok(Json)),
            ("application/*", Ok(Json)),
            ("text/csv", Ok(Csv)),
            ("TEXT/CSV", Ok(Csv)),
            ("text/*", Ok(Csv)),
            ("image/*", Ok(Svg)),
            ("image/svg+xml", Ok(Svg)),
            ("text/csv;q=0.5, image/svg+xml;q=0.9", Ok(Svg)),
            ("application/json;q=0.3, */*;q=0.2", Ok(Json)),
            ("application/json;q=0.1, text/*;q=0.2", Ok(Csv)),
            // The most specific range decides, wherever it is in the header.
            ("*/*, application/json;q=0", Ok(Csv)),
            ("text/csv;q=0, text/*, image/*;q=0.1", Ok(Svg)),
            // The headers that a browser sends for a page, and for a picture within a page.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Ok(Json)),
            ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", Ok(Svg)),
            // The header of Java's HttpURLConnection is malformed.
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Ok(Json)),
            ("nonsense", Ok(Json)),
            ("application/json;q=0", Err("not_acceptable")),
            ("*/*;q=0", Err("not_acceptable")),
            ("text/html", Err("not_acceptable")),
            ("image/png", Err("not_acceptable")),
        ] {
            assert_eq!(chosen(&[accept], all), format, "{accept}");
        }
    }

    #[test]
    fn what_is_not_offered_is_not_chosen_and_lines_add_up() {
        assert_eq!(chosen(&[], &[Json, Csv]), Ok(Json));
        let refused = Err("not_acceptable");
        assert_eq!(chosen(&["image/svg+xml"], &[Json, Csv]), refused);
        let lines = ["image/svg+xml", "text/csv;q=0.1"];
        assert_eq!(chosen(&lines, &[Json, Csv]), Ok(Csv));
    }

    #[test]
    fn each_answer_says_that_it_was_chosen() {
        for format in [Json, Csv, Svg] {
            let body = Vec::new();
            let response = Represented { format, body }.into_response();
            assert_eq!(response.headers()[VARY], "accept");
            assert_eq!(response.headers()[CONTENT_TYPE], format.content_type());
        }
        let refused = Problem::not_acceptable("application/json").into_response();
        assert_eq!(refused.status(), http::StatusCode::NOT_ACCEPTABLE);
        assert_eq!(refused.headers()[VARY], "accept");
    }
}
