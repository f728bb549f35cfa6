//! What a month costs: the units that a provision and everything following from it consume, times AWS's list prices.
//!
//! Invariant: what can be measured is measured on a complete Purser; the rest is assumed below, and printed as such.
//! All money is in whole micro-dollars.

pub mod prices;
mod table;

use purser_api::Entry;
use purser_lambda::{function, functions};
use purser_local::run::{functions, system};
use purser_local::template;
use purser_store::engine::table::meter::measured;

use purser_store::engine::secrets::Purpose;
use purser_tests::prelude::*;

use self::prices::Price;

/// How long a function runs for each round trip to another part of AWS, in milliseconds.
const ROUND_TRIP_MS: u32 = 10;
/// How long a function runs apart from its round trips, in milliseconds.
const OWN_MS: u32 = 5;
/// How much one invocation of a function logs, in bytes, including Lambda's own lines and the metrics.
const LOGGED_BYTES: u128 = 1_000;
/// How much API Gateway logs about one request, in bytes.
const ACCESS_BYTES: u128 = 250;
const HEADER_BYTES: usize = 500;
/// What DynamoDB adds to the size of each item, in the table and in each index, in bytes.
const ITEM_OVERHEAD: u128 = 100;
/// How long DynamoDB caches the table's KMS key for each function, in minutes.
const KEY_MINUTES: u128 = 5;

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// How much of something one provision consumes.
#[derive(Debug)]
pub struct Line {
    pub price: &'static Price,
    /// How many units, as the price counts them.
    pub units: u128,
    /// The same quantity in the unit that is printed.
    pub shown: String,
}

/// A kind of provision, and what it consumes together with everything that follows from it.
#[derive(Debug)]
pub struct Usage {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

/// The report that `make costs` prints and docs/deploying.md quotes.
pub async fn report() -> String {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000_000).await;
    let product = world.product(700).await;
    let existing = json!({"product": product, "client": world.client(&partner).await});
    let new = json!({"product": product, "client": world.new_client()});
    let kinds =
        [("One licence for an existing client", existing), ("One licence for a new client, with an e-mail", new)];
    let (mut usages, mut metrics) = (Vec::new(), BTreeSet::new());
    for (title, order) in kinds {
        let mut measured = Measured::of(&world, &partner, &order).await;
        metrics.append(&mut measured.metrics);
        let lines = measured.lines();
        usages.push(Usage { title, lines });
    }
    table::render(&usages, &monthly(metrics.len() as u128))
}

/// Marks the beginning and the end of the quoted report in a document.
const MARK: &str = "<!-- costs -->\n";

/// The document with the report between its two marks. `None` if it does not contain them.
pub fn quoting(document: &str, report: &str) -> Option<String> {
    let (before, rest) = document.split_once(MARK)?;
    let (_, after) = rest.split_once(MARK)?;
    Some(format!("{before}{MARK}```text\n{report}```\n{MARK}{after}"))
}

/// What is paid each month regardless of usage, with this many custom metrics.
fn monthly(metrics: u128) -> Vec<Line> {
    let template = template::json(TEMPLATE).expect("a template");
    let resources = template["Resources"].as_object().expect("resources");
    let count = |kind: &str| resources.values().filter(|it| it["Type"] == kind).count() as u128;
    let line = |price, units: u128| Line { price, units, shown: units.to_string() };
    let windows = 31 * 24 * 60 / KEY_MINUTES * functions().count() as u128;
    let made_before = Purpose::ALL.iter().filter(|it| !Purpose::LATER.contains(it)).count() as u128;
    let lines = [
        line(&prices::KEY, count("AWS::KMS::Key")),
        line(&prices::KEY_USE, windows),
        // The template has the one of earlier versions; the others are made before the stack, or only when wanted.
        line(&prices::SECRET, count("AWS::SecretsManager::Secret") + made_before),
        line(&prices::ALARM, count("AWS::CloudWatch::Alarm")),
        line(&prices::DASHBOARD, count("AWS::CloudWatch::Dashboard")),
        line(&prices::METRIC, metrics),
    ];
    lines.into_iter().filter(|line| line.units > 0).collect()
}

/// What one provision was measured to consume.
struct Measured {
    half_reads: u128,
    half_writes: u128,
    bytes_kept: u128,
    bytes_sent: u128,
    events: u128,
    mails: u128,
    /// The names of the events that happened. Each of them is counted by a metric of its own.
    metrics: BTreeSet<String>,
    /// Each invocation of a function: its memory in MB, and its duration in milliseconds.
    invocations: Vec<(u128, u32)>,
}

impl Measured {
    async fn of(world: &World, partner: &Partner, order: &Value) -> Self {
        let (events, mails) = (world.events().await.len(), world.mails().await.len());
        let kept = bytes_kept(world);
        let key = world.fresh("costs");
        let reply = partner.caller.post_once("/v1/provisions", &key, order).await.expect(201);
        let (calls, rcu, wcu) = reply.cost();
        let mut told = world.events().await;
        told.truncate(told.len() - events);
        let mut this = Self {
            half_reads: halves(rcu),
            half_writes: halves(wcu),
            bytes_kept: bytes_kept(world) - kept,
            bytes_sent: (reply.bytes.len() + HEADER_BYTES) as u128,
            events: told.len() as u128,
            mails: (world.mails().await.len() - mails) as u128,
            metrics: told.iter().map(|event| event["detail-type"].to_string()).collect(),
            invocations: Vec::new(),
        };
        this.invoke("provision", calls);
        // The records of one commit arrive in one batch, and `PutEvents` takes ten events at a time.
        this.invoke("relay", told.len().div_ceil(10).try_into().expect("few"));
        for event in told {
            this.consume(world, event).await;
        }
        this
    }

    fn invoke(&mut self, function: &str, round_trips: u32) {
        let time = OWN_MS + ROUND_TRIP_MS * round_trips;
        self.invocations.push((memory(function), time));
    }

    /// Delivers an event once more to all of its consumers, under an id that none of them has claimed.
    async fn consume(&mut self, world: &World, mut event: Value) {
        event["detail"]["id"] = json!(world.fresh("costs"));
        let template = system::template().expect("a template");
        let rules = functions::rules(&template, &world.system().app().config.bus).expect("rules");
        for rule in rules.iter().filter(|rule| rule.pattern.matches(&event)) {
            let mails = world.mails().await.len();
            let app = world.system().apps().of(&rule.function).expect("a function");
            let Some(Entry::Event(run)) = function(&rule.function).map(|it| it.entry) else {
                panic!("{} takes no events", rule.function);
            };
            let event = serde_json::from_value(event.clone()).expect("an event");
            let (done, cost) = measured(run(app.clone(), event)).await;
            done.expect("the consumer should succeed");
            let mails = world.mails().await.len() - mails;
            self.half_reads += halves(cost.rcu);
            self.half_writes += halves(cost.wcu);
            self.invoke(&rule.function, cost.calls + u32::try_from(mails).expect("few"));
        }
    }

    fn lines(&self) -> Vec<Line> {
        let calls = self.invocations.len() as u128;
        let duration: u128 = self.invocations.iter().map(|(mb, ms)| mb * u128::from(*ms)).sum();
        let count = |price, units: u128| Line { price, units, shown: units.to_string() };
        let half = |price, units: u128| Line { price, units, shown: decimal(units * 5, 1) };
        // Some texts are compressed, so their size varies by a few bytes from run to run.
        let kilobytes = |price, bytes: u128| {
            let units = bytes.div_ceil(500) * 500;
            Line { price, units, shown: decimal(units / 100, 1) }
        };
        let mut lines = vec![
            count(&prices::HTTP_REQUEST, 1),
            count(&prices::INVOCATION, calls),
            Line { price: &prices::DURATION, units: duration, shown: decimal(duration * 10_000 / 1_024_000, 4) },
            half(&prices::HALF_READ, self.half_reads),
            half(&prices::HALF_WRITE, self.half_writes),
            kilobytes(&prices::STORAGE, self.bytes_kept),
            count(&prices::EVENT, self.events),
            count(&prices::MAIL, self.mails),
            kilobytes(&prices::LOGS, calls * LOGGED_BYTES + ACCESS_BYTES),
            kilobytes(&prices::TRANSFER, self.bytes_sent),
        ];
        lines.retain(|line| line.units > 0);
        lines
    }
}

/// Converts capacity units, which DynamoDB reports in steps of one half, into a whole number of halves.
fn halves(units: f64) -> u128 {
    let halves = format!("{}", units * 2.0);
    halves.parse().expect("whole or half units")
}

/// Writes a number of fractions of 10^-`places` as a decimal number.
fn decimal(fractions: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let places = places as usize;
    format!("{}.{:0places$}", fractions / one, fractions % one)
}

/// The memory of the function with this handler, in MB.
fn memory(handler: &str) -> u128 {
    let template = template::json(TEMPLATE).expect("a template");
    let resources = template["Resources"].as_object().expect("resources");
    let mut functions = resources.values().map(|it| &it["Properties"]);
    let own = functions.find(|it| it["Handler"] == handler).expect("a function");
    let memory = own["MemorySize"].as_u64();
    let memory = memory.or_else(|| template["Globals"]["Function"]["MemorySize"].as_u64());
    memory.expect("a number").into()
}

/// The size of the table and its indexes in bytes, as DynamoDB bills it.
fn bytes_kept(world: &World) -> u128 {
    let dynamo = world.system().dynamo();
    let request = json!({"TableName": dynamo.table()});
    let request = serde_json::from_value(request).expect("a request");
    let answer = dynamo.database().describe_table(request).expect("a table");
    let table = &serde_json::to_value(answer).expect("JSON")["Table"];
    let number = |of: &Value, name: &str| u128::from(of[name].as_u64().expect("a number"));
    let indexes = table["GlobalSecondaryIndexes"].as_array().expect("indexes");
    let in_indexes = |index: &Value| number(index, "IndexSizeBytes") + number(index, "ItemCount") * ITEM_OVERHEAD;
    let in_table = number(table, "TableSizeBytes") + number(table, "ItemCount") * ITEM_OVERHEAD;
    in_table + indexes.iter().map(in_indexes).sum::<u128>()
}
