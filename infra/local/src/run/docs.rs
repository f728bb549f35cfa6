//! `/docs`: the API's document, to read and to try out.
//!
//! Invariant: this process serves everything the page needs, so the page works without a network, and may load nothing
//! else; the document is the one at `/openapi.json`, never a copy. The page keeps no key once it is closed.

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use purser_edge::http::serve::method_not_allowed;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub fn routes() -> Router {
    let config = Config::from("/openapi.json")
        .try_it_out_enabled(true)
        .display_request_duration(true)
        // Without this, the page sends the document to a public validator.
        .validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config))
        .method_not_allowed_fallback(async || method_not_allowed())
        .layer(map_response(protected))
}

/// What the page may do. Its library sets styles on elements, and holds small pictures in its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 8 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn the_page_reads_the_document_of_the_gateway_and_nothing_from_outside() {
        assert_eq!(get("/docs").await.0, 303);
        let (status, page) = get("/docs/").await;
        assert_eq!(status, 200);
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        let (status, script) = get("/docs/swagger-initializer.js").await;
        assert_eq!(status, 200);
        assert!(script.contains(r#""url": "/openapi.json""#), "{script}");
        assert!(script.contains(r#""validatorUrl": "none""#), "{script}");
        let request = Request::get("/docs/").body(Body::empty()).unwrap();
        let response = routes().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-security-policy"], POLICY);
        assert!(!script.contains("persistAuthorization\": true"), "{script}");
        for file in ["swagger-ui.css", "swagger-ui-bundle.js"] {
            assert_eq!(get(&format!("/docs/{file}")).await.0, 200, "{file}");
        }
    }
}
