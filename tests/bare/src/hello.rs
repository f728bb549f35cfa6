//! The smallest Lambda function in Rust: the least a start and a request cost.
//!
//! Invariant: it does what the first example of the Lambda runtime does, and no more.

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::de::IgnoredAny;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(hello)).await
}

async fn hello(_event: LambdaEvent<IgnoredAny>) -> Result<&'static str, Error> {
    Ok("hello")
}
