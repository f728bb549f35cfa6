//! Top-ups: only operators make them, each takes effect once, and each is an entry (rules B4, B8, B11).

use purser_tests::prelude::*;

#[tokio::test]
async fn a_top_up_is_an_entry_and_a_balance() {
    let world = World::new().await;
    let partner = world.partner("platinum", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let body = json!({"amount": 1_000, "reference": "INV-7", "description": "Invoice 7"});
    let entry = world.operator.post_once(&path, "k1", &body).await.expect(201);
    for (member, value) in [
        ("sequence", json!(1)),
        ("type", json!("credit")),
        ("amount", json!(1_000)),
        ("balance_after", json!(1_000)),
        ("reference", json!("INV-7")),
        ("description", json!("Invoice 7")),
        ("actor", json!("operator")),
        ("previous_hash", json!("0".repeat(64))),
        ("provision", Value::Null),
    ] {
        assert_eq!(entry.json[member], value, "{member}");
    }
    assert_eq!(world.entries(&partner.refid).await, vec![entry.json.clone()]);
    let wallet = partner.caller.get(&format!("/v1/resellers/{}/wallet", partner.refid)).await.expect(200);
    assert_eq!(wallet.json, json!({"balance": 1_000, "low_credit_threshold": 500, "sequence": 1}));
}

#[tokio::test]
async fn a_repeat_by_key_or_by_reference_adds_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let body = json!({"amount": 100, "reference": "INV-1"});
    let first = world.operator.post_once(&path, "k1", &body).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    for key in ["k1", "k2", "k2"] {
        let again = world.operator.post_once(&path, key, &body).await.expect(201);
        assert_eq!((&again.bytes, again.header("idempotency-replayed")), (&first.bytes, Some("true")), "{key}");
    }
    let other = json!({"amount": 101, "reference": "INV-1"});
    let _refused = world.operator.post_once(&path, "k3", &other).await.refused(409, "reference_reused");
    let _refused = world.operator.post_once(&path, "k1", &other).await.refused(422, "idempotency_key_reused");
    let other = json!({"amount": 100, "reference": "INV-2"});
    let _refused = world.operator.post_once(&path, "k1", &other).await.refused(422, "idempotency_key_reused");
    let _refused = world.operator.post_once(&path, "k2", &other).await.refused(422, "idempotency_key_reused");
    // A refusal is not remembered, so its key can be used for something that succeeds.
    let _entry = world.operator.post_once(&path, "k3", &other).await.expect(201);
    assert_eq!((world.balance(&partner.refid).await, world.entries(&partner.refid).await.len()), (200, 2));
}

#[tokio::test]
async fn references_belong_to_a_wallet() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    for (partner, amount) in [(&a, 100), (&b, 200)] {
        let path = format!("/v1/resellers/{}/credits", partner.refid);
        let body = json!({"amount": amount, "reference": "INV-1"});
        let entry = world.operator.post_once(&path, "k1", &body).await.expect(201);
        assert_eq!(entry.number("balance_after"), amount);
    }
}

#[tokio::test]
async fn only_operators_add_credits() {
    let world = World::new().await;
    let (partner, other) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let unknown = "RS-0000000000000000".to_owned();
    for refid in [&other.refid, &unknown] {
        let path = format!("/v1/resellers/{refid}/credits");
        let refused = partner.caller.post_once(&path, "k", &json!({"amount": 1})).await;
        let _refused = refused.refused(404, "not_found");
    }
    let own = format!("/v1/resellers/{}/credits", partner.refid);
    let _refused = partner.caller.post_once(&own, "k", &json!({"amount": 1})).await.refused(403, "forbidden");
    let _refused = world.nobody().post_once(&own, "k", &json!({"amount": 1})).await.refused(401, "unauthenticated");
    assert_eq!(world.balance(&partner.refid).await, 0);
}

#[tokio::test]
async fn what_is_no_amount_is_refused_and_nothing_changes() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    for amount in
        ["0", "-1", "1.5", "1000000000001", "9223372036854775808", "18446744073709551616", "\"5\"", "null", "[]"]
    {
        let body = format!("{{\"amount\":{amount}}}");
        let refused = world.operator.send("POST", &path, &headers, Some(body.into())).await;
        assert_eq!(refused.refused(422, "invalid_fields").pointer(), "/amount", "{amount}");
    }
    let _entry = world.operator.post_once(&path, "k", &json!({"amount": 1_000_000_000_000_u64})).await.expect(201);
    assert_eq!(world.balance(&partner.refid).await, 1_000_000_000_000);
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let world = World::new().await;
    let known = world.partner("standard", 0).await;
    let path = |refid: &str| format!("/v1/resellers/{refid}/credits");
    let unknown = path("RS-0000000000000000");
    let bad = json!({"amount": 0});
    let _refused = world.nobody().post(&unknown, &bad).await.refused(401, "unauthenticated");
    let _refused = world.operator.post(&unknown, &bad).await.refused(404, "not_found");
    let _refused = world.operator.post_once(&unknown, "k", &json!({"amount": 1})).await.refused(404, "not_found");
    let _refused = world.operator.post(&path("nonsense"), &bad).await.refused(404, "not_found");
    let _refused = world.operator.post(&path(&known.refid), &bad).await.refused(400, "idempotency_key_required");
    let _refused = world.operator.post_once(&path(&known.refid), "k", &bad).await.refused(422, "invalid_fields");
    let _refused = world.operator.post_once(&path(&known.refid), "a b", &bad).await.refused(400, "malformed_request");
}

#[tokio::test]
async fn a_wallet_is_never_fuller_than_json_can_count() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    world.tamper(&format!("WA#{}", partner.refid), "balance", &json!({"N": ((1_u64 << 53) - 1).to_string()}));
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let _refused = world.operator.post_once(&path, "k", &json!({"amount": 1})).await.refused(409, "balance_too_large");
}

#[tokio::test]
async fn white_space_around_a_reference_makes_no_difference() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let add = async |key: &str, reference: &str| {
        world.operator.post_once(&path, key, &json!({"amount": 100, "reference": reference})).await
    };
    let first = add("k1", " INV-7\u{a0}").await.expect(201);
    assert_eq!(first.text("reference"), "INV-7");
    for (n, again) in ["INV-7", "INV-7 ", "\u{3000}INV-7", " INV-7\u{a0}"].into_iter().enumerate() {
        let again = add(&format!("again-{n}"), again).await.expect(201);
        assert_eq!(again.bytes, first.bytes);
    }
    assert_eq!(world.balance(&partner.refid).await, 100);
    let _other = add("k2", "inv-7").await.expect(201);
    assert_eq!(world.balance(&partner.refid).await, 200);
}

#[tokio::test]
async fn references_of_pursers_own_entries_are_refused() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    for reserved in ["invoice:INV-2027-000001", "reward:7", "opening:old:7", " Invoice:7"] {
        let body = json!({"amount": 100, "reference": reserved});
        let refused = world.operator.post_once(&path, "k", &body).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/reference");
    }
    assert_eq!(world.balance(&partner.refid).await, 0);
    let _fine = world.operator.post_once(&path, "k", &json!({"amount": 1, "reference": "invoice 7"})).await.expect(201);
}
