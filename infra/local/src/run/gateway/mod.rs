//! The gateway: one router for the routes in the template's `HttpApi` events.
//!
//! Invariant: a request reaches the function that the template names, and the gateway adds nothing of its own to it. A
//! request whose path or method matches no route reaches the function with the `$default` event.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::any;
use http::{Extensions, HeaderName, HeaderValue};
use purser_api::http::fallback::fits;
use purser_edge::http::serve::is_plain;
use purser_store::engine::table::meter::Cost;
use thiserror::Error;
use tower::ServiceExt;

use crate::template::{EventSpec, Template};

pub mod bounds;
pub mod connections;
pub mod owner;

const DEFAULT: &str = "$default";

/// The first segments of paths that exist on a laptop only.
const LAPTOP_ONLY: [&str; 2] = ["_local", "docs"];

const COST: HeaderName = HeaderName::from_static("purser-cost");

#[derive(Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    #[error("template: {0} has `HttpApi` events but no routes in the code")]
    NoRoutes(String),
    /// A path that is not made of plain segments and `{names}`, or that is reserved for the laptop.
    #[error("template: {function}: the path `{path}` can't be served here")]
    Path { function: String, path: String },
    #[error("template: {function}: the route `{route}` is defined twice")]
    Twice {
        function: String,
        /// Method and path.
        route: String,
    },
    #[error("template: no function has an `HttpApi` event without method and path")]
    NoDefault,
}

/// The functions at one path, by method; `ANY` handles the methods that have no function of their own.
type Methods = BTreeMap<String, Router>;

/// The router for all `HttpApi` events. `coded` returns a function's own router by its handler.
pub fn routes(template: &Template, coded: impl Fn(&str) -> Option<Router>) -> Result<Router, GatewayError> {
    let mut default = None;
    let mut paths: BTreeMap<String, Methods> = BTreeMap::new();
    for function in &template.functions {
        let name = &function.logical_id;
        for event in &function.events {
            let EventSpec::HttpApi { method, path } = event else {
                continue;
            };
            let own = coded(&function.handler).ok_or_else(|| GatewayError::NoRoutes(name.clone()))?;
            let taken = if path == DEFAULT {
                default.replace(own).is_some()
            } else {
                let pattern =
                    pattern(path).ok_or_else(|| GatewayError::Path { function: name.clone(), path: path.clone() })?;
                match paths.entry(pattern).or_default().entry(method.clone()) {
                    Entry::Occupied(_) => true,
                    Entry::Vacant(free) => {
                        free.insert(own);
                        false
                    }
                }
            };
            if taken {
                return Err(GatewayError::Twice { function: name.clone(), route: format!("{method} {path}") });
            }
        }
    }
    let default = default.ok_or(GatewayError::NoDefault)?;
    Ok(router(paths, &default))
}

#[expect(
    clippy::disallowed_methods,
    reason = "these routes come from the template; a test compares them with the document"
)]
fn router(paths: BTreeMap<String, Methods>, default: &Router) -> Router {
    let mut router = Router::new();
    let paths = Arc::new(paths);
    for path in paths.keys() {
        let (paths, own, default) = (paths.clone(), path.clone(), default.clone());
        let choose = move |request: Request| {
            let method = request.method().as_str();
            let at = |methods: &Methods| methods.get(method).or_else(|| methods.get("ANY")).cloned();
            // As in API Gateway: if the closest path lacks the method, try the next path that matches and has it. Fixed
            // segments sort before parameters.
            let chosen = paths.get(&own).and_then(at).or_else(|| {
                let fitting = paths.iter().filter(|(path, _)| fits(path, request.uri().path()));
                fitting.map(|(_, methods)| methods).find_map(at)
            });
            hand_over(chosen.unwrap_or_else(|| default.clone()), request)
        };
        router = router.route(path, any(choose));
    }
    let default = default.clone();
    let router = router.fallback(move |request: Request| hand_over(default.clone(), request));
    let routed = move |request: Request| hand_over(router.clone(), decoded(request));
    Router::new().fallback(routed).layer(map_response(show_cost))
}

/// The request with its path decoded as far as API Gateway's decoding matters to functions: a percent-encoded character
/// that needs no encoding is that character (RFC 3986, 6.2.2.2).
fn decoded(mut request: Request) -> Request {
    let uri = request.uri();
    let mut path = String::new();
    let mut rest = uri.path();
    while let Some((before, after)) = rest.split_once('%') {
        path.push_str(before);
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let character = byte.map(char::from).filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c));
        path.push(character.unwrap_or('%'));
        rest = character.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    path.push_str(rest);
    if path != uri.path() {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}{query}").parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// The path in the router's syntax. Functions may name the same parameter differently, so parameters are numbered
/// here.
fn pattern(path: &str) -> Option<String> {
    let segments = path.strip_prefix('/')?.split('/').enumerate();
    segments
        .map(|(place, segment)| {
            let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match parameter {
                Some(name) if !name.is_empty() && name.bytes().all(is_of_a_name) => Some(format!("/{{p{place}}}")),
                None if is_plain(segment) && !(place == 0 && LAPTOP_ONLY.contains(&segment)) => {
                    Some(format!("/{segment}"))
                }
                _ => None,
            }
        })
        .collect()
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Passes the request to the function as it came. Extensions are dropped, because the function's own router would
/// otherwise add its path parameters to those that this router has stored; only the peer's address is kept.
async fn hand_over(function: Router, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut extensions = Extensions::new();
    if let Some(peer) = parts.extensions.remove::<ConnectInfo<SocketAddr>>() {
        extensions.insert(peer);
    }
    parts.extensions = extensions;
    let Ok(response) = function.oneshot(Request::from_parts(parts, body)).await;
    response
}

/// Shows the cost of the request; in the cloud only the log has it.
async fn show_cost(mut response: Response) -> Response {
    if let Some(Cost { calls, rcu, wcu, hashes }) = response.extensions().get() {
        let cost = format!("calls={calls} rcu={rcu} wcu={wcu} hashes={hashes}");
        if let Ok(cost) = HeaderValue::try_from(cost) {
            response.headers_mut().insert(COST, cost);
        }
    }
    response
}

#[cfg(test)]
mod tests;
