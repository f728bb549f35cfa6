//! The gateway: one router over the routes that the template's `HttpApi` events name.
//!
//! Invariant: a request reaches the function that the template says, with nothing added to it that
//! the gateway learned on the way. What no route takes, a path nobody knows as much as a known one
//! with another method, reaches the function with the `$default` event.

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

/// What the template calls the route of last resort.
const DEFAULT: &str = "$default";

/// The first segments of paths that exist on a laptop only.
const LAPTOP_ONLY: [&str; 2] = ["_local", "docs"];

/// The header that says what a request cost.
const COST: HeaderName = HeaderName::from_static("purser-cost");

/// Why the template's routes can't be served.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// A function with routes in the template has none in the code.
    #[error("template: {0} has `HttpApi` events, and no routes in the code")]
    NoRoutes(String),
    /// A path that is not made of plain segments and `{names}`, or that the laptop takes itself.
    #[error("template: {function}: the path `{path}` can't be served here")]
    Path {
        /// The function.
        function: String,
        /// The path.
        path: String,
    },
    /// Two functions, or one of them twice, have the same route.
    #[error("template: {function}: the route `{route}` is there twice")]
    Twice {
        /// The second function.
        function: String,
        /// Method and path.
        route: String,
    },
    /// No function takes what is left over.
    #[error("template: no function has an `HttpApi` event without method and path")]
    NoDefault,
}

/// The functions at one path, by method; `ANY` takes what the others do not.
type Methods = BTreeMap<String, Router>;

/// The router over all `HttpApi` events. `coded` gives a function's own router by its handler.
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
    reason = "these routes are the template's; a test holds them equal to the document's"
)]
fn router(paths: BTreeMap<String, Methods>, default: &Router) -> Router {
    let mut router = Router::new();
    let paths = Arc::new(paths);
    for path in paths.keys() {
        let (paths, own, default) = (paths.clone(), path.clone(), default.clone());
        let choose = move |request: Request| {
            let method = request.method().as_str();
            let at = |methods: &Methods| methods.get(method).or_else(|| methods.get("ANY")).cloned();
            // Like HTTP API: where the nearest path has no such method, the next one that fits and has it. Fixed
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
    router.fallback(move |request: Request| hand_over(default.clone(), request)).layer(map_response(show_cost))
}

/// The path as the router has it. The names of parameters are the functions' own affair, and two
/// functions may name them differently, so here they are numbered.
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

/// Gives the function the request as it came. The router has noted the path's parameters in it,
/// and the function's own router would add its findings to these.
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

/// Shows what the request cost; in the cloud the log alone has it.
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
