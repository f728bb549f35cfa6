//! The whole system: how it starts, what it keeps, and what only a laptop can do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::run::folder::FolderError;

async fn ephemeral() -> System {
    System::start(Options::default()).await.unwrap()
}

fn kept_in(folder: &Path) -> Options {
    Options { folder: Some(folder.to_owned()), ..Options::default() }
}

/// Sends a request without the network, to the same router that listens on the port.
async fn ask(system: &System, request: Request) -> Response {
    let ephemeral = system.folder().is_none();
    let router = routes(&system.laptop, &system.stand_ins.mailbox, ephemeral, Bounds::default()).unwrap();
    router.oneshot(request).await.unwrap()
}

async fn json_of(response: Response) -> Value {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

fn get(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, body: &Value) -> Request {
    Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

fn with_key(mut request: Request, key: &str) -> Request {
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

/// Sends `GET` with a key over the network; returns the status and the whole response.
async fn over_the_wire(system: &System, path: &str, key: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let url = system.url();
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[tokio::test]
async fn template_and_code_fit() {
    let template = template().unwrap();
    assert_eq!(functions::check(&template), Ok(()));
    assert_eq!(functions::rules(&template, "Bus").map(|it| it.is_empty()), Ok(false));
}

#[tokio::test]
async fn an_operator_is_known_by_the_key_and_sees_what_a_request_cost() {
    let system = ephemeral().await;
    let (status, answer) = over_the_wire(&system, "/v1/products", system.operator_key()).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\r\npurser-cost: calls=1 rcu="), "{answer}");
    assert_eq!(over_the_wire(&system, "/v1/products", "op_other").await.0, 401);
    assert_eq!(over_the_wire(&system, "/health", "").await.0, 200);
    assert_eq!(over_the_wire(&system, "/docs/", "").await.0, 200);
    let (status, answer) = over_the_wire(&system, "/_local/nothing", "").await;
    assert_eq!(status, 404);
    assert!(answer.contains("application/problem+json"), "{answer}");
    system.shutdown().await;
}

#[tokio::test]
async fn a_client_gets_its_welcome_mail() {
    let system = ephemeral().await;
    let mut request = post("/v1/clients", &json!({"name": "Ada", "email": "ada@example.com"}));
    let key = format!("Bearer {}", system.operator_key());
    request.headers_mut().insert("authorization", key.parse().unwrap());
    assert_eq!(ask(&system, request).await.status(), 201);
    system.settle().await;
    let mails = system.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["ada@example.com"]);
    assert!(system.dead_letters().is_empty());
    let events = json_of(ask(&system, get("/_local/events")).await).await;
    assert_eq!(events["data"][0]["detail-type"], "ClientCreated");
    let listed = json_of(ask(&system, get("/_local/mails")).await).await;
    assert_eq!(listed["data"][0]["id"], mails[0].id.as_str());
    system.shutdown().await;
}

#[tokio::test]
async fn the_clock_is_turned_forward_only() {
    let system = ephemeral().await;
    let before = system.clock().timestamp();
    let response = ask(&system, post("/_local/clock", &json!({"advance": "P1D"}))).await;
    assert_eq!(response.status(), 200);
    let answer = json_of(response).await;
    let now: Timestamp = answer["now"].as_str().unwrap().parse().unwrap();
    let ahead = now.duration_since(before);
    assert!((24..25).contains(&ahead.as_hours()), "{ahead:?}");
    for (body, status, code) in [
        (json!({"advance": "-P1D"}), 422, "invalid_fields"),
        (json!({"advance": "tomorrow"}), 422, "invalid_fields"),
        (json!({"advance": "P9999W"}), 200, ""),
        (json!({"advance": "PT175000000H"}), 422, "invalid_fields"),
        (json!({"advance": 7}), 422, "invalid_fields"),
        (json!({}), 422, "invalid_fields"),
        (json!({"advance": "P1D", "to": 1}), 422, "invalid_fields"),
    ] {
        let response = ask(&system, post("/_local/clock", &body)).await;
        assert_eq!(response.status(), status, "{body}");
        if status != 200 {
            let problem = json_of(response).await;
            assert_eq!(problem["code"], code, "{body}");
        }
    }
    assert_eq!(ask(&system, get("/_local/clock")).await.status(), 405);
    system.shutdown().await;
}

#[tokio::test]
async fn only_what_has_a_timetable_can_be_run() {
    let system = ephemeral().await;
    for name in ["notify", "front", "nobody"] {
        let path = format!("/_local/schedules/{name}/run");
        let response = ask(&system, post(&path, &Value::Null)).await;
        assert_eq!(response.status(), 404, "{name}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(json_of(response).await["code"], "not_found", "{name}");
    }
    system.shutdown().await;
}

#[tokio::test]
async fn what_has_a_timetable_starts_when_its_time_has_come() {
    let on_time = Options { on_time: true, ..Options::default() };
    let system = System::start(on_time).await.unwrap();
    let key = system.operator_key();
    // No request starts the function: the system notices by itself that its clock shows another day.
    system.clock().advance(jiff::SignedDuration::from_hours(24));
    let started = async {
        loop {
            let (_, answer) = over_the_wire(&system, "/v1/checkpoints", key).await;
            if answer.contains("\"part\":1") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let started = tokio::time::timeout(GRACE, started).await;
    assert!(started.is_ok(), "no checkpoint");
    system.shutdown().await;
}

#[tokio::test]
async fn a_schedule_that_says_no_time_is_said_so() {
    let text = include_str!("../../../../../template.yaml");
    let text = text.replace("cron(30 0 * * ? *)", "cron(30 0 * * *)");
    let options = Options { template: Some(Arc::new(Template::parse(&text).unwrap())), ..Options::default() };
    let error = System::start(options).await.err().unwrap();
    let expected = "template: CheckpointLedger: `cron(30 0 * * *)` is not a schedule; ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_folder_keeps_everything_between_runs() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let options = kept_in(&folder);
    let first = System::start(options.clone()).await.unwrap();
    let key = first.operator_key().to_owned();
    let error = System::start(options.clone()).await.err().unwrap();
    assert!(matches!(error, StartError::Folder(FolderError::InUse(_))), "{error}");
    let product = post("/v1/products", &json!({"reference": "KEPT", "name": "x", "price": 1}));
    let made = ask(&first, with_key(product, &key)).await;
    assert_eq!(made.status(), 201);
    // A system that keeps its data has the real clock, which can't be turned.
    let turned = ask(&first, post("/_local/clock", &json!({"advance": "P1D"}))).await;
    assert_eq!(turned.status(), 404);
    first.shutdown().await;
    for name in ["secrets.json", "operator-key", "table.sqlite"] {
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let again = System::start(options).await.unwrap();
    assert_eq!(again.operator_key(), key);
    let (status, answer) = over_the_wire(&again, "/v1/products", &key).await;
    assert_eq!(status, 200);
    assert!(answer.contains("\"reference\":\"KEPT\""), "{answer}");
    again.settle().await;
    assert!(again.dead_letters().is_empty());
    again.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_said_so() {
    let first = ephemeral().await;
    let url = first.url();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let options = Options { port, ..Options::default() };
    let error = System::start(options).await.err().unwrap();
    let expected = format!("port {port} is in use; choose another with --port");
    assert_eq!(error.to_string(), expected);
    first.shutdown().await;
}

#[tokio::test]
async fn configuration_can_be_given_and_is_checked() {
    let with = |name: &str, value: &str| Options {
        variables: [(name.to_owned(), value.to_owned())].into(),
        ..Options::default()
    };
    let system = System::start(with("PURSER_LOW_CREDIT_THRESHOLD", "9")).await.unwrap();
    assert_eq!(system.app().config.low_credit_threshold.get(), 9);
    system.shutdown().await;
    let error = System::start(with("PURSER_CURRENCY", "x")).await.err().unwrap();
    assert!(error.to_string().starts_with("PURSER_CURRENCY"), "{error}");
    for (key, fits) in
        [("any string: ü & spaces", true), ("", false), (" k", false), ("k\n", false), ("a\u{7f}b", false)]
    {
        let options = Options { operator_key: Some(key.to_owned()), ..Options::default() };
        let system = System::start(options).await;
        assert_eq!(system.is_ok(), fits, "{key:?}");
        if let Ok(system) = system {
            assert_eq!(over_the_wire(&system, "/v1/products", key).await.0, 200);
        }
    }
}
