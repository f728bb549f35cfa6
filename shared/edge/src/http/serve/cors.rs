//! What browsers are told about pages of other origins (CORS).
//!
//! Invariant: only pages of the configured origins read the API's answers, and none may send cookies or see more
//! headers than are listed here. What programs ask with a licence key, pages of any origin may ask: such a program may
//! be a page, and the key is all the authority that there is. So they may read the keys by which answers are verified.
//! Pages of Purser's own are for no other origin.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER,
};
use http::{HeaderName, HeaderValue, Method};
use tower::ServiceExt;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::signed::PURSER_SIGNATURE;
use crate::process::config::Origin;

/// For how long a browser may keep what a preflight was answered.
const KEPT: Duration = Duration::from_mins(10);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The headers that pages may send.
const HEADERS: [HeaderName; 5] = [AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY];

/// Where the public keys are by which programs verify answers.
const SIGNING_KEYS: &str = "/v1/signing-keys";

/// Whether a licence key is all that a caller of this path needs. Pages of any origin may ask there, and every answer
/// is signed.
pub fn is_by_key(path: &str) -> bool {
    let of_installations = ["/v1/activations", "/v1/activations/heartbeat", "/v1/activations/deactivate"];
    path == "/v1/licences/validate" || of_installations.contains(&path)
}

/// Lets pages of these origins call the API's routes, and pages of any origin those that take a licence key, and the
/// list of signing keys. Without configured origins, no answer of another route says anything about origins.
pub fn open_to(origins: &[Origin], routes: Router) -> Router {
    let open_to_all = |methods: &[Method]| routes.clone().layer(to_programs(methods));
    let (to_ask, to_read) = (open_to_all(&[Method::POST]), open_to_all(&[Method::GET, Method::HEAD]));
    let to_some = (!origins.is_empty()).then(|| routes.clone().layer(layer(origins)));
    routes.layer(from_fn(move |request: Request, next: Next| {
        let path = request.uri().path();
        let open = match path {
            _ if is_bare_options(&request) => None,
            path if is_by_key(path) => Some(to_ask.clone()),
            SIGNING_KEYS => Some(to_read.clone()),
            path if is_of_the_api(path) => to_some.clone(),
            _ => None,
        };
        async move {
            let Some(open) = open else { return next.run(request).await };
            open.oneshot(request).await.unwrap_or_else(|never| match never {})
        }
    }))
}

fn to_programs(methods: &[Method]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods.to_vec())
        // Libraries add headers to every call, whoever reads them.
        .allow_headers(HEADERS)
        .expose_headers([PURSER_SIGNATURE, RETRY_AFTER])
        .max_age(KEPT)
}

fn layer(origins: &[Origin]) -> CorsLayer {
    let origins = origins.iter().map(|origin| HeaderValue::from(origin.clone()));
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers(HEADERS)
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
