//! Fills a folder with every command of the API, and keeps each request with its answer.

use std::path::PathBuf;

use data_encoding::BASE64;
use jiff::SignedDuration;
use purser_edge::process::clock::Clock;
use purser_local::run::system::Options;
use purser_tests::{Reply, World};
use serde_json::{Value, json};

use crate::http::operations::{Needs, Party, Request, Who, cases};

const START: &str = "2026-10-01T09:00:00Z";
/// When the folder is opened again: a month later, after every request was sent.
pub const NOW: &str = "2026-11-01T09:00:00Z";

#[derive(Debug, Clone)]
pub struct Exchange {
    /// The operation's name in the document; empty if no case made the request.
    pub operation: String,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// The idempotency key, if one was sent.
    pub key: Option<String>,
    pub status: u16,
    pub answer: Vec<u8>,
    /// Whether it was sent when everything else was done, so that it gets the same answer later.
    pub at_the_end: bool,
}

impl Exchange {
    pub async fn send(&self, world: &World) -> Reply {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.nobody().send(&self.method, &self.target, &headers, self.body.clone()).await
    }

    pub fn to_json(&self) -> Value {
        let body = self.body.as_ref().map(|body| BASE64.encode(body));
        json!({"operation": self.operation, "method": self.method, "target": self.target,
               "headers": self.headers, "body": body, "key": self.key,
               "status": self.status, "answer": BASE64.encode(&self.answer), "at_the_end": self.at_the_end})
    }

    pub fn of_json(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let bytes = |value: &Value| value.as_str().map(|text| BASE64.decode(text.as_bytes()).unwrap());
        Self {
            operation: text(&value["operation"]).unwrap(),
            method: text(&value["method"]).unwrap(),
            target: text(&value["target"]).unwrap(),
            headers: serde_json::from_value(value["headers"].clone()).unwrap(),
            body: bytes(&value["body"]),
            key: text(&value["key"]),
            status: u16::try_from(value["status"].as_u64().unwrap()).unwrap(),
            answer: bytes(&value["answer"]).unwrap(),
            at_the_end: value["at_the_end"] == true,
        }
    }
}

/// A world with records of every kind, and the requests that were sent to it.
pub struct Filled {
    pub world: World,
    pub exchanges: Vec<Exchange>,
}

/// How the folder is filled and opened: without rate limits, and with every route open.
pub fn options() -> Options {
    let variables = [
        ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_ADDRESS_MAILS_PER_HOUR", "0"),
        ("PURSER_PARTNER_SIGN_UP", "true"),
        ("PURSER_AUTO_BIND_USER", "true"),
        ("PURSER_HOLD_ON_LOW_CREDIT", "true"),
    ];
    Options {
        operator_key: Some("the operator's key, any string".into()),
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Options::default()
    }
}

pub async fn fill(folder: PathBuf) -> Filled {
    let clock = Clock::stopped_at(START.parse().unwrap());
    let world = World::start(Options { folder: Some(folder), clock, ..options() }).await;
    // This user never confirms, and so is stale after a month.
    world.register("stale@example.com").await;
    world.system().settle().await;
    world.system().clock().advance(SignedDuration::from_hours(31 * 24));
    let mut filled = Filled { world, exchanges: Vec::new() };
    let shared = Party::ready_for(&filled.world, Needs::Staff).await;
    let mut parties = vec![shared];
    for n in 0..cases(&filled.world).await.len() {
        if let Some(party) = filled.ask(n, &parties[0]).await {
            parties.push(party);
        }
    }
    filled.in_other_ways(&parties[0]).await;
    filled.end(&parties).await;
    filled
}

impl Filled {
    /// Sends the request of the case numbered `n` if it changes something; returns the party that it was about. That
    /// is `shared` if anybody may send the request and it needs nothing, and otherwise a party of its own.
    async fn ask(&mut self, n: usize, shared: &Party) -> Option<Party> {
        let cases = cases(&self.world).await;
        let (case, operation) = &cases[n];
        if operation.method == "GET" {
            return None;
        }
        // Everything that earlier requests caused has to be done, so that each filling stores the same.
        self.world.system().settle().await;
        let party = match case.who {
            Who::Anybody if case.needs == Needs::Nothing => shared.clone(),
            _ => Party::ready_for(&self.world, case.needs).await,
        };
        self.world.system().settle().await;
        let mut ids = party.ids.clone();
        ids.fresh = self.world.fresh("fresh");
        let key = format!("stored-{n}");
        let mut request = (case.sample)(&ids).request(operation, &key);
        let takes_key = operation.header("Idempotency-Key").is_some();
        if takes_key {
            request = request.without_header("idempotency-key").with_header("idempotency-key", &key);
        }
        let caller = party.caller(&self.world, case.who);
        self.exchange(&request, caller.key(), takes_key.then_some(key)).await;
        self.exchanges.last_mut().unwrap().operation = operation.name();
        Some(party)
    }

    /// Sends commands whose stored shape depends on more than the route.
    async fn in_other_ways(&mut self, party: &Party) {
        let (reseller, product) = (party.ids.reseller.clone(), party.ids.product.clone());
        let whole = json!({
            "name": "Ünïcode GmbH", "email": "whole@example.com", "phone": "+49 30 1234", "reseller": reseller,
            "client_id": "ERP-0815", "metadata": {"a": {"b": [1, null, "x"]}, "c": true}
        });
        let unfit = json!({"product": product, "quantity": 3, "description": "three for one", "reseller": reseller,
                           "client": {"name": "New", "email": "new@example.com", "metadata": {"k": "v"}}});
        let key = party.caller.key().map(ToOwned::to_owned);
        for (n, (path, body)) in [
            ("/v1/clients", &whole),
            ("/v1/provisions", &unfit),
            // Takes the balance below the threshold, so that provisioning is held.
            ("/v1/provisions", &json!({"cost": 999_900, "description": "nearly all of it"})),
        ]
        .into_iter()
        .enumerate()
        {
            let key_of_command = format!("other-{n}");
            let request = posted(path, body, &key_of_command);
            self.exchange(&request, key.as_deref(), Some(key_of_command)).await;
            self.world.system().settle().await;
        }
        let credit = json!({"amount": 5_000, "reference": "INV-1", "description": "Top-up"});
        let request = posted(&format!("/v1/resellers/{reseller}/credits"), &credit, "other-credit");
        let operator = self.world.operator.key().map(ToOwned::to_owned);
        self.exchange(&request, operator.as_deref(), Some("other-credit".into())).await;
        // The same reference under another key adds nothing; its answer is remembered by an item of another kind.
        let request = posted(&format!("/v1/resellers/{reseller}/credits"), &credit, "other-again");
        self.exchange(&request, operator.as_deref(), Some("other-again".into())).await;
    }

    /// Reads everything there is, once nothing changes any more.
    async fn end(&mut self, parties: &[Party]) {
        self.world.run_schedule("checkpoint-ledger").await;
        self.world.run_schedule("rollup").await;
        self.world.system().settle().await;
        let operator = self.world.operator.key().map(ToOwned::to_owned);
        for (case, operation) in cases(&self.world).await {
            let varies = ["/health", "/openapi.json", "/v1/auth/captcha"].contains(&operation.path.as_str());
            if operation.method == "GET" && case.needs == Needs::Nothing && !varies {
                let request = (case.sample)(&parties[0].ids).request(&operation, "");
                self.read(request, operator.as_deref()).await;
            }
        }
        for party in parties {
            let ids = &party.ids;
            let own = format!("/v1/resellers/{}", ids.reseller);
            let targets = [
                own.clone(),
                format!("{own}/wallet"),
                format!("{own}/entries?limit=100"),
                format!("{own}/verify"),
                format!("/v1/clients?reseller={}", ids.reseller),
                format!("/v1/clients/{}", ids.client),
                format!("/v1/provisions/{}", ids.provision),
                format!("/v1/users?reseller={}", ids.reseller),
                format!("/v1/api-keys?reseller={}", ids.reseller),
            ];
            for target in targets {
                self.read(get(&target), operator.as_deref()).await;
            }
        }
        // A cursor that was handed out must stay valid.
        for list in ["/v1/clients", "/v1/resellers", "/v1/products"] {
            let first = format!("{list}?limit=3");
            self.read(get(&first), operator.as_deref()).await;
            let answer: Value = serde_json::from_slice(&self.exchanges.last().unwrap().answer).unwrap();
            let cursor = answer["next_cursor"].as_str().expect("more than three");
            self.read(get(&format!("{first}&cursor={cursor}")), operator.as_deref()).await;
        }
    }

    async fn read(&mut self, request: Request, key: Option<&str>) {
        self.exchange(&request, key, None).await;
        self.exchanges.last_mut().unwrap().at_the_end = true;
    }

    async fn exchange(&mut self, request: &Request, bearer: Option<&str>, key: Option<String>) {
        let caller = self.world.nobody().with_key(bearer);
        let reply = request.send(&caller).await;
        let what = format!("{} {}: {}", request.method, request.path, String::from_utf8_lossy(&reply.bytes));
        assert!(reply.status < 300 || request.method == "GET", "{what}");
        let mut headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        headers.extend(bearer.map(|bearer| ("authorization".to_owned(), format!("Bearer {bearer}"))));
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query.join("&")) };
        self.exchanges.push(Exchange {
            operation: String::new(),
            method: request.method.clone(),
            target: format!("{}{query}", request.path),
            headers,
            body: request.body.clone(),
            key,
            status: reply.status,
            answer: reply.bytes,
            at_the_end: false,
        });
    }
}

fn posted(path: &str, body: &Value, key: &str) -> Request {
    let headers = vec![("content-type", "application/json".to_owned()), ("idempotency-key", key.to_owned())];
    let body = Some(body.to_string().into_bytes());
    Request { method: "POST".into(), path: path.into(), query: Vec::new(), headers, body }
}

fn get(target: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter(|it| !it.is_empty()).map(ToOwned::to_owned).collect();
    Request { method: "GET".into(), path: path.into(), query, headers: Vec::new(), body: None }
}
