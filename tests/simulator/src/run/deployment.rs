//! A complete deployment of Purser in a simulated cloud: every function with its role, and a gateway in front of the
//! functions that have routes.
//!
//! Invariant: each function runs with only its own permissions. It has several instances, which share nothing and
//! whose clocks differ slightly; each request goes to a random instance.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use axum::Router;
use axum::body::Body;
use axum::http::Request as HttpRequest;
use purser_api::Entry;
use purser_domain::basic::{ClientId, ClientRefid, ResellerRefid};
use purser_edge::App;
use purser_edge::process::config::Config;
use purser_lambda::{function, functions, router};
use purser_local::cloud::bus::{On, Rule};
use purser_local::run::system::template;
use purser_local::run::{functions, gateway};
use purser_local::template::roles::Roles;
use purser_store::engine::Secrets;
use purser_store::engine::secrets::sha256_hex;
use purser_store::money::entry::Class;
use purser_tests::prelude::*;
use tower::ServiceExt;

use crate::cloud::{Cloud, Process};
use crate::workload::command::{Buyer, Party, RENEWAL};
use crate::workload::market::{OPENING, PRODUCTS, WALLETS};
use crate::workload::request::Request;

pub const OPERATOR_KEY: &str = "an operator";

#[derive(Debug)]
pub struct Deployment {
    pub cloud: Cloud,
    instances: Vec<Instance>,
    rules: Vec<Rule>,
    pub names: Names,
}

#[derive(Debug)]
struct Instance {
    apps: BTreeMap<&'static str, App>,
    gateway: Router,
}

/// The ids of the things in a simulation, by their indexes and labels.
#[derive(Debug)]
pub struct Names {
    app: App,
    cloud: Cloud,
    wallets: Vec<String>,
    products: Vec<String>,
    keys: Vec<String>,
}

impl Names {
    /// The refid of a wallet's reseller.
    pub fn wallet(&self, place: usize) -> &str {
        &self.wallets[place]
    }

    /// The index of a reseller's wallet.
    pub fn place(&self, refid: &str) -> Option<usize> {
        self.wallets.iter().position(|it| it == refid)
    }

    pub fn product(&self, place: usize) -> &str {
        &self.products[place]
    }

    pub fn client(&self, label: &str) -> ClientRefid {
        let id = ClientId::try_from(label.to_owned()).expect("a client id");
        self.app.store.client_refid(&id).expect("a refid")
    }

    pub fn purchase(&self, wallet: usize, key: &str) -> String {
        let wallet = ResellerRefid::parse(self.wallet(wallet)).expect("a refid");
        let (class, key) = match key.strip_prefix(RENEWAL) {
            Some(key) => (Class::Renewal, key),
            None => (Class::Provision, key),
        };
        self.app.store.entry_refid(&wallet, class, key).expect("a refid").to_string()
    }

    /// The licences at these indexes of a purchase. An index out of range yields a refid that does not exist.
    pub fn licences(&self, purchase: &str, places: &[usize]) -> Vec<String> {
        let sold = self.cloud.table().items_under(&format!("EN#{purchase}"));
        let sold = sold.first().map_or(&Value::Null, |item| &item["doc"]["M"]["sale"]["M"]["licences"]["L"]);
        let licence = |place: &usize| sold[*place]["S"].as_str().unwrap_or("LI-0000000000000000").to_owned();
        places.iter().map(licence).collect()
    }

    /// The answer that is stored in an item; empty if there is none.
    pub fn answer_in(&self, item: &Value) -> String {
        let stored: serde_dynamo::Item = serde_json::from_value(item.clone()).expect("an item");
        let answer = self.app.store.answer_in(&stored.into()).expect("an answer");
        answer.map_or_else(String::new, |answer| String::from_utf8(answer).expect("UTF-8"))
    }

    pub fn buyer(&self, buyer: &Buyer) -> Value {
        match buyer {
            Buyer::Existing(label) => json!(self.client(label).as_str()),
            Buyer::New(label, email) => json!({"name": label, "email": email, "client_id": label}),
        }
    }
}

impl Deployment {
    /// A deployment with this many instances, and with the wallets and products of the market. Call it while there
    /// are no faults: it creates them through the API.
    pub async fn new(cloud: Cloud, instances: usize, holds: bool) -> Self {
        let template = template().expect("the template");
        let mut variables = template.variables();
        let hash = sha256_hex(OPERATOR_KEY.as_bytes());
        for (name, value) in [
            ("PURSER_OPERATOR_KEY_SHA256", hash.as_str()),
            ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
            ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
            ("PURSER_ADDRESS_MAILS_PER_HOUR", "0"),
            ("PURSER_PUBLIC_URL", "https://purser.example"),
            ("PURSER_HOLD_ON_LOW_CREDIT", if holds { "true" } else { "false" }),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        let config = Config::read(|name| variables.get(name).cloned()).expect("a configuration");
        let roles = Roles::of(&template, config.mail_from.as_str()).expect("roles");
        let secrets = Secrets::from_root(&[7; 32]).expect("a secret");
        let secrets = secrets.drawing_from(cloud.draw(|rng| rng.u64(..)));
        let sdk = cloud.sdk().await;
        let mut made = Vec::new();
        for _ in 0..instances {
            let mut apps = BTreeMap::new();
            let clock = cloud.clock(cloud.between(0, 5_000));
            for function in functions() {
                let role = roles.get(function.name).expect("a role");
                let (config, secrets) = (config.clone(), secrets.clone());
                let app = App::new(config, secrets, &role.assume(&sdk), clock.clone());
                apps.insert(function.name, app);
            }
            let routes = |name: &str| function(name).and_then(|it| router(it, apps.get(name)?));
            let gateway = gateway::routes(&template, routes).expect("routes");
            made.push(Instance { apps, gateway });
        }
        let names = Names {
            app: made[0].apps["front"].clone(),
            cloud: cloud.clone(),
            wallets: Vec::new(),
            products: Vec::new(),
            keys: Vec::new(),
        };
        let rules = functions::rules(&template, &config.bus).expect("rules");
        let mut deployment = Self { cloud, instances: made, rules, names };
        deployment.furnish().await;
        deployment
    }

    fn instance(&self) -> &Instance {
        let most = self.instances.len();
        &self.instances[self.cloud.draw(|rng| rng.usize(0..most))]
    }

    async fn furnish(&mut self) {
        for (place, (price, tiers)) in PRODUCTS.iter().enumerate() {
            let reference = format!("PROD-{place}");
            let body = json!({"reference": reference, "name": "x", "price": price, "tiers": tiers, "term": "P1M"});
            let _product = self.prepare("/v1/products", &body, None).await;
            self.names.products.push(reference);
        }
        for (place, (tier, parent)) in WALLETS.iter().enumerate() {
            let parent = parent.map(|it| self.names.wallets[it].clone());
            let body = json!({"company_name": format!("R{place}"), "email": format!("r{place}@example.com"),
                "tier": tier, "parent": parent});
            let reseller = self.prepare("/v1/resellers", &body, None).await;
            let refid = reseller.text("refid").to_owned();
            let credits = format!("/v1/resellers/{refid}/credits");
            let _entry = self.prepare(&credits, &json!({"amount": OPENING}), Some("opening")).await;
            let body = json!({"reseller": refid, "name": "x"});
            let key = self.prepare("/v1/api-keys", &body, None).await;
            self.names.keys.push(key.text("key").to_owned());
            self.names.wallets.push(refid);
        }
    }

    async fn prepare(&self, path: &str, body: &Value, key: Option<&str>) -> Reply {
        let request = Request { method: "POST", path: path.to_owned(), body: Some(body.clone()) };
        let reply = self.send(&Process::new("set-up", None), Party::Operator, &request, key).await;
        reply.expect("a process that lives").expect(201)
    }

    /// Lets a process answer a request. `None` if the process dies.
    pub async fn send(&self, process: &Process, by: Party, request: &Request, key: Option<&str>) -> Option<Reply> {
        let bearer = match by {
            Party::Operator => OPERATOR_KEY,
            Party::Reseller(place) => &self.names.keys[place],
        };
        self.send_as(process, Some(bearer), request, key).await
    }

    /// Like [`Self::send`], but for any API key or session, or for none.
    pub async fn send_as(
        &self,
        process: &Process,
        bearer: Option<&str>,
        request: &Request,
        key: Option<&str>,
    ) -> Option<Reply> {
        self.cloud.tick();
        let mut built = HttpRequest::builder().method(request.method).uri(&request.path);
        if let Some(bearer) = bearer {
            built = built.header("authorization", format!("Bearer {bearer}"));
        }
        if let Some(key) = key {
            built = built.header("idempotency-key", key);
        }
        let body = request.body.as_ref().map(Value::to_string);
        if body.is_some() {
            built = built.header("content-type", "application/json");
        }
        let built = built.body(Body::from(body.unwrap_or_default())).expect("a request");
        let answer = self.instance().gateway.clone().oneshot(built);
        let response = process.run(answer).await?.expect("an answer");
        let reply = Reply::of(response).await;
        purser_tests::contract::hold(request.method, &request.path, &reply);
        Some(reply)
    }

    /// Lets a process deliver records to a function that reads the stream. `None` if the process dies; otherwise the
    /// record that the function reports as failed, if any.
    pub async fn read_stream(
        &self,
        process: &Process,
        name: &str,
        records: Vec<EventRecord>,
    ) -> Option<Option<String>> {
        self.cloud.tick();
        let Some(Entry::Stream(run)) = function(name).map(|it| it.entry) else {
            panic!("{name} does not read the stream");
        };
        let mut event = StreamEvent::default();
        event.records = records;
        let app = self.instance().apps[name].clone();
        let response = process.run(run(app, event)).await?;
        let failed = response.batch_item_failures.into_iter().next();
        Some(failed.and_then(|it| it.item_identifier))
    }

    pub fn consumers(&self, event: &Value) -> Vec<String> {
        let matching = |rule: &&Rule| rule.on == On::Own && rule.pattern.matches(event);
        self.rules.iter().filter(matching).map(|rule| rule.function.clone()).collect()
    }

    /// Lets a process handle an event. `None` if the process dies.
    pub async fn consume(&self, process: &Process, name: &str, event: &Value) -> Option<Result<(), String>> {
        self.cloud.tick();
        let Some(Entry::Event(run)) = function(name).map(|it| it.entry) else {
            panic!("{name} does not take events");
        };
        let event = serde_json::from_value(event.clone()).expect("an event");
        process.run(run(self.instance().apps[name].clone(), event)).await
    }
}
