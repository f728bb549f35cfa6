//! Running a function on AWS Lambda.
//!
//! Invariant: an HTTP event is made harmless before the library that turns it into a request sees it: HTTP API
//! decodes the path once and hands the query on raw, and both could otherwise become another route or a panic.

use axum::Router;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::serve::is_plain;

/// A path no function has a route for.
const NOWHERE: &str = "/-";
/// What may not stand raw in a query: everything but visible ASCII, and what a URI forbids.
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

/// The event with a path that is plain and a query that can be parsed.
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
