//! Signs what programs are told, so that they know that it is Purser's answer to what they asked (rule C3).
//!
//! Invariant: whatever a handler answers to a request with a licence key is signed, refusals too, over exactly the
//! bytes that are sent. A function that does not have the key answers nothing else than that it failed. What is refused
//! before a handler runs (a rate limit, a body that is too large) is not signed.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method};
use purser_store::engine::Secrets;

use super::is_by_key;
use crate::http::extract::{MOST_BYTES, whole};
use crate::http::problem::Problem;
use crate::process::keeper::Keeper;

pub(super) const PURSER_SIGNATURE: HeaderName = HeaderName::from_static("purser-signature");

/// Signs the answers of those `routes` that take a licence key.
pub(super) fn signed(keeper: &Keeper, routes: Router) -> Router {
    let secrets = keeper.secrets().clone();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let secrets = secrets.clone();
        async move {
            if request.method() != Method::POST || !is_by_key(request.uri().path()) {
                return next.run(request).await;
            }
            answer(&secrets, request, next).await.unwrap_or_else(Problem::into_response)
        }
    }))
}

/// The handler's answer to a request, signed.
async fn answer(secrets: &Secrets, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let asked = whole(body, MOST_BYTES).await?;
    let answered = next.run(Request::from_parts(parts, Body::from(asked.clone()))).await;
    let (mut parts, body) = answered.into_parts();
    // The handler has made the whole answer already.
    let told = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let signature = secrets.sign_answer(&asked, &told)?.to_string();
    let signature = HeaderValue::try_from(signature).map_err(|_| Problem::internal())?;
    parts.headers.insert(PURSER_SIGNATURE, signature);
    Ok(Response::from_parts(parts, Body::from(told)))
}
