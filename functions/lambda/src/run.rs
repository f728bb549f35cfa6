//! What the binaries do: run the function that `_HANDLER`, set from `Handler:` in template.yaml, names.
//!
//! Invariant: a process serves one function, with the rights of that function's role, and initialises only what that
//! function needs (docs/start.md).

use aws_lambda_events::dynamodb;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use purser_api::{Entry, Routes};
use purser_edge::App;
use purser_edge::events::consumer::observed;
use purser_edge::http::lambda;
use purser_edge::process::gate::Gate;
use purser_edge::process::logs;
use serde_json::Value;

use crate::{Binary, router, stateless_router};

/// Runs one of these functions until Lambda ends the process.
// Lambda sends a process one request at a time, and a request mostly waits for the table. More threads would add cost
// and no throughput.
#[tokio::main(flavor = "current_thread")]
pub async fn run(binary: Binary) -> Result<(), Error> {
    logs::start(std::env::var("PURSER_BUS").unwrap_or_default());
    let name = std::env::var("_HANDLER").map_err(|_| "_HANDLER is not set: this binary runs on AWS Lambda")?;
    let function = binary.functions().find(|it| it.name == name);
    let function = function.ok_or_else(|| format!("there is no function {name:?} in {}", binary.name))?;
    match function.entry {
        Entry::Http(Routes::Stateless(_)) => {
            answer(stateless_router(function, &Gate::from_environment(&function.secrets()).await?)).await
        }
        Entry::Http(Routes::Stateful(_)) => answer(router(function, &App::connected(&function.secrets()).await?)).await,
        Entry::Http(Routes::Public(_) | Routes::Pages(_)) => {
            answer(router(function, &App::from_environment(&function.secrets()).await?)).await
        }
        Entry::Stream(handle) => {
            let app = &App::from_environment(&function.secrets()).await?;
            let handler = async |event: LambdaEvent<dynamodb::Event>| {
                app.keeper.refresh().await;
                Ok::<_, Error>(handle(app.clone(), event.payload).await)
            };
            lambda_runtime::run(service_fn(handler)).await
        }
        Entry::Event(handle) => {
            let app = &App::from_environment(&function.secrets()).await?;
            let name = function.name;
            let handler = async |event: LambdaEvent<EventBridgeEvent<Value>>| {
                app.keeper.refresh().await;
                let consume = async |event| handle(app.clone(), event).await;
                observed(name, event.payload, consume).await.map_err(Error::from)
            };
            lambda_runtime::run(service_fn(handler)).await
        }
        Entry::Call(answer) => {
            let app = &App::from_environment(&function.secrets()).await?;
            let handler = async |event: LambdaEvent<Value>| {
                app.keeper.refresh().await;
                answer(app.clone(), event.payload).await.map_err(Error::from)
            };
            lambda_runtime::run(service_fn(handler)).await
        }
    }
}

async fn answer(router: Option<axum::Router>) -> Result<(), Error> {
    lambda::run_http(router.ok_or("this function has no HTTP routes")?).await
}
