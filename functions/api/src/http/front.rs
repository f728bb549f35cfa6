//! `front`: the health check, the API's document, and every path for which no other function has a route (see
//! [`super::fallback`]).

use std::sync::LazyLock;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use purser_edge::prelude::*;

use crate::http::openapi;

pub fn routes() -> OpenApiRouter {
    OpenApiRouter::default().routes(routes!(health)).routes(routes!(document))
}

/// The health of the service.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`: the service answers requests.
    status: &'static str,
    /// The version of Purser that answered.
    version: &'static str,
}

/// Check the health of the service
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
async fn health() -> Result<Response, Problem> {
    answer::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Built once, because every request gets the same bytes.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let document = openapi::document();
    document.to_json().unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
});

/// Show the API's OpenAPI document
#[utoipa::path(get, path = "/openapi.json", tag = "service", responses((status = 200, body = Object)))]
async fn document() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.as_str()).into_response()
}
