//! `front`: health, the API's document, and whatever no other function has a route for.
//!
//! Invariant: an unknown path is 404 and a known path with another method 405, as a problem, for everybody alike.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{ALLOW, CONTENT_TYPE};
use purser_edge::{Problem, answer, serve};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi;

/// The routes of this function.
pub fn routes() -> OpenApiRouter {
    OpenApiRouter::default().routes(routes!(health)).routes(routes!(document))
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`: requests are answered.
    status: &'static str,
    /// The version that answers.
    version: &'static str,
}

/// Health
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
async fn health() -> Result<Response, Problem> {
    answer::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Built once: every request for it gets the same bytes.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let document = openapi::document();
    document.to_json().unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
});

/// The API's document
#[utoipa::path(get, path = "/openapi.json", tag = "service", responses((status = 200, body = Object)))]
async fn document() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.as_str()).into_response()
}

/// The paths of all functions with their methods, for telling 405 from 404.
static PATHS: LazyLock<Vec<(String, Vec<&'static str>)>> = LazyLock::new(|| {
    let methods = |item: &utoipa::openapi::PathItem| {
        let all = [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PATCH", item.patch.is_some()),
            ("PUT", item.put.is_some()),
            ("DELETE", item.delete.is_some()),
        ];
        all.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
    };
    openapi::paths().paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
});

/// What has no route: 405 where another method has one, else 404.
pub async fn elsewhere(request: Request) -> Response {
    let path = request.uri().path();
    let fitting = PATHS.iter().filter(|(template, _)| fits(template, path));
    let methods: Vec<&str> = fitting.flat_map(|(_, methods)| methods.clone()).collect();
    if methods.is_empty() {
        return Problem::not_found("path").into_response();
    }
    let mut response = serve::method_not_allowed().into_response();
    if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

/// Whether `path` is an instance of `template`, in which `{…}` stands for one segment.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, segment)| part == segment || (part.starts_with('{') && !segment.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_fits_its_instances_only() {
        for (template, path, fitting) in [
            ("/v1/clients", "/v1/clients", true),
            ("/v1/clients/{refid}", "/v1/clients/CL-1", true),
            ("/v1/clients/{refid}", "/v1/clients/", false),
            ("/v1/clients/{refid}", "/v1/clients", false),
            ("/v1/clients/{refid}/activate", "/v1/clients/CL-1/suspend", false),
        ] {
            assert_eq!(fits(template, path), fitting, "{template} {path}");
        }
    }
}
