//! Refunds and transfers with lost answers, lost calls, conflicts and stale reads on the way to the table: credits
//! move once.

use axum::Router;
use purser_tests::faults::{Fault, SDK_TRIES};
use purser_tests::prelude::*;

use super::{Faulty, cancelled, conflict};

/// A partner that bought two licences for 200 of its 1,000 credits, the purchase, and the path that refunds it.
async fn bought(world: &World) -> (Partner, Reply, String) {
    let partner = world.partner("standard", 1_000).await;
    let (product, client) = (world.product(100).await, world.client(&partner).await);
    let order = json!({"product": product, "client": client, "quantity": 2});
    let bought = partner.caller.post_once("/v1/provisions", "buy", &order);
    let bought = bought.await.expect(201);
    let path = format!("/v1/provisions/{}/refund", bought.text("refid"));
    (partner, bought, path)
}

async fn refund(faulty: &Faulty<'_>, path: &str, once: &str, body: &Value) -> Reply {
    let key = faulty.world.operator.key().unwrap();
    let routes: Router = faulty.routes("refund-provision").await;
    faulty.world.call(routes, path, key, Some(once), body).await
}

async fn transfer(faulty: &Faulty<'_>, from: &Partner, to: &Partner, amount: u64) -> Reply {
    let body = json!({"to": to.refid, "amount": amount});
    let path = format!("/v1/resellers/{}/transfers", from.refid);
    let key = faulty.world.operator.key().unwrap();
    faulty.post("transfer-credits", &path, key, Some("k"), &body).await
}

/// Why a refund's commit may be cancelled: a reason for each of its five writes.
const CONFLICT_BESIDE_WALLET: [(&str, &str); 5] =
    [("TransactionConflict", "x"), ("ConditionalCheckFailed", "x"), ("None", ""), ("None", ""), ("None", "")];

#[tokio::test]
async fn a_refund_survives_whatever_happens_to_its_commit() {
    for (times, fault) in [
        (SDK_TRIES, Fault::LostAnswer),
        (SDK_TRIES, Fault::LostCall),
        (1, Fault::LostAnswer),
        (5, conflict(5)),
        (1, cancelled(&CONFLICT_BESIDE_WALLET)),
    ] {
        let world = World::new().await;
        let (partner, bought, path) = bought(&world).await;
        let faulty = Faulty::new(&world);
        faulty.script.then(times, "TransactWriteItems", &fault);
        let done = refund(&faulty, &path, "k", &json!({})).await.expect(200);
        assert!(faulty.script.is_played());
        assert_eq!(done.header("idempotency-replayed"), None);
        assert_eq!((done.number("refunded"), world.balance(&partner.refid).await), (200, 1_000));
        let again = world.operator.post_once(&path, "k", &json!({})).await.expect(200);
        assert_eq!(again.bytes, done.bytes);
        let other = world.operator.post_once(&path, "other", &json!({})).await;
        let _done = other.refused(409, "already_refunded");
        let found = format!("/v1/provisions/{}", bought.text("refid"));
        assert_eq!(world.operator.get(&found).await.expect(200).json, done.json);
        world.assert_intact(&partner.refid, 3).await;
    }
}

#[tokio::test]
async fn a_transfer_survives_whatever_happens_to_its_commit() {
    for (times, fault) in
        [(SDK_TRIES, Fault::LostAnswer), (SDK_TRIES, Fault::LostCall), (1, Fault::LostAnswer), (5, conflict(4))]
    {
        let world = World::new().await;
        let (from, to) = (world.partner("standard", 100).await, world.partner("gold", 0).await);
        let faulty = Faulty::new(&world);
        faulty.script.then(times, "TransactWriteItems", &fault);
        // The whole balance, so that a second debit would be refused.
        let sent = transfer(&faulty, &from, &to, 100).await.expect(201);
        assert!(faulty.script.is_played());
        assert_eq!(sent.header("idempotency-replayed"), None);
        assert_eq!((world.balance(&from.refid).await, world.balance(&to.refid).await), (0, 100));
        let again = transfer(&faulty, &from, &to, 100).await.expect(201);
        assert_eq!(again.bytes, sent.bytes);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        world.assert_intact(&from.refid, 2).await;
        world.assert_intact(&to.refid, 1).await;
    }
}

fn without(answer: &str, kind: &str) -> Fault {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    for items in answer["Responses"].as_object_mut().unwrap().values_mut() {
        let before = items.as_array().unwrap().len();
        let is_other = |item: &Value| item["kind"]["S"] != kind;
        items.as_array_mut().unwrap().retain(is_other);
        assert!(items.as_array().unwrap().len() < before, "no {kind} to leave out");
    }
    Fault::Answer(200, answer.to_string())
}

#[tokio::test]
async fn a_read_that_has_not_seen_a_licence_yet_does_not_leave_it_valid() {
    let world = World::new().await;
    let (partner, _, path) = bought(&world).await;
    let faulty = Faulty::new(&world);
    // A refused refund shows which items a refund reads. The next read then misses the licences.
    let unknown = json!({"licences": ["LI-0000000000000000"]});
    let _unknown = refund(&faulty, &path, "k", &unknown).await.refused(404, "not_found");
    let read = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    faulty.script.then(1, "BatchGetItem", &without(&read, "licence"));
    let done = refund(&faulty, &path, "k", &json!({})).await.expect(200);
    assert!(faulty.script.is_played());
    for licence in done.json["licences"].as_array().unwrap() {
        assert_eq!(licence["status"], "revoked");
    }
    assert_eq!(done.json["licences"].as_array().unwrap().len(), 2);
    assert_eq!(world.balance(&partner.refid).await, 1_000);
}

#[tokio::test]
async fn a_stale_read_of_what_was_refunded_returns_nothing_twice() {
    let world = World::new().await;
    let (partner, bought, path) = bought(&world).await;
    let faulty = Faulty::new(&world);
    let unknown = json!({"licences": ["LI-0000000000000000"]});
    let _unknown = refund(&faulty, &path, "k", &unknown).await.refused(404, "not_found");
    let before = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    let first = json!({"licences": [bought.json["licences"][0]["refid"]]});
    let _one = refund(&faulty, &path, "one", &first).await.expect(200);
    // This refund reads the state before any refund. Its commit fails, and the items on which it fails say what is
    // left.
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, before.clone()));
    let again = refund(&faulty, &path, "two", &first).await;
    let _done = again.refused(409, "already_refunded");
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, before));
    let rest = refund(&faulty, &path, "three", &json!({})).await.expect(200);
    assert!(faulty.script.is_played());
    assert_eq!((rest.number("refunded"), world.balance(&partner.refid).await), (200, 1_000));
    let amounts = rest.json["refunds"].as_array().unwrap().iter();
    assert_eq!(amounts.map(|it| it["amount"].as_u64()).collect::<Vec<_>>(), [Some(100); 2]);
}

#[tokio::test]
async fn a_read_that_has_not_seen_the_refund_before_shows_it_all_the_same() {
    let world = World::new().await;
    let (_, bought, path) = bought(&world).await;
    let first = json!({"licences": [bought.json["licences"][0]["refid"]]});
    let _one = world.operator.post_once(&path, "one", &first).await.expect(200);
    let faulty = Faulty::new(&world);
    let unknown = json!({"licences": ["LI-0000000000000000"]});
    let _unknown = refund(&faulty, &path, "k", &unknown).await.refused(404, "not_found");
    let reads = faulty.script.calls("BatchGetItem");
    let (state, entries) = (world.batch_get(&reads[0]), world.batch_get(&reads[1]));
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, state));
    faulty.script.then(1, "BatchGetItem", &without(&entries, "entry"));
    let rest = refund(&faulty, &path, "two", &json!({})).await.expect(200);
    assert!(faulty.script.is_played());
    assert_eq!(rest.json["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(rest.number("refunded"), 200);
}

#[tokio::test]
async fn a_stale_wallet_neither_refuses_a_transfer_nor_overdraws() {
    let world = World::new().await;
    let (from, to) = (world.partner("standard", 10).await, world.partner("gold", 0).await);
    let faulty = Faulty::new(&world);
    let short = transfer(&faulty, &from, &to, 20).await;
    let _short = short.refused(402, "insufficient_credits");
    let poor = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    world.top_up(&from.refid, 10).await;
    let rich = world.batch_get(&faulty.script.calls("BatchGetItem")[0]);
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, poor));
    let _sent = transfer(&faulty, &from, &to, 20).await.expect(201);
    let path = format!("/v1/resellers/{}/transfers", from.refid);
    faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, rich));
    let (key, body) = (world.operator.key().unwrap(), json!({"to": to.refid, "amount": 20}));
    let second = faulty.post("transfer-credits", &path, key, Some("other"), &body).await;
    let second = second.refused(402, "insufficient_credits");
    assert!(faulty.script.is_played());
    assert_eq!((second.number("balance"), world.balance(&to.refid).await), (0, 20));
}
