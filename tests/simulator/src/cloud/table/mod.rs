//! The simulated table: an embedded DynamoDB, with what it lacks added.
//!
//! Invariant: writes happen one after another, in the order of [`Table::commits`], and nothing else changes the
//! table. So the judge can tell afterwards what a consistent reader would have seen at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use dynoxide::Database;
use purser_local::Now;
use purser_local::cloud::dynamo::in_memory;
use purser_local::cloud::dynamo::wire::call;
use purser_local::template::TableSpec;
use serde_json::{Value, json};

use super::throughput::Throughput;
use super::wire::{Answer, cancelled, refusal};
use super::{Bug, Cloud, Process, lock};

mod reads;

/// Partition and sort key of an item.
pub type ItemKey = (String, String);

/// How one write changed one item.
#[derive(Debug, Clone)]
pub struct Change {
    pub key: ItemKey,
    /// `None` if the write created the item.
    pub old: Option<Arc<Value>>,
    /// `None` if the write deleted the item.
    pub new: Option<Arc<Value>>,
}

/// A set of writes that took effect together.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Milliseconds since the start.
    pub at: u64,
    pub by: Option<Process>,
    pub changes: Vec<Change>,
}

pub struct Table {
    database: Database,
    name: String,
    state: Mutex<State>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An item from some moment on (in milliseconds since the start); `None` while it does not exist.
type Version = (u64, Option<Arc<Value>>);

#[derive(Debug, Default)]
struct State {
    /// Every version of every item, oldest first.
    versions: BTreeMap<ItemKey, Vec<Version>>,
    under_way: BTreeSet<ItemKey>,
    tokens_under_way: BTreeSet<String>,
    tokens_done: BTreeSet<String>,
    throughput: Throughput,
    commits: Vec<Commit>,
}

impl State {
    fn as_of(&self, key: &ItemKey, moment: u64) -> Option<&Arc<Value>> {
        let versions = self.versions.get(key)?;
        let then = versions.iter().rev().find(|(at, _)| *at <= moment)?;
        then.1.as_ref()
    }

    fn note(&mut self, at: u64, by: Option<Process>, writes: Vec<(ItemKey, Option<Value>)>) {
        let mut changes = Vec::new();
        for (key, new) in writes {
            let new = new.map(Arc::new);
            let versions = self.versions.entry(key.clone()).or_default();
            let old = versions.last().and_then(|(_, old)| old.clone());
            versions.push((at, new.clone()));
            changes.push(Change { key, old, new });
        }
        self.commits.push(Commit { at, by, changes });
    }
}

fn key_of(item: &Value) -> ItemKey {
    let part = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    (part("pk"), part("sk"))
}

/// The item that a write or check of a transaction concerns, and its new content: `None` for a deletion or a check, and
/// for an update, whose outcome only the database knows.
fn write_of(item: &Value) -> (ItemKey, Option<Value>) {
    let key = ["Delete", "ConditionCheck", "Update"].map(|action| &item[action]["Key"]);
    match key.into_iter().find(|key| !key.is_null()) {
        Some(key) => (key_of(key), None),
        None => (key_of(&item["Put"]["Item"]), Some(item["Put"]["Item"].clone())),
    }
}

impl Table {
    pub(super) fn new(spec: &TableSpec, name: &str, now: Now) -> Self {
        Self { database: in_memory(spec, name, now).expect("a table"), name: name.to_owned(), state: Mutex::default() }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn commits(&self) -> Vec<Commit> {
        lock(&self.state).commits.clone()
    }

    pub fn commit_count(&self) -> usize {
        lock(&self.state).commits.len()
    }

    pub fn items(&self) -> Vec<Arc<Value>> {
        let state = lock(&self.state);
        let newest = |versions: &Vec<Version>| versions.last()?.1.clone();
        state.versions.values().filter_map(newest).collect()
    }

    /// Every item whose partition key begins with this prefix.
    pub fn items_under(&self, prefix: &str) -> Vec<Arc<Value>> {
        let state = lock(&self.state);
        let from = (prefix.to_owned(), String::new());
        let own = state.versions.range(from..);
        let own = own.take_while(|((pk, _), _)| pk.starts_with(prefix));
        own.filter_map(|(_, versions)| versions.last()?.1.clone()).collect()
    }

    pub(super) async fn call(&self, cloud: &Cloud, operation: &str, body: Value, by: Option<Process>) -> Answer {
        match operation {
            "GetItem" => self.get(cloud, &body, by.as_ref()),
            "BatchGetItem" => self.batch_get(cloud, &body, by.as_ref()).await,
            "Query" => self.query(cloud, body, by.as_ref()),
            "PutItem" | "DeleteItem" => self.replace(cloud, operation, body, by),
            "UpdateItem" => self.update(cloud, body, by),
            "TransactWriteItems" if cloud.bug() == Some(Bug::TwoCommits) => {
                self.transact_singly(cloud, &body, by).await
            }
            "TransactWriteItems" => self.transact(cloud, body, by).await,
            other => refusal("ValidationException", &format!("{other} is not simulated")),
        }
    }

    /// Whether a write of this item exceeds the throughput of its partitions.
    fn is_too_much(state: &mut State, cloud: &Cloud, item: &Value, units: u32) -> bool {
        let Some(per_second) = cloud.weather().writes_per_second else {
            return false;
        };
        !state.throughput.take(item, units, per_second, cloud.now())
    }

    /// A put, or a deletion.
    fn replace(&self, cloud: &Cloud, operation: &str, body: Value, by: Option<Process>) -> Answer {
        let new = body.get("Item").cloned();
        let named = new.as_ref().unwrap_or(&body["Key"]).clone();
        let mut state = lock(&self.state);
        if let Some(refused) = Self::refused(&mut state, cloud, &named) {
            return refused;
        }
        let (status, text) = call(&self.database, operation, body);
        if status == 200 {
            state.note(cloud.now(), by, vec![(key_of(&named), new)]);
        }
        (status, text)
    }

    fn update(&self, cloud: &Cloud, mut body: Value, by: Option<Process>) -> Answer {
        let key = body["Key"].clone();
        let mut state = lock(&self.state);
        if let Some(refused) = Self::refused(&mut state, cloud, &key) {
            return refused;
        }
        body["ReturnValues"] = json!("ALL_NEW");
        let (status, text) = call(&self.database, "UpdateItem", body);
        if status == 200 {
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            let item = answer["Attributes"].clone();
            state.note(cloud.now(), by, vec![(key_of(&key), Some(item))]);
        }
        (status, text)
    }

    /// The refusal of a single write of this item: for a transaction in progress, or for lack of throughput.
    fn refused(state: &mut State, cloud: &Cloud, item: &Value) -> Option<Answer> {
        if state.under_way.contains(&key_of(item)) {
            let why = "Transaction is ongoing for the item";
            return Some(refusal("TransactionConflictException", why));
        }
        let (busy, why) = ("ProvisionedThroughputExceededException", "throughput exceeded");
        Self::is_too_much(state, cloud, item, 1).then(|| refusal(busy, why))
    }

    async fn transact(&self, cloud: &Cloud, body: Value, by: Option<Process>) -> Answer {
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let is_check = items.clone().map(|it| it["ConditionCheck"].is_object());
        let is_check: Vec<bool> = is_check.collect();
        let is_update: Vec<bool> = items.clone().map(|it| it["Update"].is_object()).collect();
        let all: Vec<(ItemKey, Option<Value>)> = items.map(write_of).collect();
        let token = body["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
        if let Some(refused) = self.begin(cloud, &token, &all) {
            return refused;
        }
        let long = cloud.happens(cloud.weather().long_transaction);
        let most = if long { 4_000 } else { 5 };
        tokio::time::sleep(cloud.between(0, most)).await;
        let (status, text) = call(&self.database, "TransactWriteItems", body);
        let mut state = lock(&self.state);
        for (key, _) in &all {
            state.under_way.remove(key);
        }
        state.tokens_under_way.remove(&token);
        // If this token has already succeeded, the database repeats its earlier answer without writing anything. So
        // the writes are noted only the first time.
        if status == 200 && state.tokens_done.insert(token) {
            let writes = all.into_iter().zip(is_check.into_iter().zip(is_update));
            let writes = writes.filter_map(|((key, new), (is_check, is_update))| {
                let new = if is_update { self.stored(&key) } else { new };
                (!is_check).then_some((key, new))
            });
            state.note(cloud.now(), by, writes.collect());
        }
        (status, text)
    }

    /// An item as the database has it now.
    fn stored(&self, (pk, sk): &ItemKey) -> Option<Value> {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let read = json!({"TableName": self.name, "Key": key, "ConsistentRead": true});
        let (status, text) = call(&self.database, "GetItem", read);
        assert_eq!(status, 200, "{text}");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        Some(answer["Item"].take()).filter(Value::is_object)
    }

    /// Starts a transaction, or returns the answer that refuses it.
    fn begin(&self, cloud: &Cloud, token: &str, writes: &[(ItemKey, Option<Value>)]) -> Option<Answer> {
        let mut state = lock(&self.state);
        if state.tokens_under_way.contains(token) {
            return Some(refusal("TransactionInProgressException", "the transaction is in progress"));
        }
        let mut codes = Vec::new();
        for (key, new) in writes {
            let without = json!({"pk": {"S": key.0}});
            let written = new.as_ref().unwrap_or(&without);
            codes.push(if state.under_way.contains(key) {
                "TransactionConflict"
            } else if Self::is_too_much(&mut state, cloud, written, 2) {
                "ThrottlingError"
            } else {
                "None"
            });
        }
        if codes.iter().any(|code| *code != "None") {
            return Some(cancelled(&codes));
        }
        state.under_way.extend(writes.iter().map(|(key, _)| key.clone()));
        state.tokens_under_way.insert(token.to_owned());
        None
    }

    /// Carries out the writes one by one, each as a commit of its own ([`Bug::TwoCommits`]).
    async fn transact_singly(&self, cloud: &Cloud, body: &Value, by: Option<Process>) -> Answer {
        let mut last = (200, "{}".to_owned());
        for item in body["TransactItems"].as_array().into_iter().flatten() {
            let token = cloud.draw(|rng| rng.u64(..)).to_string();
            let single = json!({"TransactItems": [item], "ClientRequestToken": token});
            last = self.transact(cloud, single, by.clone()).await;
            if last.0 != 200 {
                return refusal("TransactionConflictException", "stopped halfway");
            }
            tokio::time::sleep(cloud.between(1, 20)).await;
        }
        last
    }
}
