//! Lambda's Runtime API for a single process, which asks for an event, receives it, answers, and asks again.
//!
//! Invariant: when a request arrives, the clock is read before anything else is done.

use std::io;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use purser_local::cloud::loopback::Loopback;
use tokio::sync::{mpsc, oneshot};

/// What a process tells the Runtime API.
#[derive(Debug)]
pub enum Said {
    /// It became ready for an event at this moment. The channel takes the event to it.
    Next(Instant, oneshot::Sender<Bytes>),
    Answer(Instant, Bytes),
    /// It failed, either to start or to handle an event.
    Failure(Bytes),
}

/// The Runtime API, listening for one process.
#[derive(Debug)]
pub struct RuntimeApi {
    loopback: Loopback,
    said: mpsc::UnboundedReceiver<Said>,
}

type Ear = State<mpsc::UnboundedSender<Said>>;

impl RuntimeApi {
    #[expect(clippy::disallowed_methods, reason = "Lambda's own paths are not part of the API or its document")]
    pub async fn start() -> io::Result<Self> {
        let (ear, said) = mpsc::unbounded_channel();
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(ear);
        Ok(Self { loopback: Loopback::serve(routes).await?, said })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        self.loopback.endpoint().replace("http://", "")
    }

    pub async fn said(&mut self) -> Option<Said> {
        self.said.recv().await
    }
}

async fn next(State(ear): Ear) -> impl IntoResponse {
    let now = Instant::now();
    let (event, coming) = oneshot::channel();
    let told = ear.send(Said::Next(now, event));
    match (told, coming.await) {
        (Ok(()), Ok(event)) => {
            let headers = [
                ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
                ("lambda-runtime-deadline-ms", "4102444800000"),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:bench"),
                (
                    "lambda-runtime-trace-id",
                    "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
                ),
            ];
            (StatusCode::OK, headers, event).into_response()
        }
        // This process is no longer being measured.
        _ => StatusCode::GONE.into_response(),
    }
}

async fn answered(State(ear): Ear, body: Bytes) -> StatusCode {
    tell(&ear, Said::Answer(Instant::now(), body))
}

async fn failed(State(ear): Ear, body: Bytes) -> StatusCode {
    tell(&ear, Said::Failure(body))
}

fn tell(ear: &mpsc::UnboundedSender<Said>, said: Said) -> StatusCode {
    match ear.send(said) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}
