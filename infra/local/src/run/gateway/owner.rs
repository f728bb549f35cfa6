//! Who may talk to a laptop: programs of this machine, by one of its own names, pages that it served itself, those of
//! the origins that may call the API, and any page that asks about a licence by its key.
//!
//! Invariant: another page from elsewhere can neither read anything here, because no other name leads here (DNS
//! rebinding), nor change anything, because its browser says where it comes from.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method};
use purser_edge::Problem;
use purser_edge::http::problem::refusals::{Forbidden, UnsupportedMediaType};
use purser_edge::http::serve::is_by_key;
use purser_edge::process::config::{LOOPBACK, Origin};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a laptop's owner lets through.
#[derive(Debug, Clone)]
pub struct Guests {
    /// The names besides those of the loopback by which requests may name this laptop.
    names: Arc<[String]>,
    /// The origins whose pages may call the API.
    origins: Arc<[Origin]>,
}

impl Guests {
    pub fn of(names: &[String], origins: &[Origin]) -> Self {
        Self { names: names.iter().map(|name| name.to_ascii_lowercase()).collect(), origins: origins.into() }
    }

    fn know(&self, host: &str) -> bool {
        let name = name_of(host).to_ascii_lowercase();
        LOOPBACK.contains(&name.as_str()) || self.names.contains(&name)
    }

    /// Whether a browser says that a page of an invited origin made the request.
    fn invite(&self, headers: &HeaderMap) -> bool {
        headers.get(ORIGIN).is_some_and(|origin| self.origins.iter().any(|it| it == origin))
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Passes a request on if it comes from where it may.
pub async fn owned(State(guests): State<Guests>, request: Request, next: Next) -> Response {
    match refusal(&guests, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(guests: &Guests, request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let host = text(headers, &HOST).or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let host = host.unwrap_or_default();
    let named_once = headers.get_all(HOST).iter().count() < 2;
    if !named_once || !guests.know(host) {
        let detail = "This laptop answers to localhost only. Name other hosts with --allow-host when you start it.";
        return Some(Problem::because(Forbidden, detail));
    }
    let path = request.uri().path();
    let asks_by_key = request.method() == Method::POST && is_by_key(path);
    let is_invited = asks_by_key || path.starts_with("/v1/") && guests.invite(headers);
    if !request.method().is_safe() && !is_invited && is_foreign(headers, host) {
        return Some(Problem::because(Forbidden, "A page from elsewhere can't change anything on this laptop."));
    }
    let is_local = path.starts_with("/_local/");
    if is_local && !request.body().is_end_stream() && !is_json(headers) {
        return Some(Problem::because(UnsupportedMediaType, "The body must be application/json."));
    }
    None
}

/// Whether a browser says that another site, or another port of this machine, made the request.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    // Where a page sends no referrer, as Purser's own pages do, its origin is `null`, so the site counts first.
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let from_here = |origin: &str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    headers.get(ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(from_here))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, &CONTENT_TYPE).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn status(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let origins = [Origin::parse("https://shop.example").unwrap()];
        let guests = Guests::of(&["Laptop.Example".to_owned()], &origins);
        refusal(&guests, &request).map_or(200, |problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for (host, expected) in [
            ("localhost", 200),
            ("LOCALHOST:3000", 200),
            ("127.0.0.1:3000", 200),
            ("[::1]:3000", 200),
            ("laptop.example:3000", 200),
            ("rebound.evil.example:3000", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example", 403),
            ("[::1].evil.example", 403),
            ("", 403),
        ] {
            assert_eq!(status("GET", "/_local/mails", &[("host", host)], ""), expected, "{host}");
        }
        assert_eq!(status("GET", "/v1/clients", &[], ""), 403, "a request without a host");
        let two = [("host", "localhost"), ("host", "rebound.evil.example")];
        assert_eq!(status("GET", "/v1/clients", &two, ""), 403);
    }

    #[test]
    fn a_page_from_elsewhere_changes_nothing() {
        let own = ("host", "localhost:3000");
        for (header, expected) in [
            (("origin", "http://localhost:3000"), 200),
            (("sec-fetch-site", "same-origin"), 200),
            (("sec-fetch-site", "none"), 200),
            (("origin", "https://shop.example"), 200),
            (("origin", "http://shop.example"), 403),
            (("origin", "http://localhost:4000"), 403),
            (("origin", "http://127.0.0.1:3000"), 403),
            (("origin", "https://evil.example"), 403),
            (("origin", "null"), 403),
            (("sec-fetch-site", "same-site"), 403),
            (("sec-fetch-site", "cross-site"), 403),
        ] {
            assert_eq!(status("POST", "/v1/auth/login", &[own, header], "{}"), expected, "{header:?}");
            assert_eq!(status("GET", "/v1/clients", &[own, header], ""), 200, "{header:?}");
        }
        assert_eq!(status("POST", "/v1/auth/login", &[own], "{}"), 200, "a program says nothing");
        let evil = [own, ("origin", "https://evil.example")];
        for (method, path, expected) in [
            ("POST", "/v1/licences/validate", 200),
            ("PATCH", "/v1/licences/validate", 403),
            ("POST", "/v1/licences/validate/", 403),
            ("POST", "/v1/licences/LI-0123456789ABCDEF/revoke", 403),
        ] {
            assert_eq!(status(method, path, &evil, "{}"), expected, "{method} {path}");
        }
        for path in ["/_local/schedules/rollup/run", "/customer/reset-password"] {
            let invited = [own, ("origin", "https://shop.example")];
            assert_eq!(status("POST", path, &invited, ""), 403, "{path} is not of the API");
        }
        // A form of a page that sends no referrer.
        let form = |site| [own, ("origin", "null"), ("sec-fetch-site", site)];
        assert_eq!(status("POST", "/customer/reset-password", &form("same-origin"), ""), 200);
        assert_eq!(status("POST", "/customer/reset-password", &form("cross-site"), ""), 403);
    }

    #[test]
    fn what_only_a_laptop_has_takes_json_only() {
        let own = ("host", "localhost:3000");
        for (kind, expected) in
            [("application/json", 200), ("Application/JSON; charset=utf-8", 200), ("text/plain", 415)]
        {
            let headers = [own, ("content-type", kind)];
            assert_eq!(status("POST", "/_local/clock", &headers, "{}"), expected, "{kind}");
        }
        assert_eq!(status("POST", "/_local/clock", &[own], "{}"), 415);
        assert_eq!(status("POST", "/_local/schedules/rollup/run", &[own], ""), 200);
    }
}
