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
use mediatype::{MediaType, MediaTypeBuf, Name, ReadParams, names};

use crate::http::problem::Problem;

/// The Content-Security-Policy of an SVG picture. It allows the styles within the picture and nothing else, because a
/// picture opened directly in a browser is a document of our origin.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// The byte order mark, by which Excel knows that a table is UTF-8. Other programs may take it for a part of the first
/// cell.
const MARK: &[u8] = b"\xef\xbb\xbf";

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

/// The media types that a request's `Accept` header allows.
#[derive(Debug, Default)]
pub struct Accept {
    /// The allowed types without parameters; `None` means any.
    ranges: Option<headers_accept::Accept>,
    /// Whether a table begins with the byte order mark: `text/csv; bom=true`.
    marked: bool,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    pub format: Format,
    marked: bool,
}

impl Accept {
    /// The format in `offered` that the request prefers. Of equally preferred formats, the first that the header names,
    /// or else the first offered. 406 if the request accepts none of them.
    pub fn choose(&self, offered: &[Format]) -> Result<Chosen, Problem> {
        let chosen = |format| Chosen { format, marked: self.marked && format == Format::Csv };
        let Some(accept) = &self.ranges else {
            return offered.first().copied().map(chosen).ok_or_else(Problem::internal);
        };
        let types: Vec<_> = offered.iter().map(|it| it.media_type()).collect();
        let best = accept.negotiate(&types);
        let place = types.iter().position(|it| best == Some(it));
        let format = place.and_then(|place| offered.get(place));
        format.copied().map(chosen).ok_or_else(|| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            Problem::not_acceptable(&names.join(", "))
        })
    }

    /// Reads the header. A malformed one is ignored, as RFC 9110 permits, because old clients send a bare `*`.
    fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT).iter().map(HeaderValue::to_str);
        let lines: Result<Vec<_>, _> = lines.collect();
        let text = lines.unwrap_or_default().join(",");
        if text.trim().is_empty() {
            return Self::default();
        }
        let Ok(accept) = text.parse::<headers_accept::Accept>() else { return Self::default() };
        Self {
            ranges: Some(accept.media_types().filter_map(plain).collect()),
            marked: accept.media_types().any(marked),
        }
    }
}

/// The range without its parameters, of which only the weight decides about the format.
fn plain(range: &MediaTypeBuf) -> Option<MediaTypeBuf> {
    let weight = range.get_param(names::Q).map(|weight| format!(";q={weight}")).unwrap_or_default();
    format!("{}{weight}", range.essence()).parse().ok()
}

fn marked(range: &MediaTypeBuf) -> bool {
    let bom = range.get_param(Name::new_unchecked("bom"));
    range.essence() == Format::Csv.media_type() && bom.is_some_and(|it| it.unquoted_str().eq_ignore_ascii_case("true"))
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
    pub chosen: Chosen,
    pub body: Vec<u8>,
}

impl IntoResponse for Represented {
    fn into_response(self) -> Response {
        let Chosen { format, marked } = self.chosen;
        let body = if marked { [MARK, &self.body].concat() } else { self.body };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static(format.content_type());
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from(ACCEPT));
        if format == Format::Svg {
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
        chosen.map(|it| it.format).map_err(|problem| problem.code())
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
            // Parameters that the answer has, and such that it has not.
            ("text/csv; charset=utf-8; header=present", Ok(Csv)),
            ("text/csv; bom=true; q=0.5, application/json; q=0.1", Ok(Csv)),
            ("image/svg+xml; charset=utf-8", Ok(Svg)),
            ("text/csv; charset=latin1; q=0, */*; q=0.1", Ok(Json)),
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
    fn only_a_table_has_a_mark_and_only_on_request() {
        for (accept, marked) in [
            ("text/csv; bom=true", true),
            ("text/csv;q=0.5;bom=\"True\", application/json;q=0.1", true),
            ("TEXT/CSV;BOM=TRUE", true),
            ("text/csv", false),
            ("text/csv; bom=false", false),
            ("text/csv; bom", false),
            ("text/*; bom=true", false),
            ("application/json; bom=true, text/csv; q=0.5", false),
            ("text/csv; bom=true; q=0.5, application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            let chosen = Accept::of(&headers).choose(&[Json, Csv]).unwrap();
            assert_eq!(chosen.marked, marked, "{accept}");
        }
    }

    #[test]
    fn each_answer_says_that_it_was_chosen() {
        for format in [Json, Csv, Svg] {
            let chosen = Chosen { format, marked: false };
            let response = Represented { chosen, body: Vec::new() }.into_response();
            assert_eq!(response.headers()[VARY], "accept");
            assert_eq!(response.headers()[CONTENT_TYPE], format.content_type());
        }
        let refused = Problem::not_acceptable("application/json").into_response();
        assert_eq!(refused.status(), http::StatusCode::NOT_ACCEPTABLE);
        assert_eq!(refused.headers()[VARY], "accept");
    }
}
