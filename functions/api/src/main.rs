//! The one binary behind every Lambda function: `_HANDLER`, which is the template's `Handler:`, picks the entry.
//!
//! Invariant: a process serves one function only, with the rights of that function's role.

use aws_lambda_events::dynamodb;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use purser_api::{Entry, function};
use purser_edge::consumer::observed;
use purser_edge::{App, lambda, logs};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    logs::start(std::env::var("PURSER_BUS").unwrap_or_default());
    let name = std::env::var("_HANDLER")
        .map_err(|_| "_HANDLER is not set: this binary runs on AWS Lambda")?;
    let function = function(&name).ok_or_else(|| format!("there is no function {name:?}"))?;
    let app = App::from_environment().await?;
    match function.entry {
        Entry::Http(_) => {
            lambda::run_http(function.router(&app).ok_or("a function without routes")?).await
        }
        Entry::Stream(handle) => {
            let app = &app;
            let handler = async |event: LambdaEvent<dynamodb::Event>| {
                Ok::<_, Error>(handle(app.clone(), event.payload).await)
            };
            lambda_runtime::run(service_fn(handler)).await
        }
        Entry::Event(handle) => {
            let (app, name) = (&app, function.name);
            let handler = async |event: LambdaEvent<EventBridgeEvent<Value>>| {
                let consume = async |event| handle(app.clone(), event).await;
                observed(name, event.payload, consume)
                    .await
                    .map_err(Error::from)
            };
            lambda_runtime::run(service_fn(handler)).await
        }
    }
}
