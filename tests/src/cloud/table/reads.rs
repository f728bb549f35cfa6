//! Reads, which may be of a moment ago, of two moments, or answered in part.
//!
//! Invariant: a consistent read of one item is of now.

use serde_json::{Value, json};

use super::{Table, key_of};
use crate::cloud::wire::{self, Answer};
use crate::cloud::{Cloud, Process, lock};

/// Notes what happened to the process whose call this is.
fn note(cloud: &Cloud, by: Option<&Process>, what: &str) {
    cloud.note(by.map_or("-", Process::name), what);
}

impl Table {
    /// The moment a read is of: now, or some time ago when it may be.
    fn moment(cloud: &Cloud, consistent: bool) -> u64 {
        let weather = cloud.weather();
        let lag = if !consistent && cloud.happens(weather.stale) {
            cloud.draw(|rng| rng.u64(0..=weather.lag))
        } else {
            0
        };
        cloud.now().saturating_sub(lag)
    }

    fn read(
        &self,
        cloud: &Cloud,
        key: &Value,
        consistent: bool,
        by: Option<&Process>,
    ) -> Option<Value> {
        let (key, moment) = (key_of(key), Self::moment(cloud, consistent));
        let state = lock(&self.state);
        let found = state.as_of(&key, moment);
        if found != state.as_of(&key, cloud.now()) {
            let noun = key.0.split('#').next().unwrap_or_default();
            note(cloud, by, &format!("reads a stale {noun}"));
        }
        found.cloned()
    }

    pub(super) fn get(&self, cloud: &Cloud, body: &Value, by: Option<&Process>) -> Answer {
        let consistent = body["ConsistentRead"] == true;
        let found = self.read(cloud, &body["Key"], consistent, by);
        let answer = found.map_or_else(|| json!({}), |item| json!({"Item": item}));
        (200, answer.to_string())
    }

    pub(super) async fn batch_get(
        &self,
        cloud: &Cloud,
        body: &Value,
        by: Option<&Process>,
    ) -> Answer {
        let request = &body["RequestItems"][&self.name];
        let consistent = request["ConsistentRead"] == true;
        let mut keys = request["Keys"].as_array().cloned().unwrap_or_default();
        // The order in which they are asked for is a hash map's: it must make no difference.
        keys.sort_by_key(key_of);
        let weather = cloud.weather();
        let left_out = if cloud.happens(weather.unprocessed) {
            keys.split_off(cloud.draw(|rng| rng.usize(0..keys.len())))
        } else {
            Vec::new()
        };
        let first = if cloud.happens(weather.torn) {
            cloud.draw(|rng| rng.usize(0..=keys.len()))
        } else {
            keys.len()
        };
        let mut items = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            if place == first {
                note(cloud, by, "reads at two moments");
                tokio::time::sleep(cloud.between(1, 200)).await;
            }
            items.extend(self.read(cloud, key, consistent, by));
        }
        let mut answer = json!({"Responses": {&self.name: items}, "UnprocessedKeys": {}});
        if !left_out.is_empty() {
            note(cloud, by, "is answered in part");
            let left_out = json!({"Keys": left_out, "ConsistentRead": consistent});
            answer["UnprocessedKeys"] = json!({&self.name: left_out});
        }
        (200, answer.to_string())
    }

    /// A query of an index, in which what was written a moment ago may not stand yet.
    pub(super) fn query(&self, cloud: &Cloud, body: Value, by: Option<&Process>) -> Answer {
        let moment = Self::moment(cloud, false);
        let partition = body["ExpressionAttributeValues"][":pk"].clone();
        let attribute = body["ExpressionAttributeNames"]["#pk"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let (status, text) = wire::call(&self.database, "Query", body);
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(items) = answer["Items"].as_array_mut() {
            let state = lock(&self.state);
            let as_of = |item: &Value| {
                let key = key_of(item);
                if state.versions.get(&key)?.last()?.0 <= moment {
                    return Some(item.clone());
                }
                let old = state
                    .as_of(&key, moment)
                    .filter(|old| old[&attribute] == partition);
                old.cloned()
            };
            let found: Vec<Value> = items.iter().filter_map(as_of).collect();
            if found != *items {
                note(cloud, by, "queries an index that lags");
            }
            *items = found;
        }
        (status, answer.to_string())
    }
}
