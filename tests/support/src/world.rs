//! A world: a whole Purser for a single test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use purser_domain::people::Scopes;
use purser_edge::App;
use purser_edge::process::clock::Clock;
use purser_local::cloud::stream::StreamReader;
use purser_local::run::system::{Options, System};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::caller::Caller;
use crate::contract;
use crate::faults::Script;
use crate::reply::Reply;

pub struct World {
    system: System,
    /// Carries the operators' first key, which the configuration names.
    pub operator: Caller,
    names: AtomicU64,
    /// The stream as far as [`Self::writes`] has counted it, and what it has counted.
    counted: Mutex<(StreamReader, usize)>,
}

#[derive(Debug, Clone)]
pub struct Partner {
    pub refid: String,
    /// Carries the reseller's API key.
    pub caller: Caller,
}

impl World {
    /// An empty world in memory, which vanishes with the test.
    pub async fn new() -> Self {
        Self::with(None, &[]).await
    }

    /// An empty world whose clock stands still at `start` (such as `2026-01-05T09:00:00Z`) until the test turns it.
    pub async fn at(start: &str) -> Self {
        let clock = Clock::stopped_at(start.parse().expect("a time of RFC 3339"));
        Self::start(Options { clock, ..options() }).await
    }

    /// A world with these configuration variables, and with its data in `folder`, or in memory if that is `None`.
    pub async fn with(folder: Option<PathBuf>, variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut options = options();
        options.variables.extend(variables.iter().map(own));
        Self::start(Options { folder, ..options }).await
    }

    pub async fn start(options: Options) -> Self {
        let system = Box::pin(System::start(options)).await;
        let system = system.expect("the system should start");
        let operator = Caller::new(reqwest::Client::new(), system.url(), Some(system.operator_key().to_owned()));
        let reader = StreamReader::open(system.dynamo(), None).expect("a stream");
        Self { system, operator, names: AtomicU64::new(0), counted: Mutex::new((reader, 0)) }
    }

    pub fn system(&self) -> &System {
        &self.system
    }

    pub fn nobody(&self) -> Caller {
        self.operator.with_key(None)
    }

    /// A name that has not been used in this world before.
    pub fn fresh(&self, what: &str) -> String {
        format!("{what}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn partner(&self, tier: &str, credits: u64) -> Partner {
        let name = self.fresh("partner");
        let body = json!({"company_name": name, "email": format!("{name}@example.com"), "tier": tier});
        let refid = self.operator.post("/v1/resellers", &body).await.expect(201).text("refid").to_owned();
        if credits > 0 {
            self.top_up(&refid, credits).await;
        }
        let body = json!({"reseller": refid, "name": "test"});
        let key = self.operator.post("/v1/api-keys", &body).await.expect(201);
        let caller = self.operator.with_key(Some(key.text("key")));
        // The first use of a key is noted, and what a test does with the key should not cost that.
        let seen = self.system.clock().now().to_string();
        self.note_used(key.text("refid"), &seen);
        Partner { refid, caller }
    }

    pub async fn top_up(&self, reseller: &str, credits: u64) {
        let path = format!("/v1/resellers/{reseller}/credits");
        let _entry =
            self.operator.post_once(&path, &self.fresh("credit"), &json!({"amount": credits})).await.expect(201);
    }

    /// Creates a product with this list price, and returns its reference.
    pub async fn product(&self, price: u64) -> String {
        let reference = self.fresh("PROD");
        let body = json!({
            "reference": reference, "name": "A product", "price": price, "term": "P1Y", "parallel_uses": 5,
            "features": ["export.pdf", "export.csv", "sync", "themes", "api"], "updates_term": "P1Y",
            "support_term": "P6M",
        });
        let _product = self.operator.post("/v1/products", &body).await.expect(201);
        reference
    }

    /// Creates a client of `partner`, and returns its refid.
    pub async fn client(&self, partner: &Partner) -> String {
        let created = partner.caller.post("/v1/clients", &self.new_client()).await.expect(201);
        created.text("refid").to_owned()
    }

    /// The body of a request that creates a client with a name and an address not used before.
    pub fn new_client(&self) -> Value {
        let name = self.fresh("client");
        json!({"name": name, "email": format!("{name}@example.com")})
    }

    pub async fn balance(&self, reseller: &str) -> u64 {
        self.operator.get(&format!("/v1/resellers/{reseller}/wallet")).await.expect(200).number("balance")
    }

    /// A wallet's ledger entries, oldest first; at most 100.
    pub async fn entries(&self, reseller: &str) -> Vec<Value> {
        let path = format!("/v1/resellers/{reseller}/entries?limit=100");
        let reply = self.operator.get(&path).await.expect(200);
        let mut entries = reply.json["data"].as_array().cloned().unwrap_or_default();
        entries.reverse();
        entries
    }

    /// Creates a user without a role. Returns its refid and address, which is confirmed if `confirmed`.
    pub async fn login(&self, confirmed: bool) -> (String, String) {
        let email = format!("{}@example.com", self.fresh("login"));
        let made = self.operator.post("/v1/users", &json!({"name": "x", "email": email})).await.expect(201);
        let user = made.text("refid").to_owned();
        if confirmed {
            let when = json!({"S": "2026-01-01T00:00:00.000Z"});
            self.tamper(&format!("US#{user}"), "confirmed_at", &when);
        }
        (user, email)
    }

    /// Asserts that the API verifies a wallet's ledger, with this number of entries, as intact.
    pub async fn assert_intact(&self, reseller: &str, entries: u64) {
        let path = format!("/v1/resellers/{reseller}/verify");
        let verified = self.operator.get(&path).await.expect(200).json;
        let intact = json!({"intact": true, "entries": entries, "breaks": Vec::<Value>::new()});
        assert_eq!(verified, intact);
    }

    /// The e-mails sent, newest first, once nothing is in progress any more. Leaves out the invitation that every new
    /// reseller gets.
    pub async fn mails(&self) -> Vec<Value> {
        let mut mails = self.all_mails().await;
        let invites = |mail: &Value| {
            let subject = mail["subject"].as_str().unwrap_or_default();
            subject.starts_with("Your partner account with ")
        };
        mails.retain(|mail| !invites(mail));
        mails
    }

    /// All e-mails sent, newest first, once nothing is in progress any more.
    pub async fn all_mails(&self) -> Vec<Value> {
        self.system.settle().await;
        let reply = self.nobody().get("/_local/mails").await.expect(200);
        reply.json["data"].as_array().cloned().unwrap_or_default()
    }

    /// The events published so far, newest first, once nothing is in progress any more.
    pub async fn events(&self) -> Vec<Value> {
        self.system.settle().await;
        let reply = self.nobody().get("/_local/events").await.expect(200);
        reply.json["data"].as_array().cloned().unwrap_or_default()
    }

    /// The records of the table's stream, oldest first, in the form in which Lambda delivers them; at most 1,000.
    pub fn stream_records(&self) -> Vec<Value> {
        let reader = StreamReader::open(self.system.dynamo(), None).expect("a stream");
        reader.read(1_000).expect("records")
    }

    /// Every item of the table as text, as an attacker who has the table would see it.
    pub fn everything_in_the_table(&self) -> String {
        serde_json::to_string(&self.items()).expect("JSON")
    }

    pub fn count_of_kind(&self, kind: &str) -> usize {
        self.items().iter().filter(|item| item["kind"]["S"] == kind).count()
    }

    /// The number of items, once nothing is in progress any more.
    pub async fn size(&self) -> usize {
        self.state().await.len()
    }

    /// Every item of the table, in DynamoDB's JSON.
    pub fn items(&self) -> Vec<Value> {
        let dynamo = self.system.dynamo();
        let mut request = json!({"TableName": dynamo.table()});
        let mut items = Vec::new();
        loop {
            let page = serde_json::from_value(request.clone()).expect("a request");
            let found = dynamo.database().scan(page).expect("a scan");
            let mut answer = serde_json::to_value(found).expect("JSON");
            if let Value::Array(found) = answer["Items"].take() {
                items.extend(found);
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                last => request["ExclusiveStartKey"] = last,
            }
        }
    }

    /// Puts items (in DynamoDB's JSON) directly into the table, without Purser.
    pub fn put_all(&self, items: &[Value]) {
        let dynamo = self.system.dynamo();
        for batch in items.chunks(25) {
            let puts: Vec<Value> = batch.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
            let request = json!({"RequestItems": {dynamo.table(): puts}});
            let request = serde_json::from_value(request).expect("a request");
            dynamo.database().batch_write_item(request).expect("writes");
        }
    }

    /// How many writes of items there were so far, once nothing is in progress any more. It leaves out what
    /// [`Self::state`] leaves out, and costs far less in a world with many items.
    pub async fn writes(&self) -> usize {
        self.system.settle().await;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (reader, count) = &mut *counted;
        loop {
            let records = reader.read(1_000).expect("records");
            let Some(last) = records.last() else { return *count };
            reader.advance(last).expect("a position");
            let kind = |record: &Value| {
                let images = ["/dynamodb/NewImage/kind/S", "/dynamodb/OldImage/kind/S"];
                images.iter().find_map(|image| record.pointer(image)?.as_str()).map(ToOwned::to_owned)
            };
            *count += records.iter().filter(|record| !kind(record).is_some_and(|kind| is_counter(&kind))).count();
        }
    }

    /// Every item of the table, once nothing is in progress any more. The counts of guesses and uploads are left out:
    /// a refused command changes them, and nothing else.
    pub async fn state(&self) -> Vec<Value> {
        self.system.settle().await;
        let mut items = self.items();
        items.retain(|item| !is_counter(item["kind"]["S"].as_str().unwrap_or_default()));
        items
    }

    /// Deletes an item (in DynamoDB's JSON) directly from the table, without Purser.
    pub fn remove(&self, item: &Value) {
        let dynamo = self.system.dynamo();
        let key = json!({"pk": item["pk"], "sk": item["sk"]});
        let request = json!({"TableName": dynamo.table(), "Key": key});
        let request = serde_json::from_value(request).expect("a request");
        dynamo.database().delete_item(request).expect("a deletion");
    }

    /// Runs a scheduled function now, and waits until everything that follows is done.
    pub async fn run_schedule(&self, function: &str) {
        let path = format!("/_local/schedules/{function}/run");
        let _done = self.nobody().act(&path).await.expect(200);
    }

    /// Sets a member of an item's document directly in the table, without Purser.
    pub fn tamper(&self, pk: &str, member: &str, value: &Value) {
        let dynamo = self.system.dynamo();
        let request = json!({
            "TableName": dynamo.table(), "Key": {"pk": {"S": pk}, "sk": {"S": "."}},
            "UpdateExpression": "SET #doc.#member = :value",
            "ExpressionAttributeNames": {"#doc": "doc", "#member": member},
            "ExpressionAttributeValues": {":value": value},
        });
        let request = serde_json::from_value(request).expect("a request");
        dynamo.database().update_item(request).expect("an update");
    }

    /// Turns an API key, directly in the table, into one from before keys had owners, made by `maker`.
    pub fn age_key(&self, key: &str, maker: &str) {
        let pk = format!("AK#{key}");
        let mut items = self.items();
        items.retain(|item| item["pk"]["S"] == pk.as_str());
        for item in &mut items {
            if let Some(doc) = item["doc"]["M"].as_object_mut() {
                doc.retain(|member, _| !["owner", "scopes", "expires_at"].contains(&member.as_str()));
            }
            item["by"]["M"]["actor"]["S"] = json!(maker);
        }
        self.put_all(&items);
    }

    /// Notes directly in the table, without Purser, that an API key was used.
    fn note_used(&self, key: &str, at: &str) {
        let dynamo = self.system.dynamo();
        let request = json!({
            "TableName": dynamo.table(), "Key": {"pk": {"S": format!("AK#{key}")}, "sk": {"S": "."}},
            "UpdateExpression": "SET seen = :seen", "ExpressionAttributeValues": {":seen": {"S": at}},
        });
        let request = serde_json::from_value(request).expect("a request");
        dynamo.database().update_item(request).expect("an update");
    }

    /// The [`App`] of a function whose calls to the table, the bus and SES suffer this script's faults.
    pub async fn app_over(&self, function: &str, script: &Script) -> App {
        let sdk = purser_local::run::sdk::settings(self.system.http_client()).await;
        let client = script.over(sdk.http_client().expect("an HTTP client"));
        let sdk = sdk.into_builder().http_client(client).build();
        let role = self.system.roles().get(function).expect("a role");
        let sdk = role.assume(&sdk);
        let app = self.system.apps().of(function).expect("a function");
        App::with((*app.config).clone(), app.keeper.clone(), &sdk, app.clock.clone())
    }

    /// The [`App`] of a function as where Purser is deployed.
    pub async fn deployed_app(&self, function: &str) -> App {
        App { first_key: Scopes::admin(), ..self.app_over(function, &Script::default()).await }
    }

    /// Posts JSON directly to a function's routes, as the owner of `key`; `once` is the idempotency key.
    pub async fn call(&self, routes: Router, path: &str, key: &str, once: Option<&str>, body: &Value) -> Reply {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(once.map(|once| ("idempotency-key", once)));
        self.send(routes, "POST", path, &headers, body.to_string()).await
    }

    /// Sends a request directly to a function's routes. It comes from the operator unless the headers carry other
    /// credentials.
    pub async fn send(
        &self,
        routes: Router,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.system.operator_key()));
        }
        let request = request.body(body.into()).expect("a request");
        let response = routes.oneshot(request).await.expect("an answer");
        let reply = Reply::of(response).await;
        contract::hold(method, path, &reply);
        reply
    }

    /// What the table would answer to this `BatchGetItem` now.
    pub fn batch_get(&self, request: &[u8]) -> String {
        let request = serde_json::from_slice(request).expect("a request");
        let answer = self.system.dynamo().database().batch_get_item(request).expect("an answer");
        serde_json::to_string(&answer).expect("JSON")
    }

    /// Shuts the world down in order, so that its folder can be opened again.
    pub async fn end(self) {
        self.system.shutdown().await;
    }
}

/// The options of a world that is configured as the template says.
fn options() -> Options {
    // All people of a test share the address of this machine.
    let variables = [("PURSER_ADDRESS_MAILS_PER_HOUR".to_owned(), "0".to_owned())].into();
    Options { operator_key: Some("the operator's key, any string".into()), variables, ..Options::default() }
}

/// Whether items of this kind count what was refused, too.
fn is_counter(kind: &str) -> bool {
    ["guesses", "uploads"].contains(&kind)
}
