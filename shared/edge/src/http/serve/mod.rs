//! The wrapper around the routes of every function that answers HTTP: logs, limits, request ids, panics, and what
//! browsers are told.
//!
//! Invariant: every request gets an answer or a problem, even if its handler panics. A path that gateways may decode
//! differently gets 404: one with a dot segment or a byte other than `/` and the unreserved ones (RFC 3986).

mod cors;

use std::any::Any;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, STRICT_TRANSPORT_SECURITY};
use http::{HeaderName, HeaderValue, StatusCode};
use purser_domain::people::Caller;
use purser_store::engine::secrets;
use purser_store::engine::table::meter::{self, Cost};
use tower_http::catch_panic::CatchPanicLayer;

use crate::caller::call::RequestId;
use crate::http::extract::tags;
use crate::http::limits::{self, Limits};
use crate::http::problem::{Problem, refusals};
use crate::process::config::Config;
use crate::process::metrics::{self, Metric};

use self::cors::open_to;

/// A browser asks this host by https only, whatever a link says. Other hosts of its domain may be anybody's.
const HTTPS_FOR_A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Wraps the routes of one function, for callers from anywhere.
pub fn serve(function: &'static str, routes: Router, config: &Config, limits: &Limits) -> Router {
    // Outside the limits, so that a page can read that it has to wait.
    let open = open_to(&config.allowed_origins, observed(function, routes, Some(limits.clone())));
    if config.public_url.as_deref().is_some_and(|url| url.starts_with("http:")) {
        return open;
    }
    open.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_FOR_A_YEAR);
        response
    }))
}

/// Wraps routes for this machine only: without rate limits.
pub fn serve_here(function: &'static str, routes: Router) -> Router {
    observed(function, routes, None)
}

fn observed(function: &'static str, routes: Router, limits: Option<Limits>) -> Router {
    routes
        .method_not_allowed_fallback(async || method_not_allowed())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(move |request: Request, next: Next| observe(function, limits.clone(), request, next)))
}

/// 405 without `Allow`, which the router adds if it is missing.
pub fn method_not_allowed() -> Problem {
    Problem::because(refusals::MethodNotAllowed, "This path does not support the request's method.")
}

async fn observe(function: &'static str, limits: Option<Limits>, mut request: Request, next: Next) -> Response {
    let Ok(id) = secrets::random().map(purser_domain::basic::refid::code) else {
        // Without a unique id, a request could be mistaken for another one.
        return Problem::internal().into_response();
    };
    let method = request.method().clone();
    let known = tags(request.headers(), &IF_NONE_MATCH);
    let caller = Arc::new(OnceLock::new());
    request.extensions_mut().insert(RequestId { id: id.clone(), function, caller: caller.clone() });
    let (mut response, cost) = match limits {
        Some(limits) => within(&limits, &caller, request, next).await,
        None => answer(request, next).await,
    };
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
    response.extensions_mut().insert(cost);
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(HeaderName::from_static("x-content-type-options"), nosniff);
    response
}

/// Whether the caller has the resource in this version (`If-None-Match`). Tags are compared weakly, as RFC 9110 says.
fn is_known(response: &Response, known: &[String]) -> bool {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let same = |tag: &str| known.iter().any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag);
    response.status() == StatusCode::OK && tag.is_some_and(same)
}

/// The answer to a request, within its rate limits, and what it cost.
async fn within(limits: &Limits, caller: &OnceLock<Caller>, request: Request, next: Next) -> (Response, Cost) {
    let address = limits::address(request.extensions());
    if let Err(problem) = limits.admit_address(address) {
        return (problem.into_response(), Cost::default());
    }
    let (response, cost) = answer(request, next).await;
    if let Some(guesses) = response.extensions().get() {
        limits.charge(address, caller.get(), *guesses);
    }
    (response, cost)
}

async fn answer(request: Request, next: Next) -> (Response, Cost) {
    if is_plain(request.uri().path()) {
        meter::measured(next.run(request)).await
    } else {
        (Problem::not_found("path").into_response(), Cost::default())
    }
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
