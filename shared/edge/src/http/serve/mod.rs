//! The wrapper around the routes of every function that answers HTTP: logs, limits, request ids, panics, and what
//! browsers are told.
//!
//! Invariant: every request gets an answer or a problem, even if its handler panics. A path that gateways may decode
//! differently gets 404: one with a dot segment or a byte other than `/` and the unreserved ones (RFC 3986).

mod cors;
mod edge;
mod routes;
mod signed;

use std::any::Any;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, STRICT_TRANSPORT_SECURITY};
use http::{HeaderName, HeaderValue, StatusCode};
use purser_store::engine::secrets;
use purser_store::engine::table::meter::{self, Cost};
use tower_http::catch_panic::CatchPanicLayer;

use crate::caller::call::RequestId;
use crate::http::extract::tags;
use crate::http::limits::{self, Limits};
use crate::http::problem::{Problem, refusals};
use crate::process::gate::Gate;
use crate::process::metrics::{self, Metric};

pub use self::cors::is_by_key;
use self::cors::open_to;
use self::edge::behind;
use self::signed::signed;

/// A browser asks this host by https only, whatever a link says. Other hosts of its domain may be anybody's.
const HTTPS_FOR_A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Wraps the routes of one function, for callers from anywhere. Each layer decides before those that stand above it.
pub fn serve(function: &'static str, routes: Router, gate: &Gate) -> Router {
    let (config, limits) = (&gate.config, gate.limits.clone());
    let answering = safe(signed(&gate.keeper, routes));
    let limited = answering.layer(from_fn(move |request: Request, next: Next| within(limits.clone(), request, next)));
    // Outside the limits, so that a page can read that it has to wait.
    let open = open_to(&config.allowed_origins, limited);
    let observed = observed(function, behind(config.edge, &gate.keeper, open));
    if config.public_url.as_deref().is_some_and(|url| url.starts_with("http:")) {
        return observed;
    }
    observed.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_FOR_A_YEAR);
        response
    }))
}

/// Wraps routes for this machine only: without rate limits.
pub fn serve_here(function: &'static str, routes: Router) -> Router {
    observed(function, safe(routes).layer(from_fn(answer)))
}

fn safe(routes: Router) -> Router {
    routes.method_not_allowed_fallback(async || method_not_allowed()).layer(CatchPanicLayer::custom(panicked))
}

fn observed(function: &'static str, routes: Router) -> Router {
    routes.layer(from_fn(move |request: Request, next: Next| observe(function, request, next)))
}

/// 405 without `Allow`, which the router adds if it is missing.
pub fn method_not_allowed() -> Problem {
    Problem::because(refusals::MethodNotAllowed, "This path does not support the request's method.")
}

async fn observe(function: &'static str, mut request: Request, next: Next) -> Response {
    let Ok(id) = secrets::random().map(purser_domain::basic::refid::code) else {
        // Without a unique id, a request could be mistaken for another one.
        return Problem::internal().into_response();
    };
    let method = request.method().clone();
    let known = tags(request.headers(), &IF_NONE_MATCH);
    let caller = Arc::new(OnceLock::new());
    request.extensions_mut().insert(RequestId { id: id.clone(), function, caller: caller.clone() });
    let mut response = next.run(request).await;
    let cost: Cost = response.extensions().get().copied().unwrap_or_default();
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        metrics::count(Metric::RequestsLimited);
    }
    // The path and the query are not logged, because both can contain data that identifies a person.
    tracing::info!(
        function,
        %method,
        request = id,
        actor = caller.get().map(|caller| caller.actor.as_str()),
        status = response.status().as_u16(),
        calls = cost.calls,
        rcu = cost.rcu,
        wcu = cost.wcu,
        hashes = cost.hashes,
        "answered"
    );
    if method.is_safe() && is_known(&response, &known) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(HeaderName::from_static("x-content-type-options"), nosniff);
    // What is no page shows nothing and runs nothing, wherever a browser may come upon it.
    response.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
    response
}

/// Whether the caller has the resource in this version (`If-None-Match`). Tags are compared weakly, as RFC 9110 says.
fn is_known(response: &Response, known: &[String]) -> bool {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let same = |tag: &str| known.iter().any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag);
    response.status() == StatusCode::OK && tag.is_some_and(same)
}

/// The answer to a request, within its rate limits.
async fn within(limits: Limits, request: Request, next: Next) -> Response {
    let address = limits::address(request.extensions());
    let known = request.extensions().get::<RequestId>().cloned();
    if let Err(problem) = limits.admit_address(address) {
        return costing(problem, Cost::default());
    }
    let response = answer(request, next).await;
    let caller = known.as_ref().and_then(|known| known.caller.get());
    if let Some(guesses) = response.extensions().get()
        && let Err(problem) = limits.charge(address, caller, *guesses)
    {
        return costing(problem, response.extensions().get().copied().unwrap_or_default());
    }
    response
}

/// The answer to a request, with what it cost.
async fn answer(request: Request, next: Next) -> Response {
    if !is_plain(request.uri().path()) {
        return costing(Problem::not_found("path"), Cost::default());
    }
    let (mut response, cost) = meter::measured(next.run(request)).await;
    response.extensions_mut().insert(cost);
    response
}

fn costing(problem: Problem, cost: Cost) -> Response {
    let mut response = problem.into_response();
    response.extensions_mut().insert(cost);
    response
}

/// Whether every gateway interprets the path in the same way.
pub fn is_plain(path: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~/-".contains(&byte);
    path.bytes().all(unreserved) && !path.split('/').any(|segment| segment == "." || segment == "..")
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("unknown"), "a handler panicked");
    Problem::internal().into_response()
}
