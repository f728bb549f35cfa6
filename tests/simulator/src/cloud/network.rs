//! The network between a function and the cloud, in the form of the SDK's HTTP client.
//!
//! Invariant: a call that got through is carried out even if its sender has died or given up on it in the meantime.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::wire::{Answer, refusal};
use super::{Bug, Cloud, Mail, Moment, Process, Published, lock};

#[derive(Debug, Clone)]
pub(super) struct Network(pub(super) Cloud);

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    Refused,
    LostCall,
    LostAnswer,
    Throttled,
    /// The call gets a 500. `true`: it is carried out before that.
    Broken(bool),
}

/// A call in flight.
struct Sent {
    operation: String,
    body: Value,
    by: Option<Process>,
    fate: Fate,
    there: Duration,
    back: Duration,
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(cloud) = self.clone();
        cloud.tick();
        let mut sent = Sent::of(&cloud, &request);
        let dies = sent.by.as_ref().and_then(Process::call);
        if let (Some(Moment::Before), Some(process)) = (dies, &sent.by) {
            cloud.note(process.name(), format!("dies before {}", sent.operation));
            process.die();
            return HttpConnectorFuture::new(std::future::pending());
        }
        if let Some(bug) = cloud.bug() {
            bug.sends(&sent.operation, &mut sent.body);
        }
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let done = sent.go(&cloud).await;
            if let (Some(Moment::After), Some(process)) = (dies, &sent.by) {
                cloud.note(process.name(), format!("dies after {}", sent.operation));
                process.die();
            } else if let Some(done) = done {
                // If the sender has given up on the call, nobody needs the answer.
                let _ = answer.send(done);
            }
        });
        HttpConnectorFuture::new(async move {
            match answered.await {
                Ok(Ok((status, body))) => Ok(response(status, body)),
                Ok(Err(refused)) => Err(refused),
                // A lost answer never arrives: the sender waits until its own timeout.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

impl Sent {
    fn of(cloud: &Cloud, request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target");
        let operation = target.map_or("SendEmail", |it| it.rsplit('.').next().unwrap_or_default());
        let body = request.body().bytes().unwrap_or_default();
        let weather = cloud.weather();
        let fate = [
            (weather.refused, Fate::Refused),
            (weather.lost_call, Fate::LostCall),
            (weather.lost_answer, Fate::LostAnswer),
            (weather.throttled, Fate::Throttled),
            (weather.broken, Fate::Broken(cloud.draw(fastrand::Rng::bool))),
        ]
        .into_iter()
        .find_map(|(often, fate)| cloud.happens(often).then_some(fate));
        let there = if cloud.happens(weather.late) {
            cloud.between(1_500, 6_000)
        } else if cloud.happens(weather.slow) {
            cloud.between(10, 1_000)
        } else {
            cloud.between(1, 8)
        };
        Self {
            operation: operation.to_owned(),
            body: serde_json::from_slice(body).expect("JSON"),
            by: Process::current(),
            fate: fate.unwrap_or(Fate::Well),
            there,
            back: cloud.between(1, 8),
        }
    }

    /// Carries the call there and its answer back. `None` if no answer comes back.
    async fn go(&mut self, cloud: &Cloud) -> Option<Result<Answer, ConnectorError>> {
        tokio::time::sleep(self.there).await;
        let answer = match self.fate {
            Fate::Refused => {
                self.note(cloud, "refused");
                let refused = ConnectorError::io("connection refused".into());
                return Some(Err(refused));
            }
            Fate::LostCall => {
                self.harm(cloud, "lost on the way");
                return self.nothing(cloud);
            }
            Fate::Throttled => {
                self.note(cloud, "throttled");
                self.refuse("ThrottlingException")
            }
            Fate::Broken(false) => {
                self.harm(cloud, "500");
                self.refuse("InternalServerError")
            }
            Fate::LostAnswer => {
                let _ = self.arrive(cloud).await;
                self.harm(cloud, "answer lost");
                return self.nothing(cloud);
            }
            Fate::Broken(true) => {
                let _ = self.arrive(cloud).await;
                self.harm(cloud, "500 although it was done");
                self.refuse("InternalServerError")
            }
            Fate::Well => {
                let answer = self.arrive(cloud).await;
                if self.there > Duration::from_millis(1_500) {
                    self.harm(cloud, "late");
                }
                answer
            }
        };
        let answer = match cloud.bug() {
            Some(bug) => bug.takes(&self.operation, answer),
            None => answer,
        };
        tokio::time::sleep(self.back).await;
        Some(Ok(answer))
    }

    /// No answer; except that code with [`Bug::UnknownTakenForDone`] takes the missing answer for success.
    fn nothing(&self, cloud: &Cloud) -> Option<Result<Answer, ConnectorError>> {
        let taken_for_done = cloud.bug() == Some(Bug::UnknownTakenForDone);
        let done = taken_for_done && self.operation == "TransactWriteItems";
        done.then(|| Ok((200, "{}".to_owned())))
    }

    fn note(&self, cloud: &Cloud, what: &str) {
        let who = self.by.as_ref().map_or("-", Process::name);
        cloud.note(who, format!("{} {what}", self.operation));
    }

    fn harm(&self, cloud: &Cloud, what: &str) {
        self.note(cloud, what);
        if let Some(process) = &self.by {
            process.harm();
        }
    }

    fn refuse(&self, name: &str) -> Answer {
        let (status, body) = refusal(name, "simulated");
        match self.operation.as_str() {
            "SendEmail" if status == 400 => (429, r#"{"message":"simulated"}"#.to_owned()),
            _ => (status, body),
        }
    }

    async fn arrive(&mut self, cloud: &Cloud) -> Answer {
        let body = self.body.take();
        let writes = writes(&self.operation, &body);
        let answer = match self.operation.as_str() {
            "PutEvents" => put_events(cloud, &body),
            "SendEmail" => send_email(cloud, &body, self.by.as_ref()),
            operation => {
                if cloud.bug() == Some(Bug::ToldOutsideTheCommit) && operation == "TransactWriteItems" {
                    tell_ahead(cloud, &body);
                }
                let table = cloud.table();
                table.call(cloud, operation, body, self.by.clone()).await
            }
        };
        if let Some(writes) = writes {
            self.note(cloud, &format!("{writes} {}", outcome(&answer)));
        }
        answer
    }
}

/// The kinds of items that a call writes. `None` if it only reads.
fn writes(operation: &str, body: &Value) -> Option<String> {
    let noun = |item: &Value| {
        let pk = item["pk"]["S"].as_str().unwrap_or_default();
        pk.split('#').next().unwrap_or_default().to_owned()
    };
    match operation {
        "PutItem" => Some(noun(&body["Item"])),
        "UpdateItem" | "DeleteItem" => Some(noun(&body["Key"])),
        "SendEmail" => Some("mail".to_owned()),
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let nouns = items.map(|write| match (&write["Put"]["Item"], &write["Update"]["Key"]) {
                (Value::Null, Value::Null) => noun(&write["Delete"]["Key"]),
                (Value::Null, key) => noun(key),
                (item, _) => noun(item),
            });
            Some(nouns.collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

fn outcome((status, text): &Answer) -> String {
    if *status == 200 {
        return "done".to_owned();
    }
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(reasons) = answer["CancellationReasons"].as_array() {
        let codes = reasons.iter().filter_map(|it| it["Code"].as_str());
        return format!("cancelled: {}", codes.collect::<Vec<_>>().join(" "));
    }
    let name = answer["__type"].as_str().and_then(|it| it.split('#').nth(1));
    name.map_or_else(|| status.to_string(), str::to_owned)
}

fn put_events(cloud: &Cloud, body: &Value) -> Answer {
    let weather = cloud.weather();
    let (mut failed, mut entries) = (0, Vec::new());
    for entry in body["Entries"].as_array().into_iter().flatten() {
        if cloud.happens(weather.bus_refusal) {
            failed += 1;
            cloud.note("bus", "refuses an event");
            entries.push(json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "simulated"}));
            continue;
        }
        let detail = entry["Detail"].as_str().unwrap_or_default();
        let detail: Value = serde_json::from_str(detail).expect("JSON");
        let kind = entry["DetailType"].as_str().unwrap_or_default();
        entries.push(json!({"EventId": accept(cloud, kind, &detail)}));
    }
    (200, json!({"FailedEntryCount": failed, "Entries": entries}).to_string())
}

/// Puts an event on the bus and returns the id of its envelope.
fn accept(cloud: &Cloud, kind: &str, detail: &Value) -> String {
    let mut told = lock(&cloud.0.told);
    let id = format!("{:08}-0000-4000-8000-000000000000", told.len());
    let time = "2026-01-01T00:00:00Z";
    let event = json!({
        "version": "0", "id": id, "detail-type": kind, "source": "purser",
        "account": purser_local::ACCOUNT, "time": time,
        "region": purser_local::REGION, "resources": [], "detail": detail,
    });
    told.push(Published { event });
    id
}

/// Publishes the event of an entry before the transaction that puts the entry ([`Bug::ToldOutsideTheCommit`]).
fn tell_ahead(cloud: &Cloud, body: &Value) {
    let items = body["TransactItems"].as_array().into_iter().flatten();
    for item in items.map(|write| &write["Put"]["Item"]) {
        if item["kind"]["S"] == "entry" {
            let entry = &item["doc"]["M"];
            let name = if entry["type"]["S"] == "credit" { "CreditsAdded" } else { "CreditsProvisioned" };
            let refid = entry["refid"]["S"].as_str().unwrap_or_default();
            let detail = json!({"id": format!("{refid}:1:{name}"), "origin": "api",
                "reseller": entry["reseller"]["S"], "amount": 1, "balance": 1, "sequence": 1});
            accept(cloud, name, &detail);
        }
    }
}

fn send_email(cloud: &Cloud, body: &Value, by: Option<&Process>) -> Answer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut mails = lock(&cloud.0.mails);
    mails.push(Mail {
        event: by.and_then(Process::event).map(str::to_owned),
        to: text(&body["Destination"]["ToAddresses"][0]),
        text: text(&body["Content"]["Simple"]["Body"]["Text"]["Data"]),
    });
    (200, json!({"MessageId": mails.len().to_string()}).to_string())
}

fn response(status: u16, body: String) -> HttpResponse {
    let status = status.try_into().expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/json");
    response
}
