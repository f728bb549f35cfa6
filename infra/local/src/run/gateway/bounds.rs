//! How much the laptop takes on at once, in place of Lambda's concurrency and API Gateway's timeouts.
//!
//! Invariant: a request holds a place only from the arrival of its last byte until its response, so a slow sender
//! keeps nobody from being served. A request that finds no place is refused at once. Together with the limit on
//! connections, this limits memory, too.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use purser_edge::Problem;
use purser_edge::http::extract::{MOST_BYTES, MOST_PICTURE_BYTES, is_picture};
use purser_edge::http::problem::refusals;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many bodies larger than [`MOST_BYTES`] may be arriving at once.
const LARGE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub requests: usize,
    /// How many connections are open at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take to arrive, and then its body.
    pub patience: Duration,
}

impl Default for Bounds {
    /// Four times as many requests as one wallet can answer in time (docs/rules.md, "Turns"). The connections leave
    /// enough of the usual 1,024 open files for connections to the table.
    fn default() -> Self {
        Self { requests: 128, connections: 600, patience: Duration::from_secs(10) }
    }
}

#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    large: Arc<Semaphore>,
    patience: Duration,
}

impl From<Bounds> for Places {
    fn from(bounds: Bounds) -> Self {
        Self {
            free: Arc::new(Semaphore::new(bounds.requests)),
            large: Arc::new(Semaphore::new(LARGE)),
            patience: bounds.patience,
        }
    }
}

/// Passes a request on once it has arrived whole, if there is a place for it.
pub async fn bounded(State(places): State<Places>, request: Request, next: Next) -> Response {
    let request = match timeout(places.patience, whole(request, &places)).await {
        Ok(Ok(request)) => request,
        Ok(Err(problem)) => return problem.into_response(),
        Err(_) => return too_slow().into_response(),
    };
    match places.free.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Problem::busy().into_response(),
    }
}

/// The request with its whole body in memory, or with just enough of it to show that it is too large.
async fn whole(request: Request, places: &Places) -> Result<Request, Problem> {
    let (parts, mut body) = request.into_parts();
    let most = if is_picture(&parts.headers) { MOST_PICTURE_BYTES } else { MOST_BYTES };
    let mut large = None;
    let mut bytes = Vec::new();
    while bytes.len() <= most
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| Problem::unread_body())?;
        if let Ok(part) = frame.into_data() {
            bytes.extend_from_slice(&part);
        }
        // Only pictures may be larger than [`MOST_BYTES`], so few of them may be arriving at once.
        if bytes.len() > MOST_BYTES && large.is_none() {
            let place = places.large.clone().try_acquire_owned();
            large = Some(place.map_err(|_| Problem::busy())?);
        }
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn too_slow() -> Problem {
    Problem::because(refusals::RequestTimeout, "The body of the request did not arrive in time.")
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::Router;
    use axum::body::{Bytes, HttpBody};
    use axum::middleware::from_fn_with_state;
    use http::StatusCode;
    use hyper::body::Frame;
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    use super::*;

    fn request(body: Body) -> Request {
        Request::post("/").body(body).unwrap()
    }

    /// A router with `places` places. Each request is announced on the channel when it arrives, and is answered when
    /// the semaphore releases it.
    fn routes(places: usize) -> (Router, mpsc::Receiver<()>, Arc<Semaphore>) {
        let (there, arrivals) = mpsc::channel(9);
        let let_go = Arc::new(Semaphore::new(0));
        let waiting = Arc::clone(&let_go);
        let handler = async move |_: Request| {
            there.send(()).await.unwrap();
            waiting.acquire().await.unwrap().forget();
            "served"
        };
        let places = Places::from(Bounds { requests: places, ..Bounds::default() });
        let router = Router::new().fallback(handler);
        (router.layer(from_fn_with_state(places, bounded)), arrivals, let_go)
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_told_at_once_and_served_when_one_is_done() {
        let (router, mut arrivals, let_go) = routes(2);
        let held: Vec<_> = (0..2).map(|_| tokio::spawn(router.clone().oneshot(request(Body::empty())))).collect();
        for _ in 0..2 {
            arrivals.recv().await.unwrap();
        }
        let refused = router.clone().oneshot(request(Body::empty())).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        let_go.add_permits(3);
        for held in held {
            assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::OK);
        }
        let served = router.oneshot(request(Body::empty())).await.unwrap();
        assert_eq!(served.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_holds_no_place_and_is_given_up() {
        let (router, _arrivals, let_go) = routes(1);
        let slow = tokio::spawn(router.clone().oneshot(request(Body::new(Endless))));
        let_go.add_permits(1);
        let served = router.oneshot(request(Body::empty())).await.unwrap();
        assert_eq!(served.status(), StatusCode::OK);
        let slow = slow.await.unwrap().unwrap();
        assert_eq!(slow.status(), StatusCode::REQUEST_TIMEOUT);
    }

    /// A body that never sends anything.
    struct Endless;

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
