//! Lost answers, lost calls, conflicts and stale reads between a command and the table: the command still happens
//! once.

mod clients;
mod returns;
mod stale;

use axum::Router;
use purser_tests::faults::{Fault, SDK_TRIES, Script};
use purser_tests::prelude::*;

/// Functions of a world whose calls to the table follow a script.
struct Faulty<'a> {
    world: &'a World,
    script: Script,
}

impl<'a> Faulty<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, script: Script::default() }
    }

    async fn routes(&self, function: &str) -> Router {
        let app = self.world.app_over(function, &self.script).await;
        let function = purser_lambda::function(function).unwrap();
        purser_lambda::router(function, &app).unwrap()
    }

    /// Posts to a function with the API key `key`, under the idempotency key `once` if there is one.
    async fn post(&self, function: &str, path: &str, key: &str, once: Option<&str>, body: &Value) -> Reply {
        let routes = self.routes(function).await;
        self.world.call(routes, path, key, once, body).await
    }

    async fn send(&self, function: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let routes = self.routes(function).await;
        self.world.send(routes, method, path, headers, body.to_owned()).await
    }

    /// What the read `request` would answer if the entry were not there yet.
    fn without_entry(&self, request: &[u8]) -> String {
        let mut answer: Value = serde_json::from_str(&self.world.batch_get(request)).unwrap();
        for items in answer["Responses"].as_object_mut().unwrap().values_mut() {
            items.as_array_mut().unwrap().retain(|item| item["kind"]["S"] != "entry");
        }
        answer.to_string()
    }

    async fn provision_as(&self, partner: &Partner, once: &str, body: &Value) -> Reply {
        self.post("provision", "/v1/provisions", partner.caller.key().unwrap(), Some(once), body).await
    }

    async fn provision(&self, partner: &Partner, body: &Value) -> Reply {
        self.post("provision", "/v1/provisions", partner.caller.key().unwrap(), Some("k"), body).await
    }
}

/// A transaction that was cancelled, with one reason for each of its writes.
fn cancelled(reasons: &[(&str, &str)]) -> Fault {
    let reason = |(code, message): &(&str, &str)| json!({"Code": code, "Message": message});
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons.iter().map(reason).collect::<Vec<_>>(),
    });
    Fault::Answer(400, body.to_string())
}

fn conflict(writes: usize) -> Fault {
    cancelled(&vec![("TransactionConflict", "Transaction is ongoing for the item"); writes])
}

#[tokio::test]
async fn a_lost_answer_debits_once_and_is_still_answered() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let order = json!({"product": world.product(100).await, "client": world.new_client()});
    let faulty = Faulty::new(&world);
    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let made = faulty.provision(&partner, &order).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!((made.number("balance"), made.header("idempotency-replayed")), (900, None));
    assert_eq!((world.balance(&partner.refid).await, world.entries(&partner.refid).await.len()), (900, 2));
    assert_eq!(world.count_of_kind("licence"), 1);
    let again = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    assert_eq!(again.bytes, made.bytes);
}

#[tokio::test]
async fn a_create_without_a_key_recognises_its_own_lost_commit() {
    let world = World::new().await;
    let faulty = Faulty::new(&world);
    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let (key, body) = (world.operator.key().unwrap(), world.new_client());
    let created = faulty.post("create-client", "/v1/clients", key, None, &body).await.expect(201);
    assert!(faulty.script.is_played());
    let found = world.operator.get(&format!("/v1/clients/{}", created.text("refid"))).await.expect(200);
    assert_eq!(found.json, created.json);
}

#[tokio::test]
async fn a_change_to_a_version_recognises_its_own_lost_commit() {
    let world = World::new().await;
    let created = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", created.text("refid"));
    let faulty = Faulty::new(&world);
    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let headers = [("if-match", "\"1\""), ("content-type", "application/json")];
    let body = json!({"name": "New"}).to_string();
    let changed = faulty.send("update-client", "PATCH", &path, &headers, &body).await.expect(200);
    assert!(faulty.script.is_played());
    assert_eq!((changed.text("name"), changed.number("version")), ("New", 2));
    assert_eq!(world.operator.get(&path).await.json, changed.json);
}

#[tokio::test]
async fn a_revocation_and_a_new_key_survive_a_lost_answer() {
    let world = World::new().await;
    let faulty = Faulty::new(&world);
    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let owner = world.operator.key().unwrap();
    let made = faulty.post("api-keys", "/v1/api-keys", owner, Some("k"), &json!({"name": "x"})).await.expect(201);
    let shop = world.operator.with_key(Some(made.text("key")));
    let _products = shop.get("/v1/products").await.expect(200);

    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let path = format!("/v1/api-keys/{}", made.text("refid"));
    let _gone = faulty.send("api-keys", "DELETE", &path, &[], "").await.expect(204);
    assert!(faulty.script.is_played());
    let _refused = shop.get("/v1/products").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_conflict_beside_a_taken_address_is_looked_into_before_it_refuses() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let order = json!({"product": world.product(100).await, "client": world.new_client()});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    // What a repeat can run into while the first request commits: its read finds no entry yet, the write of the entry
    // is in conflict, and the address is taken already.
    let faulty = Faulty::new(&world);
    let other = json!({"product": order["product"], "client": world.new_client()});
    let _other = faulty.provision_as(&partner, "other", &other).await.expect(201);
    let stale = faulty.without_entry(&faulty.script.calls("BatchGetItem")[0]);
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, stale));
    let reasons = [("TransactionConflict", "x"), ("None", ""), ("None", ""), ("ConditionalCheckFailed", "x")];
    faulty.script.then(1, "TransactWriteItems", &cancelled(&reasons));
    let again = faulty.provision(&partner, &order).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!((again.bytes, again.headers.iter().any(|(name, _)| name == "idempotency-replayed")), (made.bytes, true));
}

#[tokio::test]
async fn a_lost_call_is_made_again() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world);
    faulty.script.then(SDK_TRIES, "TransactWriteItems", &Fault::LostCall);
    let bare = json!({"cost": 20, "description": "x"});
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!((made.number("balance"), world.balance(&partner.refid).await), (980, 980));
}

#[tokio::test]
async fn a_conflict_waits_its_turn() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world);
    faulty.script.then(5, "TransactWriteItems", &conflict(2));
    let bare = json!({"cost": 20, "description": "x"});
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!((made.number("balance"), world.entries(&partner.refid).await.len()), (980, 2));
}

#[tokio::test]
async fn who_never_gets_a_turn_is_told_to_come_back() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world);
    faulty.script.then(10_000, "TransactWriteItems", &conflict(2));
    let bare = json!({"cost": 20, "description": "x"});
    let refused = faulty.provision(&partner, &bare).await.refused(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(world.entries(&partner.refid).await.len(), 1, "a command that got no turn must change nothing");
}

#[tokio::test]
async fn a_stale_read_never_refuses() {
    let world = World::new().await;
    let partner = world.partner("standard", 10).await;
    let faulty = Faulty::new(&world);
    let bare = json!({"cost": 20, "description": "x"});
    let _refused = faulty.provision(&partner, &bare).await.refused(402, "insufficient_credits");
    let stale = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    world.top_up(&partner.refid, 10).await;
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, stale));
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!(made.number("balance"), 0);
}

#[tokio::test]
async fn a_commit_on_a_stale_read_decides_again() {
    let world = World::new().await;
    let partner = world.partner("standard", 100).await;
    let faulty = Faulty::new(&world);
    let dear = json!({"cost": 101, "description": "x"});
    let _refused = faulty.provision(&partner, &dear).await.refused(402, "insufficient_credits");
    let stale = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    let spend = json!({"cost": 90, "description": "x"});
    let _made = partner.caller.post_once("/v1/provisions", "other", &spend).await.expect(201);
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, stale));
    let bare = json!({"cost": 20, "description": "x"});
    let refused = faulty.provision(&partner, &bare).await.refused(402, "insufficient_credits");
    assert!(faulty.script.is_played());
    assert_eq!((refused.number("balance"), world.balance(&partner.refid).await), (10, 10));
}
