//! Lost answers, conflicts and stale reads between a command and the table.

use purser_edge::App;
use purser_tests::faults::{Fault, Script};
use purser_tests::{Partner, Reply, World};
use serde_json::{Value, json};

/// The SDK tries three times within one call; the store's own loop begins where that ends.
const SDK_TRIES: usize = 3;

/// A function of this world whose way to the table follows a script.
struct Faulty<'a> {
    world: &'a World,
    app: App,
    script: Script,
}

impl<'a> Faulty<'a> {
    async fn new(world: &'a World) -> Self {
        let script = Script::default();
        Self {
            world,
            app: world.app_over(&script).await,
            script,
        }
    }

    /// Posts to a function as `key`'s owner, under an idempotency key when there is one.
    async fn post(
        &self,
        function: &str,
        path: &str,
        key: &str,
        once: Option<&str>,
        body: &Value,
    ) -> Reply {
        let function = purser_api::function(function).unwrap();
        self.world
            .call(function.router(&self.app).unwrap(), path, key, once, body)
            .await
    }

    async fn provision(&self, partner: &Partner, body: &Value) -> Reply {
        self.post(
            "provision",
            "/v1/provisions",
            partner.caller.key().unwrap(),
            Some("k"),
            body,
        )
        .await
    }
}

fn conflict(writes: usize) -> Fault {
    let reason =
        json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled", "CancellationReasons": vec![reason; writes],
    });
    Fault::Answer(400, body.to_string())
}

#[tokio::test]
async fn a_lost_answer_debits_once_and_is_still_answered() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let order = json!({"product": world.product(100).await, "client": world.new_client()});
    let faulty = Faulty::new(&world).await;
    faulty
        .script
        .then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let made = faulty.provision(&partner, &order).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!(
        (made.number("balance"), made.header("idempotency-replayed")),
        (900, None)
    );
    assert_eq!(
        (
            world.balance(&partner.refid).await,
            world.entries(&partner.refid).await.len()
        ),
        (900, 2)
    );
    assert_eq!(world.count_of_kind("licence"), 1);
    let again = partner
        .caller
        .post_once("/v1/provisions", "k", &order)
        .await
        .expect(201);
    assert_eq!(again.bytes, made.bytes);
}

#[tokio::test]
async fn a_create_without_a_key_recognises_its_own_lost_commit() {
    let world = World::new().await;
    let faulty = Faulty::new(&world).await;
    faulty
        .script
        .then(SDK_TRIES, "TransactWriteItems", &Fault::LostAnswer);
    let (key, body) = (world.operator.key().unwrap(), world.new_client());
    let created = faulty
        .post("create-client", "/v1/clients", key, None, &body)
        .await
        .expect(201);
    assert!(faulty.script.is_played());
    let found = world
        .operator
        .get(&format!("/v1/clients/{}", created.text("refid")))
        .await
        .expect(200);
    assert_eq!(found.json, created.json);
}

#[tokio::test]
async fn a_lost_call_is_made_again() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world).await;
    faulty
        .script
        .then(SDK_TRIES, "TransactWriteItems", &Fault::LostCall);
    let bare = json!({"cost": 20, "description": "x"});
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!(
        (made.number("balance"), world.balance(&partner.refid).await),
        (980, 980)
    );
}

#[tokio::test]
async fn a_conflict_waits_its_turn() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world).await;
    faulty.script.then(5, "TransactWriteItems", &conflict(2));
    let bare = json!({"cost": 20, "description": "x"});
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!(
        (
            made.number("balance"),
            world.entries(&partner.refid).await.len()
        ),
        (980, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn who_never_gets_a_turn_is_told_to_come_back() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let faulty = Faulty::new(&world).await;
    faulty
        .script
        .then(10_000, "TransactWriteItems", &conflict(2));
    let bare = json!({"cost": 20, "description": "x"});
    let refused = faulty.provision(&partner, &bare).await.refused(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        world.entries(&partner.refid).await.len(),
        1,
        "nothing changed"
    );
}

#[tokio::test]
async fn a_stale_read_never_refuses() {
    let world = World::new().await;
    let partner = world.partner("standard", 10).await;
    let faulty = Faulty::new(&world).await;
    let bare = json!({"cost": 20, "description": "x"});
    let _refused = faulty
        .provision(&partner, &bare)
        .await
        .refused(402, "insufficient_credits");
    let stale = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    world.top_up(&partner.refid, 10).await;
    faulty
        .script
        .then(1, "BatchGetItem", &Fault::Answer(200, stale));
    let made = faulty.provision(&partner, &bare).await.expect(201);
    assert!(faulty.script.is_played());
    assert_eq!(made.number("balance"), 0);
}

#[tokio::test]
async fn a_commit_on_a_stale_read_decides_again() {
    let world = World::new().await;
    let partner = world.partner("standard", 100).await;
    let faulty = Faulty::new(&world).await;
    let dear = json!({"cost": 101, "description": "x"});
    let _refused = faulty
        .provision(&partner, &dear)
        .await
        .refused(402, "insufficient_credits");
    let stale = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    let spend = json!({"cost": 90, "description": "x"});
    let _made = partner
        .caller
        .post_once("/v1/provisions", "other", &spend)
        .await
        .expect(201);
    faulty
        .script
        .then(1, "BatchGetItem", &Fault::Answer(200, stale));
    let bare = json!({"cost": 20, "description": "x"});
    let refused = faulty
        .provision(&partner, &bare)
        .await
        .refused(402, "insufficient_credits");
    assert!(faulty.script.is_played());
    assert_eq!(
        (
            refused.number("balance"),
            world.balance(&partner.refid).await
        ),
        (10, 10)
    );
}
