//! Reads, which may be stale, mix two moments, or be incomplete.
//!
//! Invariant: a consistent read of a single item returns its present state.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use purser_local::cloud::dynamo::wire::call;
use serde_json::{Value, json};

use super::{ItemKey, State, Table, key_of};
use crate::cloud::wire::Answer;
use crate::cloud::{Cloud, Process, lock};

fn note(cloud: &Cloud, by: Option<&Process>, what: &str) {
    cloud.note(by.map_or("-", Process::name), what);
}

impl Table {
    /// The moment whose state a read returns: the present, or for a read that may be stale, some moment before.
    fn moment(cloud: &Cloud, consistent: bool) -> u64 {
        let weather = cloud.weather();
        let lag =
            if !consistent && cloud.happens(weather.stale) { cloud.draw(|rng| rng.u64(0..=weather.lag)) } else { 0 };
        cloud.now().saturating_sub(lag)
    }

    fn read(&self, cloud: &Cloud, key: &Value, consistent: bool, by: Option<&Process>) -> Option<Arc<Value>> {
        let (key, moment) = (key_of(key), Self::moment(cloud, consistent));
        let state = lock(&self.state);
        let found = state.as_of(&key, moment);
        if found.map(Arc::as_ptr) != state.as_of(&key, cloud.now()).map(Arc::as_ptr) {
            let noun = key.0.split('#').next().unwrap_or_default();
            note(cloud, by, &format!("reads a stale {noun}"));
        }
        found.cloned()
    }

    pub(super) fn get(&self, cloud: &Cloud, body: &Value, by: Option<&Process>) -> Answer {
        let consistent = body["ConsistentRead"] == true;
        let found = self.read(cloud, &body["Key"], consistent, by);
        let answer = found.map_or_else(|| json!({}), |item| json!({"Item": *item}));
        (200, answer.to_string())
    }

    pub(super) async fn batch_get(&self, cloud: &Cloud, body: &Value, by: Option<&Process>) -> Answer {
        let request = &body["RequestItems"][&self.name];
        let consistent = request["ConsistentRead"] == true;
        let mut keys = request["Keys"].as_array().cloned().unwrap_or_default();
        // The order of the requested keys comes from a hash map, so it must not influence the simulation.
        keys.sort_by_key(key_of);
        let weather = cloud.weather();
        let left_out = if cloud.happens(weather.unprocessed) {
            keys.split_off(cloud.draw(|rng| rng.usize(0..keys.len())))
        } else {
            Vec::new()
        };
        let first = if cloud.happens(weather.torn) { cloud.draw(|rng| rng.usize(0..=keys.len())) } else { keys.len() };
        let mut items = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            if place == first {
                note(cloud, by, "reads at two moments");
                tokio::time::sleep(cloud.between(1, 200)).await;
            }
            items.extend(self.read(cloud, key, consistent, by).as_deref().cloned());
        }
        let mut answer = json!({"Responses": {&self.name: items}, "UnprocessedKeys": {}});
        if !left_out.is_empty() {
            note(cloud, by, "receives a partial answer");
            let left_out = json!({"Keys": left_out, "ConsistentRead": consistent});
            answer["UnprocessedKeys"] = json!({&self.name: left_out});
        }
        (200, answer.to_string())
    }

    /// A query of an index, or one of the table that may be stale. It may miss items written a moment ago, and still
    /// return items deleted a moment ago.
    pub(super) fn query(&self, cloud: &Cloud, body: Value, by: Option<&Process>) -> Answer {
        let moment = Self::moment(cloud, body["ConsistentRead"] == true);
        let wanted = Wanted::of(&body);
        let (status, text) = call(&self.database, "Query", body);
        let state = lock(&self.state);
        if state.commits.last().is_none_or(|last| last.at <= moment) {
            return (status, text);
        }
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(items) = answer["Items"].as_array_mut() {
            let as_of = |item: &Value| {
                let key = key_of(item);
                if state.versions.get(&key)?.last()?.0 <= moment {
                    return Some(item.clone());
                }
                let then = state.as_of(&key, moment)?;
                wanted.holds(then).then(|| Value::clone(then))
            };
            let mut found: Vec<Value> = items.iter().filter_map(as_of).collect();
            found.extend(wanted.gone(&state, moment));
            found.sort_by(|one, other| wanted.order(one, other));
            if found != *items {
                note(cloud, by, "queries an index that lags");
            }
            *items = found;
        }
        (status, answer.to_string())
    }
}

/// The partition that a query asks for, with the names of the key attributes.
struct Wanted {
    pk: String,
    sk: String,
    partition: Value,
    ascending: bool,
    /// Whether the query asks for the whole partition, without a sort key condition, filter or start key.
    whole: bool,
}

impl Wanted {
    fn of(query: &Value) -> Self {
        let index = query["IndexName"].as_str().unwrap_or_default();
        Self {
            pk: format!("{index}pk"),
            sk: format!("{index}sk"),
            partition: query["ExpressionAttributeValues"][":pk"].clone(),
            ascending: query["ScanIndexForward"] != false,
            whole: query["KeyConditionExpression"] == "#pk = :pk"
                && query["FilterExpression"].is_null()
                && query["ExclusiveStartKey"].is_null(),
        }
    }

    fn holds(&self, item: &Value) -> bool {
        item[&self.pk] == self.partition
    }

    fn order(&self, one: &Value, other: &Value) -> Ordering {
        let place = |item: &Value| item[&self.sk]["S"].as_str().map(str::to_owned);
        let order = place(one).cmp(&place(other));
        if self.ascending { order } else { order.reverse() }
    }

    /// The items that the partition contained at that moment and no longer contains.
    fn gone(&self, state: &State, moment: u64) -> Vec<Value> {
        if !self.whole {
            return Vec::new();
        }
        let since = state.commits.iter().rev();
        let since = since.take_while(|commit| commit.at > moment);
        let changed: BTreeSet<&ItemKey> = since.flat_map(|commit| commit.changes.iter().map(|it| &it.key)).collect();
        let gone = changed.into_iter().filter_map(|key| {
            let now = state.as_of(key, u64::MAX);
            let then = state.as_of(key, moment)?;
            let is_gone = self.holds(then) && !now.is_some_and(|now| self.holds(now));
            is_gone.then(|| Value::clone(then))
        });
        gone.collect()
    }
}
