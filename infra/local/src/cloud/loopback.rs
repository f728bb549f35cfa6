//! An HTTP listener that only this machine can reach, on a port that the system picks.
//!
//! Invariant: the listener never outlives its [`Loopback`], and a request that has begun is answered before
//! [`Loopback::shutdown`] returns.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running listener. Dropping it stops the listener without waiting.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Loopback {
    pub async fn serve(router: axum::Router) -> io::Result<Self> {
        Self::spawn(|listener, stopped| async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.map_err(|error| error.to_string())
        })
        .await
    }

    /// Binds a free port of 127.0.0.1 and runs `server` on it until the listener is stopped.
    pub(crate) async fn spawn<S, F>(server: S) -> io::Result<Self>
    where
        S: FnOnce(TcpListener, crate::BoxFuture<'static, ()>) -> F,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, server)
    }

    pub(crate) fn on<S, F>(listener: TcpListener, server: S) -> io::Result<Self>
    where
        S: FnOnce(TcpListener, crate::BoxFuture<'static, ()>) -> F,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        // The wait also ends when the sender is dropped.
        let stopped = Box::pin(async move { drop(stopped.await) });
        let serving = server(listener, stopped);
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%address, %error, "a local listener ended");
            }
        });
        Ok(Self { address, stop, task })
    }

    /// The base URL for an SDK client, `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting connections, answers the requests that have begun, and returns.
    pub async fn shutdown(self) {
        // Sending fails only if the listener has ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a local listener failed while it stopped");
        }
    }
}
