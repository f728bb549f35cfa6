//! `/docs`: the API's document, to read and to try out.
//!
//! Invariant: this process serves everything the page needs, so the page works without a network; the document is the
//! one at `/openapi.json`, never a copy.

use axum::Router;
use purser_edge::http::serve::method_not_allowed;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub fn routes() -> Router {
    let config = Config::from("/openapi.json")
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .display_request_duration(true)
        // Without this, the page sends the document to a public validator.
        .validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config)).method_not_allowed_fallback(async || method_not_allowed())
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
        for file in ["swagger-ui.css", "swagger-ui-bundle.js"] {
            assert_eq!(get(&format!("/docs/{file}")).await.0, 200, "{file}");
        }
    }
}
