//! How fast the release binary starts and answers, compared with a bare Lambda runtime and with the bare calls of the
//! SDK.
//!
//! Invariant: everything compared is built alike, is measured in the same run and takes turns, so that other load on
//! the machine affects all of it equally. Functions meet the Runtime API, TLS and the answers of a real table. What
//! is missing is the network to other machines, and the limited share of a processor that Lambda gives.

pub mod cloud;
pub mod process;
pub mod report;
pub mod runtime_api;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;

use cloud::{Cloud, Exchange};
use process::{Phase, Process};
use purser_tests::lambda::event;
use purser_tests::prelude::*;

/// How many requests after a start are not counted as warm yet.
const WARMING: usize = 10;

pub type Environment = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub struct Programs {
    pub purser: PathBuf,
    /// A function that does nothing.
    pub hello: PathBuf,
    /// A function that only makes the recorded calls.
    pub calls: PathBuf,
}

/// A function to measure, with the event it is sent and the answers it gets.
#[derive(Debug, Clone)]
pub struct Subject {
    pub name: String,
    /// The name of the subject it is compared with.
    pub compared: Option<String>,
    program: PathBuf,
    environment: Environment,
    event: Bytes,
    status: Option<u64>,
    at_start: Arc<[Exchange]>,
    at_request: Arc<[Exchange]>,
    pub starts: Vec<Phase>,
    pub firsts: Vec<Phase>,
    pub warm: Vec<Phase>,
}

/// All subjects, with what they need to run.
pub struct Bench {
    pub subjects: Vec<Subject>,
    cloud: Cloud,
    folder: PathBuf,
    _world: World,
}

impl Bench {
    /// Creates a world in `folder`, and runs each request once to record its calls.
    pub async fn prepare(programs: &Programs, folder: &Path) -> Self {
        let world = World::with(Some(folder.join("data")), &[]).await;
        let secrets = world.system().vault().texts().expect("secrets");
        let table = world.system().dynamo().clone();
        let cloud = Cloud::start(secrets, table, folder).await;
        let partner = world.partner("gold", 100_000).await;
        let (product, client) = (world.product(700).await, world.client(&partner).await);
        let key = partner.caller.key().expect("a key");
        let order = json!({"product": product, "client": client});
        let requests = [
            ("health", "front", event("GET", "/health", "", key), 200),
            ("read a client", "read-clients", event("GET", &format!("/v1/clients/{client}"), "", key), 200),
            ("provision", "provision", with_body(event("POST", "/v1/provisions", "", key), &order), 201),
        ];
        let mut bench = Self { subjects: Vec::new(), cloud, folder: folder.to_owned(), _world: world };
        let hello = bench.subject("hello", &programs.hello, "bare-hello");
        bench.subjects.push(hello);
        for (name, handler, event, status) in requests {
            let event = Bytes::from(event.to_string());
            bench.add(name, handler, &event, status, programs).await;
        }
        bench
    }

    /// Runs a request once, and adds its function as a subject; if the request makes calls, also adds those as a
    /// subject.
    async fn add(&mut self, name: &str, handler: &str, event: &Bytes, status: u64, programs: &Programs) {
        let mut subject = self.subject(name, &programs.purser, handler);
        subject.event = event.clone();
        subject.status = Some(status);
        self.cloud.record();
        let (mut process, _) = subject.start(&self.folder).await;
        subject.at_start = self.cloud.recorded();
        self.cloud.record();
        let (answer, _) = process.ask(event).await;
        subject.check(&answer);
        subject.at_request = self.cloud.recorded();
        if !subject.at_request.is_empty() {
            let bare = format!("  its bare calls, {}", subject.at_request.len());
            subject.compared = Some(bare.clone());
            let mut calls = self.subject(&bare, &programs.calls, "bare-calls");
            let file = self.folder.join(format!("{handler}.json"));
            std::fs::write(&file, recorded(&subject.at_request)).expect("a file");
            let file = file.display().to_string();
            calls.environment.insert("BARE_CALLS".to_owned(), file);
            calls.event = event.clone();
            calls.at_request = subject.at_request.clone();
            self.subjects.push(calls);
        }
        self.subjects.push(subject);
    }

    fn subject(&self, name: &str, program: &Path, handler: &str) -> Subject {
        Subject {
            name: name.to_owned(),
            compared: None,
            program: program.to_owned(),
            environment: environment(handler, &self.cloud),
            event: Bytes::from_static(b"{}"),
            status: None,
            at_start: Arc::default(),
            at_request: Arc::default(),
            starts: Vec::new(),
            firsts: Vec::new(),
            warm: Vec::new(),
        }
    }

    /// Starts every subject once, and sends it this many warm requests.
    pub async fn round(&mut self, requests: usize) {
        for subject in &mut self.subjects {
            self.cloud.replay(&subject.at_start);
            let (mut process, phase) = subject.start(&self.folder).await;
            subject.starts.push(phase);
            for place in 0..=WARMING + requests {
                self.cloud.replay(&subject.at_request);
                let (answer, phase) = process.ask(&subject.event).await;
                subject.check(&answer);
                match place {
                    0 => subject.firsts.push(phase),
                    1..=WARMING => {}
                    _ => subject.warm.push(phase),
                }
            }
        }
    }
}

impl Subject {
    async fn start(&self, folder: &Path) -> (Process, Phase) {
        Process::start(&self.program, &self.environment, &folder.join("log")).await
    }

    pub fn is_purser(&self) -> bool {
        self.status.is_some()
    }

    /// Stops the measurement if the answer has the wrong status, because the times of a refusal would mean nothing.
    fn check(&self, answer: &Bytes) {
        let Some(status) = self.status else { return };
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        assert_eq!(answer["statusCode"], status, "{}: {answer}", self.name);
    }
}

/// The environment variables that Lambda gives a function's process, and those that the template adds.
fn environment(handler: &str, cloud: &Cloud) -> Environment {
    let template = purser_local::run::system::template().expect("the template");
    let mut environment = template.variables();
    let given = [
        ("_HANDLER", handler),
        ("AWS_LAMBDA_FUNCTION_NAME", handler),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_REGION", purser_local::REGION),
        ("AWS_DEFAULT_REGION", purser_local::REGION),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_SESSION_TOKEN", "example"),
        ("AWS_ENDPOINT_URL_DYNAMODB", cloud.dynamodb.as_str()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", cloud.secrets.as_str()),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ];
    let owned = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    environment.extend(owned);
    let bundle = cloud.bundle.display().to_string();
    environment.insert("SSL_CERT_FILE".to_owned(), bundle);
    environment
}

/// The event with a JSON body and an idempotency key.
fn with_body(mut event: Value, body: &Value) -> Value {
    event["headers"]["content-type"] = json!("application/json");
    event["headers"]["idempotency-key"] = json!("bench");
    event["body"] = json!(body.to_string());
    event
}

/// The calls in the format that `bare-calls` reads.
fn recorded(exchanges: &[Exchange]) -> String {
    let calls = exchanges.iter().map(|exchange| json!({"operation": exchange.operation, "request": exchange.request}));
    Value::Array(calls.collect()).to_string()
}
