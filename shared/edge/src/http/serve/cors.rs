//! What browsers are told about pages of other origins (CORS).
//!
//! Invariant: only pages of the configured origins read the API's answers, and none may send cookies or see more
//! headers than are listed here. Pages of Purser's own are for no other origin.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER,
};
use http::{HeaderName, HeaderValue, Method};
use tower::ServiceExt;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::process::config::Origin;

/// For how long a browser may keep what a preflight was answered.
const KEPT: Duration = Duration::from_mins(10);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const PURSER_SIGNATURE: HeaderName = HeaderName::from_static("purser-signature");

/// Lets pages of these origins call the API's routes. Without any, no answer says anything about origins.
pub fn open_to(origins: &[Origin], routes: Router) -> Router {
    if origins.is_empty() {
        return routes;
    }
    let open = routes.clone().layer(layer(origins));
    routes.layer(from_fn(move |request: Request, next: Next| {
        let open = open.clone();
        async move {
            if is_of_the_api(request.uri().path()) && !is_bare_options(&request) {
                let answered = open.oneshot(request).await;
                return answered.unwrap_or_else(|never| match never {});
            }
            next.run(request).await
        }
    }))
}

fn layer(origins: &[Origin]) -> CorsLayer {
    let origins = origins.iter().map(|origin| HeaderValue::from(origin.clone()));
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY])
        .expose_headers([PURSER_SIGNATURE, ETAG, RETRY_AFTER, IDEMPOTENCY_REPLAYED])
        .max_age(KEPT)
}

fn is_of_the_api(path: &str) -> bool {
    path.starts_with("/v1/") || path == "/openapi.json"
}

/// Whether a request asks for the options of a path, but is no browser's preflight.
fn is_bare_options(request: &Request) -> bool {
    request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
