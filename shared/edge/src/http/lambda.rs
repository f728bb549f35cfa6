//! Runs a function's routes on AWS Lambda.
//!
//! Invariant: an HTTP event is sanitised before `lambda_http` turns it into a request. API Gateway's HTTP API decodes
//! the path once and does not encode the query. Such a path could match another route, and such a query could cause a
//! panic.

use axum::Router;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::serve::is_plain;

const NOWHERE: &str = "/-";
/// The characters to percent-encode in a query: those that are not visible ASCII, and those that a URI forbids.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Answers HTTP API events until the process ends.
pub async fn run_http(routes: Router) -> Result<(), Error> {
    let adapter = lambda_http::Adapter::from(routes);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let mut adapter = adapter.clone();
        async move { adapter.call(LambdaEvent { payload: harmless(event.payload), context: event.context }).await }
    }))
    .await
}

/// The event with a safe path and a query that can be parsed. An unsafe path becomes `/-`, which has no route.
pub fn harmless(request: LambdaRequest) -> LambdaRequest {
    let LambdaRequest::ApiGatewayV2(mut event) = request else {
        return request;
    };
    if !event.raw_path.as_deref().is_some_and(is_plain) {
        event.raw_path = Some(NOWHERE.to_owned());
    }
    event.raw_query_string = event.raw_query_string.map(|query| utf8_percent_encode(&query, UNSAFE).to_string());
    LambdaRequest::ApiGatewayV2(event)
}
