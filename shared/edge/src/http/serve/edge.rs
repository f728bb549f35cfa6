//! The edge, such as CloudFront, through which requests come where a deployment has one.
//!
//! Invariant: what a request says of its viewer is believed only with the edge's secret. Where the edge is required, a
//! request without both goes no further, because the API's own address stays open to everybody.

use std::net::IpAddr;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use purser_store::engine::Secrets;

use crate::http::limits::Viewer;
use crate::http::problem::{Problem, refusals};
use crate::process::config::Edge;
use crate::process::keeper::Keeper;

/// The header with the secret. CloudFront adds it to requests for its origin, in place of what a viewer sent.
const SECRET: &str = "purser-edge-secret";
/// The header with the viewer's address. A function at the edge sets it, in place of what a viewer sent.
const VIEWER: &str = "purser-viewer-address";

/// Lets requests through to `routes` as the edge allows.
pub(super) fn behind(edge: Edge, keeper: &Keeper, routes: Router) -> Router {
    let keeper = keeper.clone();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let keeper = keeper.clone();
        async move {
            keeper.refresh().await;
            pass(edge, keeper.secrets(), request, next).await
        }
    }))
}

async fn pass(edge: Edge, secrets: &Secrets, mut request: Request, next: Next) -> Response {
    let viewer = match edge {
        Edge::None => Ok(None),
        Edge::Accepted | Edge::Required => viewer(secrets, request.headers()),
    };
    match viewer {
        Ok(Some(viewer)) => {
            request.extensions_mut().insert(viewer);
        }
        Ok(None) if edge == Edge::Required => {
            let detail = "Requests to this address are not answered. Use the address that you were given.";
            return Problem::because(refusals::NotThroughEdge, detail).into_response();
        }
        Ok(None) => {}
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

/// The viewer that the edge names; `None` for a request that did not come through the edge.
fn viewer(secrets: &Secrets, headers: &HeaderMap) -> Result<Option<Viewer>, Problem> {
    let known = secrets.is_of_the_edge(only(headers, SECRET).unwrap_or_default())?;
    let named = only(headers, VIEWER).and_then(|named| std::str::from_utf8(named).ok());
    let address = named.and_then(|text| text.parse::<IpAddr>().ok());
    Ok(address.filter(|_| known).map(Viewer))
}

/// The value of a header that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes())
}
