//! Accepts connections up to a limit, and closes those on which the head of a request does not arrive in time.
//!
//! Invariant: a silent connection is closed, so that connections waiting to be accepted get their turn. axum's own
//! `serve` can't do that, because it gives hyper no timer.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use super::bounds::Bounds;
use crate::BoxFuture;

/// The pause after the system could not accept a connection, for example because too many files are open.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Serves `router` until `stopped` resolves, and then answers the requests that have begun.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stopped: BoxFuture<'static, ()>,
) -> Result<(), String> {
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(bounds.connections));
    let mut stopped = pin!(stopped);
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            () = &mut stopped => break,
        };
        let serving = connection(stream, peer, router.clone(), bounds, graceful.watcher());
        tokio::spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// Accepts the next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // Acquiring never fails, because the semaphore is never closed.
    let place = Arc::clone(free).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, bounds: Bounds, watcher: Watcher) {
    // Send small responses at once, without waiting to fill a packet.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.patience)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "a connection broke");
    }
}
