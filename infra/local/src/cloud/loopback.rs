//! An HTTP listener that only this machine can reach, on a port the system picks.
//!
//! Invariant: the listener never outlives its [`Loopback`], and a request that has begun is
//! answered before [`Loopback::shutdown`] returns.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running listener. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Loopback {
    /// Serves `router` on a fresh port of 127.0.0.1.
    pub async fn serve(router: axum::Router) -> io::Result<Self> {
        Self::spawn(|listener, stopped| async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.map_err(|error| error.to_string())
        })
        .await
    }

    /// Binds a fresh port and runs whatever `server` makes of it until told to stop.
    pub(crate) async fn spawn<S, F>(server: S) -> io::Result<Self>
    where
        S: FnOnce(TcpListener, crate::BoxFuture<'static, ()>) -> F,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, server)
    }

    /// Runs whatever `server` makes of the listener until told to stop.
    pub(crate) fn on<S, F>(listener: TcpListener, server: S) -> io::Result<Self>
    where
        S: FnOnce(TcpListener, crate::BoxFuture<'static, ()>) -> F,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        // A dropped sender ends the wait just as a sent message does.
        let stopped = Box::pin(async move { drop(stopped.await) });
        let serving = server(listener, stopped);
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%address, %error, "a local listener ended");
            }
        });
        Ok(Self { address, stop, task })
    }

    /// The base address for an SDK client, `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting, answers what has begun, and returns when all of it is done.
    pub async fn shutdown(self) {
        // The receiver is gone only if the listener has ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a local listener failed while it stopped");
        }
    }
}
