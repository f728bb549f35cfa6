//! New keys for a world's secrets, and everything that is sealed sealed anew, as an operator does both in the cloud.

use jiff::SignedDuration;
use purser_local::run::functions::call;
use purser_store::engine::secrets::Purpose;
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
