//! `front`: the health check, the API's document, and every path for which no other function has a route (see
//! [`super::fallback`]).

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use purser_edge::prelude::*;

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

/// The document as it is committed. A test compares it with the one that the code makes ([`super::openapi`]).
const DOCUMENT: &str = include_str!("../../../../openapi.json");

/// Show the API's OpenAPI document
#[utoipa::path(get, path = "/openapi.json", tag = "service", responses((status = 200, body = Object)))]
async fn document() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT).into_response()
}
