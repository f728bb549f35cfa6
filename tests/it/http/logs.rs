//! What the functions log: enough to follow a request, nothing about a person, and every metric that an alarm
//! watches.
//!
//! Invariant: the lines are made by the code of the Lambda binary. Each test runs on one thread, and captures the
//! lines of that thread only.

use std::io;
use std::sync::{Arc, Mutex};
use strum::VariantArray;

use purser_api::events::bus::notify::notify;
use purser_edge::process::clock::Clock;
use purser_edge::process::logs::subscriber;
use purser_edge::process::metrics::{Metric, NAMESPACE};
use purser_store::engine::secrets::Purpose;
use purser_tests::faults::{Fault, SDK_TRIES, SEND_EMAIL, Script};
use purser_tests::lambda::bus_event;
use purser_tests::people::{NEW_PASSWORD, PASSWORD};
use purser_tests::prelude::*;

use crate::http::operations::{Ids, Party, Who, cases};

const TEMPLATE: &str = include_str!("../../../template.yaml");

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Captures what this thread logs from now on, at the most verbose level.
    pub fn start() -> (Self, tracing::Dispatch, tracing::subscriber::DefaultGuard) {
        static SECOND: std::sync::OnceLock<tracing::Dispatch> = std::sync::OnceLock::new();
        let subscriber = |writer: Self| {
            let writer = move || writer.clone();
            subscriber(writer, "TRACE", "stack".into(), Clock::default())
        };
        // While there is only one subscriber, a thread that has none may decide for all threads that a line is not
        // logged. A second subscriber prevents that. It stays as long as the process, because between two logs there
        // would be a moment without it.
        let second = SECOND.get_or_init(|| tracing::Dispatch::new(subscriber(Self::default()))).clone();
        let log = Self::default();
        let guard = tracing::subscriber::set_default(subscriber(log.clone()));
        (log, second, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    pub fn metrics(&self) -> BTreeSet<String> {
        let lines = self.lines();
        let named =
            |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"].as_str().map(str::to_owned);
        lines.iter().filter_map(named).collect()
    }
}

/// What no log may contain about the party with these ids and this API key.
fn personal(ids: &Ids, key: &str) -> Vec<String> {
    let personal = [&ids.email, &ids.client_id, &ids.fresh, &ids.proof, &ids.key];
    let personal = personal.into_iter().filter(|it| !it.is_empty()).cloned();
    // The six digits of an app's code may occur in any number, so such a code is not searched for.
    let personal = personal.filter(|it| it.len() > 6);
    personal.chain([secret_of(key)]).collect()
}

fn secret_of(key: &str) -> String {
    key.split_once('.').unwrap().1.to_owned()
}

#[tokio::test]
async fn every_request_can_be_followed_and_nobody_is_named() {
    let (log, _second, _guard) = Log::start();
    let variables = [("PURSER_PARTNER_SIGN_UP", "true"), ("PURSER_AUTO_BIND_USER", "true")];
    let world = World::with(None, &variables).await;
    let mut secrets: Vec<String> =
        ["@example.com", "127.0.0.1", PASSWORD, NEW_PASSWORD, world.system().operator_key()].map(str::to_owned).into();
    let mut asked = Vec::new();
    let reading = Party::new(&world).await;
    for (case, operation) in cases(&world).await {
        let mut party = if operation.method == "GET" { reading.clone() } else { Party::new(&world).await };
        party.prepare(&world, case.needs).await;
        secrets.extend(personal(&party.ids, party.caller.key().unwrap()));
        let caller = match case.who {
            Who::Anybody => world.operator.clone(),
            who => party.caller(&world, who),
        };
        if let Some(person) = &party.person {
            secrets.push(secret_of(person.caller.key().unwrap()));
            secrets.push(person.device.clone());
        }
        for ids in [party.ids.clone(), party.ids.of_nothing()] {
            let reply = (case.sample)(&ids).request(&operation, "k").send(&caller).await;
            asked.push((reply.header("x-request-id").unwrap().to_owned(), reply.status));
        }
    }
    world.system().settle().await;
    let (text, lines) = (log.text(), log.lines());
    for secret in &secrets {
        let found = text.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(found, None, "{secret}");
    }
    for (id, status) in asked {
        let line = lines.iter().find(|line| line["request"] == id.as_str()).expect("a line");
        assert_eq!((&line["message"], &line["status"]), (&json!("answered"), &json!(status)));
        assert!(line["function"].is_string() && line["timestamp"].is_string() && line["level"].is_string());
    }
    for function in ["notify", "bind-client", "hold-provisioning"] {
        let of_it = |line: &&Value| line["message"] == "handled" && line["function"] == function;
        let line = lines.iter().find(of_it).unwrap_or_else(|| panic!("{function}"));
        assert!(line["id"].is_string() && line["kind"].is_string() && line["calls"].is_number(), "{line}");
    }
    assert!(lines.iter().any(|line| line["message"] == "relayed"));
}

#[tokio::test]
async fn what_breaks_is_counted_and_alarms_watch_nothing_else() {
    let (log, _second, _guard) = Log::start();
    let world = World::new().await;
    let partner = world.partner("standard", 100).await;

    let items = world.items();
    let mut entries = items.iter().filter(|item| item["kind"]["S"] == "entry");
    let entry = entries.next().unwrap()["pk"]["S"].as_str().unwrap();
    world.tamper(entry, "amount", &json!({"N": "90"}));
    let verify = format!("/v1/resellers/{}/verify", partner.refid);
    // A head that the caller makes up raises no alarm, even though it does not fit the history.
    let said = format!("{verify}?sequence=1&head={}", "1".repeat(64));
    let verified = partner.caller.get(&said).await.expect(200);
    assert_eq!(verified.json["intact"], json!(false));
    assert!(!log.metrics().contains(Metric::LedgerBroken.into_str()));
    let verified = partner.caller.get(&verify).await.expect(200);
    assert_eq!(verified.json["intact"], json!(false));

    let script = Script::default();
    script.then(SDK_TRIES, "PutEvents", &Fault::LostCall);
    script.then(SDK_TRIES, SEND_EMAIL, &Fault::LostCall);
    let cut_off = world.app_over("relay", &script).await;
    let records = json!({"Records": world.stream_records()});
    let told = purser_api::events::stream::relay::relay(cut_off, serde_json::from_value(records).unwrap()).await;
    assert_eq!(told.batch_item_failures.len(), 1);
    let cut_off = world.app_over("notify", &script).await;
    let detail = json!({"id": "e", "origin": "api", "reseller": partner.refid, "balance": 1, "threshold": 2});
    assert!(notify(cut_off, bus_event("CreditsRanLow", &detail)).await.is_err());

    let mut record = world.stream_records()[0].clone();
    record["dynamodb"]["NewImage"] = json!({"kind": {"S": "client"}, "doc": {"S": "x"}});
    let poisoned = serde_json::from_value(json!({"Records": [record]})).unwrap();
    let app = world.system().apps().of("relay").unwrap().clone();
    let told = purser_api::events::stream::relay::relay(app, poisoned).await;
    assert_eq!(told.batch_item_failures.len(), 1);

    let body = json!({"name": "x", "email": "complaint@simulator.amazonses.com"});
    let created = world.operator.post("/v1/clients", &body).await.expect(201);
    world.system().settle().await;
    let path = format!("/v1/clients/{}/activate", created.text("refid"));
    let _active = world.operator.act(&path).await.expect(200);
    world.system().settle().await;

    let product = world.product(90).await;
    let order = json!({"product": product, "client": world.new_client()});
    let buyer = world.partner("standard", 500).await.caller;
    let bought = buyer.post_once("/v1/provisions", "k", &order).await.expect(201);
    let refund = format!("/v1/provisions/{}/refund", bought.text("refid"));
    let refunded = world.operator.post_once(&refund, "k", &json!({})).await;
    let _refunded = refunded.expect(200);
    world.system().settle().await;
    let of_purchase = format!("EN#{}", bought.text("refid"));
    let kept: Vec<Value> = world.items().into_iter().filter(|item| item["pk"]["S"] == of_purchase).collect();
    let buyer = format!("/v1/clients/{}", bought.json["client"]["refid"].as_str().unwrap());
    let _gone = world.operator.delete(&buyer).await.expect(204);
    world.system().settle().await;

    // The tampered entry no longer matches the figures. A rollup does not notice that, but the daily sample does.
    world.run_schedule("rollup").await;
    assert!(!log.metrics().contains(Metric::FigureDiffers.into_str()));
    let nobody = world.nobody();
    let a_day = json!({"advance": "P1D"});
    let _turned = nobody.post("/_local/clock", &a_day).await.expect(200);
    world.run_schedule("sample-figures").await;
    world.run_schedule("run-due-work").await;
    // What names a deleted client comes back, for instance from a backup.
    world.put_all(&kept);
    world.run_schedule("sample-erasures").await;

    // Somebody guesses, and an operator comes by the first key.
    let wrong = json!({"email": "ada@example.com", "password": "a wrong harbour"});
    let _refused = nobody.post("/v1/auth/login", &wrong).await.refused(401, "invalid_credentials");
    let _refused = nobody.with_key(Some("AK-0000000000000000.x")).get("/v1/products").await;
    let operator = json!({"email": "new@example.com", "name": "New", "operator": true});
    let _made = world.operator.post("/v1/users", &operator).await.expect(201);
    let users = purser_lambda::function("manage-users").unwrap();
    let users = purser_lambda::router(users, &world.deployed_app("manage-users").await).unwrap();
    let another = json!({"email": "other@example.com", "name": "Other", "operator": true});
    let _first = world.call(users, "/v1/users", world.system().operator_key(), None, &another).await.expect(201);
    for _ in 0..5 {
        let _limited = nobody.post("/v1/auth/login", &wrong).await;
    }

    // A function that rested reads its secrets again, and they are none.
    let vault = world.system().vault();
    vault.put(Purpose::Records, "no secret".to_owned()).unwrap();
    let _turned = nobody.post("/_local/clock", &json!({"advance": "PT10M"})).await.expect(200);
    let _with_those_from_before = world.operator.get("/v1/clients").await.expect(200);

    let events: Vec<Value> = log.lines().into_iter().filter(|line| line["message"] == "a security event").collect();
    let event = |name: &str| events.iter().find(|it| it["event"] == name).unwrap_or_else(|| panic!("{name}")).clone();
    assert_eq!(event("CallerRefused")["account"], "AK-0000000000000000");
    let refused = event("SignInRefused");
    assert!(refused["account"].as_str().unwrap().starts_with("US-"), "{refused}");
    assert_eq!(refused["address"], event("CallerRefused")["address"], "both came from the same place");
    assert!(!log.text().contains("127.0.0.1"), "an address stands in the log");

    let emitted = log.metrics();
    let shown = on_the_dashboard();
    assert!(shown.len() >= 5 && emitted.is_superset(&shown), "{shown:?} of {emitted:?}");
    let all: BTreeSet<String> = Metric::VARIANTS.iter().map(|it| it.into_str().to_owned()).collect();
    assert!(emitted.is_superset(&all), "{emitted:?}");
    let watched = watched();
    assert!(watched.len() >= 4 && all.is_superset(&watched), "{watched:?}");
}

/// Purser's own metrics in the dashboard's widget "Business".
fn on_the_dashboard() -> BTreeSet<String> {
    let (_, rest) = TEMPLATE.split_once("\"title\": \"Business\"").unwrap();
    let (_, rest) = rest.split_once("\"Purser\", ").unwrap();
    let (widget, _) = rest.split_once("]]").unwrap();
    let quoted = widget.split('"').skip(1).step_by(2);
    let named = |name: &&str| !["Stack", ".", "${AWS::StackName}"].contains(name);
    quoted.filter(named).map(str::to_owned).collect()
}

/// Purser's own metrics that alarms watch.
fn watched() -> BTreeSet<String> {
    let template = purser_local::template::json(TEMPLATE).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let alarms = resources.filter(|it| it["Type"] == "AWS::CloudWatch::Alarm").map(|it| &it["Properties"]);
    let of_ours = alarms.filter(|it| it["Namespace"] == NAMESPACE);
    of_ours.map(|it| it["MetricName"].as_str().unwrap().to_owned()).collect()
}
