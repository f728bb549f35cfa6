//! The routes of operations, described or not.
//!
//! Invariant: the same handlers answer the same paths and methods either way. Only tests build the API's document, and
//! compare it with the one that is committed, which is what is served. So a release has no code that describes.

/// Like `utoipa_axum::routes`, for the same handlers, but without what describes them.
#[macro_export]
macro_rules! undescribed_routes {
    ($($handler:path),+ $(,)?) => {{
        use $crate::utoipa_axum::PathItemExt;
        let mut paths = utoipa::openapi::path::Paths::new();
        let mut methods = axum::routing::MethodRouter::new();
        $(
            let (path, types) = $crate::utoipa_axum::paste! {(
                $crate::utoipa_axum::routes!(@path [path()] of $handler),
                $crate::utoipa_axum::routes!(@path [methods()] of $handler),
            )};
            methods = types.iter().fold(methods, |methods, it| methods.on(it.to_method_filter(), $handler));
            paths.add_path_operation(&path, types, utoipa::openapi::path::Operation::new());
        )+
        (Vec::new(), paths, methods)
    }};
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt;
    use utoipa_axum::router::OpenApiRouter;

    mod room {
        #[utoipa::path(get, path = "/things/{refid}")]
        pub async fn read() -> &'static str {
            "read"
        }

        #[utoipa::path(delete, path = "/things/{refid}")]
        pub async fn delete() -> &'static str {
            "deleted"
        }
    }

    #[utoipa::path(post, path = "/things")]
    async fn create() -> &'static str {
        "created"
    }

    #[tokio::test]
    async fn handlers_answer_the_same_paths_and_methods_described_or_not() {
        let described = OpenApiRouter::<()>::default()
            .routes(utoipa_axum::routes!(room::read, room::delete))
            .routes(utoipa_axum::routes!(create));
        let plain = OpenApiRouter::<()>::default()
            .routes(crate::undescribed_routes!(room::read, room::delete))
            .routes(crate::undescribed_routes!(create));
        let (described, plain) = (described.split_for_parts(), plain.split_for_parts());
        let paths = |document: &utoipa::openapi::OpenApi| -> Vec<_> {
            let paths = document.paths.paths.iter();
            paths.map(|(path, it)| (path.clone(), it.get.is_some(), it.post.is_some(), it.delete.is_some())).collect()
        };
        assert_eq!(paths(&described.1), paths(&plain.1));
        assert_eq!(paths(&plain.1).len(), 2);
        for (method, path, status) in [
            ("GET", "/things/1", StatusCode::OK),
            ("DELETE", "/things/1", StatusCode::OK),
            ("POST", "/things/1", StatusCode::METHOD_NOT_ALLOWED),
            ("POST", "/things", StatusCode::OK),
            ("GET", "/other", StatusCode::NOT_FOUND),
        ] {
            for router in [&described.0, &plain.0] {
                let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
                assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{method} {path}");
            }
        }
    }
}
