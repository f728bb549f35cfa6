//! New keys for a world's secrets, everything that is sealed sealed anew, as an operator does both in the cloud, and
//! everything open, as somebody who has the table and all secrets would see it.

use std::collections::HashMap;

use jiff::SignedDuration;
use purser_local::cloud::stream::StreamReader;
use purser_local::run::functions::call;
use purser_store::engine::secrets::Purpose;
use purser_store::engine::{Item, Seal};
use serde_json::{Value, json};

use crate::world::World;

/// What `reseal` walks through.
pub const SEALED: [&str; 5] = ["clients", "resellers", "entries", "licences", "factors"];

/// How long a new key waits before it seals. By then every function has read it.
const UNTIL_IT_SEALS: SignedDuration = SignedDuration::from_mins(10);

impl World {
    /// Gives each kind of seals, and the checkpoints, one more key.
    pub fn rotate(&self) {
        let from = self.system().clock().now().plus(UNTIL_IT_SEALS).unix_seconds();
        for purpose in [Purpose::Factors, Purpose::Records, Purpose::Licences] {
            self.change_secret(purpose, |secret| {
                let keys = secret["keys"].as_array_mut().expect("keys");
                let id = keys.len() + 1;
                keys.push(json!({"id": id, "key": format!("{id:02x}").repeat(32), "from": from}));
            });
        }
        self.change_secret(Purpose::Signing, |secret| {
            let keys = secret["keys"].as_array_mut().expect("keys");
            keys.push(format!("{:02x}", keys.len() + 1).repeat(32).into());
        });
    }

    /// Takes all keys of seals away but the newest ones.
    pub fn retire(&self) {
        for purpose in [Purpose::Factors, Purpose::Records, Purpose::Licences] {
            self.change_secret(purpose, |secret| {
                let keys = secret["keys"].as_array_mut().expect("keys");
                keys.drain(..keys.len() - 1);
            });
        }
    }

    fn change_secret(&self, purpose: Purpose, change: impl FnOnce(&mut Value)) {
        let vault = self.system().vault();
        let texts = vault.texts().expect("secrets");
        let mut secret = serde_json::from_str(&texts[&purpose]).expect("JSON");
        change(&mut secret);
        vault.put(purpose, secret.to_string()).expect("a secret");
    }

    /// Turns the clock until every function has read its secrets again.
    pub fn read_secrets_again(&self) {
        self.system().clock().advance(UNTIL_IT_SEALS + SignedDuration::from_mins(5));
    }

    /// Walks through everything of a kind until nothing is left to seal anew. Returns how many seals were renewed.
    pub async fn reseal(&self, what: &str) -> u64 {
        let mut renewed = 0;
        loop {
            let (mut walked, mut place) = (0, json!({}));
            while !place.is_null() {
                let asked = json!({"what": what, "place": place});
                let step = call(self.system().apps(), "reseal", asked).await.expect("a step");
                walked += step["renewed"].as_u64().expect("a number");
                place = step["next"].clone();
            }
            if walked == 0 {
                return renewed;
            }
            renewed += walked;
        }
    }
}

/// An item of the table, or a version of it, that can be searched.
#[derive(Debug, Clone)]
pub struct Opened {
    pub kind: String,
    pub pk: String,
    /// Everything that the item holds, in lower case.
    pub text: String,
}

impl World {
    /// Every item of the table.
    pub fn opened(&self) -> Vec<Opened> {
        self.items().iter().map(|item| self.open(item)).collect()
    }

    /// Every version of an item that was ever written.
    pub fn ever_opened(&self) -> Vec<Opened> {
        let mut reader = StreamReader::open(self.system().dynamo(), None).expect("a stream");
        let mut records: Vec<Value> = Vec::new();
        loop {
            let read = reader.read(1_000).expect("records");
            let Some(last) = read.last() else { break };
            reader.advance(last).expect("the next record");
            records.extend(read);
        }
        let images = records.iter().map(|record| &record["dynamodb"]["NewImage"]).filter(|image| !image.is_null());
        images.map(|image| self.open(image)).collect()
    }

    /// Opens an item (in DynamoDB's JSON).
    fn open(&self, image: &Value) -> Opened {
        let text = |name: &str| image[name]["S"].as_str().unwrap_or_default().to_owned();
        let (kind, pk) = (text("kind"), text("pk"));
        // Purchases, and what clients and resellers hold, are opened by the functions that deal with them.
        let store = &self.system().apps().of("provision").expect("a function").store;
        let stored: HashMap<String, serde_dynamo::AttributeValue> =
            serde_json::from_value(image.clone()).expect("an item");
        let item: Item = stored.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut opened = vec![image.to_string()];
        let answer = store.answer_in(&item).expect("an answer");
        opened.extend(answer.map(|answer| String::from_utf8(answer).expect("UTF-8")));
        if let Some(sealed) = item.get("sealed").and_then(|sealed| sealed.as_b().ok()) {
            let seal = if kind == "licence" { Seal::Licence } else { Seal::Record };
            let plain = store.secrets().open(seal, &pk, sealed.as_ref()).expect("a seal");
            opened.push(String::from_utf8(plain).expect("UTF-8"));
        }
        Opened { kind, pk, text: opened.join(" ").to_lowercase() }
    }
}
