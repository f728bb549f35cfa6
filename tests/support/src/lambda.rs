//! Calls functions as Lambda does, with events of an HTTP API or of the bus.
//!
//! Invariant: an event goes through everything that it goes through in the cloud, except the connection to Lambda.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::ServiceExt;
use serde_json::{Value, json};

use crate::reply::Reply;
use crate::world::World;

/// An event of an HTTP API as API Gateway sends it: with the path decoded and the query string raw.
pub fn event(method: &str, path: &str, query: &str, key: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"authorization": format!("Bearer {key}"), "host": "api.example.com"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example.com", "domainPrefix": "api", "requestId": "r",
            "routeKey": "$default", "stage": "$default", "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"},
        },
        "isBase64Encoded": false,
    })
}

pub async fn invoke(world: &World, function: &str, event: Value) -> Reply {
    let app = world.system().apps().of(function).expect("a function");
    let function = purser_lambda::function(function).expect("a function");
    let router = purser_lambda::router(function, app).expect("routes");
    let event: LambdaRequest = serde_json::from_value(event).expect("an event");
    let request = lambda_http::Request::from(purser_edge::http::lambda::harmless(event));
    let response = router.oneshot(request).await.expect("an answer");
    Reply::of(response).await
}

pub fn bus_event(name: &str, detail: &Value) -> EventBridgeEvent<Value> {
    let event = json!({
        "version": "0", "id": "1", "detail-type": name, "source": "purser", "account": "1",
        "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail,
    });
    serde_json::from_value(event).expect("an event")
}

/// The event by which a schedule starts a function.
pub fn scheduled(id: &str) -> EventBridgeEvent<Value> {
    let event = json!({
        "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.events", "account": "1",
        "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": {},
    });
    serde_json::from_value(event).expect("an event")
}
