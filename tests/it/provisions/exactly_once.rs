//! A command takes effect exactly once, whatever races with it (rule B8; docs/rules.md, "Turns").

use std::collections::HashSet;

use purser_tests::prelude::*;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_buyers_share_a_thousand_credits() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let (product, client) = (world.product(100).await, world.client(&partner).await);
    let mut buyers = JoinSet::new();
    for n in 0..32 {
        let (caller, body) = (partner.caller.clone(), json!({"product": product, "client": client}));
        buyers.spawn(async move { caller.post_once("/v1/provisions", &format!("buyer-{n}"), &body).await });
    }
    let replies = buyers.join_all().await;
    let sold: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status != 201).collect();
    assert_eq!((sold.len(), refused.len()), (10, 22));
    for reply in refused {
        assert_eq!((reply.status, reply.text("code")), (402, "insufficient_credits"));
        assert_eq!((reply.number("balance"), reply.number("required")), (0, 100));
    }
    assert_eq!(world.balance(&partner.refid).await, 0);
    let entries = world.entries(&partner.refid).await;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    let debits = entries.iter().filter(|entry| entry["type"] == "debit").count();
    assert_eq!((entries[0]["type"].as_str(), debits), (Some("credit"), 10));
    let keys: HashSet<&str> = sold.iter().map(|reply| reply.json["licences"][0]["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 10);
    assert_eq!(world.count_of_kind("licence"), 10, "the table must hold as many licences as were sold");
    world.assert_intact(&partner.refid, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_sixteen_times_at_once_and_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(Some(folder.path().join("purser")), &[]).await;
    let partner = world.partner("gold", 1_000).await;
    let body = json!({"product": world.product(100).await, "client": world.new_client(), "description": "x"});
    let mut repeats = JoinSet::new();
    for _ in 0..16 {
        let (caller, body) = (partner.caller.clone(), body.clone());
        repeats.spawn(async move { caller.post_once("/v1/provisions", "one-key", &body).await.expect(201) });
    }
    let replies = repeats.join_all().await;
    assert!(replies.iter().all(|reply| reply.bytes == replies[0].bytes), "all sixteen answers must be equal");
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotency-replayed").is_none()).count(), 1);
    assert_eq!((world.balance(&partner.refid).await, world.entries(&partner.refid).await.len()), (915, 2));
    world.end().await;

    let world = World::with(Some(folder.path().join("purser")), &[]).await;
    let caller = world.operator.with_key(partner.caller.key());
    let again = caller.post_once("/v1/provisions", "one-key", &body).await.expect(201);
    assert_eq!(
        (again.bytes, again.headers.iter().any(|(name, _)| name == "idempotency-replayed")),
        (replies[0].bytes.clone(), true)
    );
    assert_eq!(world.balance(&partner.refid).await, 915);
    world.end().await;
}

#[tokio::test]
async fn a_key_stands_for_one_body_of_one_caller() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let body = json!({"cost": 20, "description": "Set-up"});
    let first = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    let spaced = "{ \"description\": \"Set-up\",\n \"cost\": 20 }";
    let headers = [("content-type", "application/json; charset=utf-8"), ("idempotency-key", "k")];
    let same = partner.caller.send("POST", "/v1/provisions", &headers, Some(spaced.into())).await.expect(201);
    assert_eq!(same.bytes, first.bytes, "white space and the order of members must make no difference");
    let spelt = json!({"cost": 20, "description": "Set-up", "reseller": partner.refid});
    let same = partner.caller.post_once("/v1/provisions", "k", &spelt).await.expect(201);
    assert_eq!(same.bytes, first.bytes, "naming the reseller that the API key implies must make no difference");
    let order = json!({"product": world.product(1).await, "client": world.new_client()});
    let first = partner.caller.post_once("/v1/provisions", "k2", &order).await.expect(201);
    let mut spelt = order.clone();
    spelt["quantity"] = json!(1);
    let same = partner.caller.post_once("/v1/provisions", "k2", &spelt).await.expect(201);
    assert_eq!(same.bytes, first.bytes, "writing out a default must make no difference");
    let other = json!({"cost": 21, "description": "Set-up"});
    let _refused = partner.caller.post_once("/v1/provisions", "k", &other).await.refused(422, "idempotency_key_reused");
    let by_operator = json!({"reseller": partner.refid, "cost": 20, "description": "Set-up"});
    let refused = world.operator.post_once("/v1/provisions", "k", &by_operator).await;
    let _refused = refused.refused(422, "idempotency_key_reused");
    // The idempotency keys of top-ups and of provisions are independent.
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    let _entry = world.operator.post_once(&credits, "k", &json!({"amount": 20})).await.expect(201);
    assert_eq!(world.balance(&partner.refid).await, 999);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let world = World::new().await;
    let partner = world.partner("standard", 10).await;
    let body = json!({"cost": 20, "description": "Set-up"});
    let _refused = partner.caller.post_once("/v1/provisions", "k", &body).await.refused(402, "insufficient_credits");
    world.top_up(&partner.refid, 10).await;
    let made = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    assert_eq!((made.number("balance"), made.header("idempotency-replayed")), (0, None));
}

#[tokio::test]
async fn an_answer_stays_what_it_was() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let product = world.product(100).await;
    let body = json!({"product": product, "client": world.client(&partner).await});
    let first = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    let _product = world.operator.patch(&format!("/v1/products/{product}"), &json!({"price": 900})).await.expect(200);
    let _reseller = world.operator.act(&format!("/v1/resellers/{}/suspend", partner.refid)).await.expect(200);
    world.system().clock().advance(jiff::SignedDuration::from_hours(31 * 24));
    let suspended = partner.caller.post_once("/v1/provisions", "k", &body).await;
    let _suspended = suspended.refused(409, "reseller_suspended");
    let _reseller = world.operator.act(&format!("/v1/resellers/{}/activate", partner.refid)).await.expect(200);
    let again = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    assert_eq!(again.bytes, first.bytes, "a new price, a suspension and a month must not change a stored answer");
}

#[tokio::test]
async fn creates_that_move_no_money_take_a_key_too() {
    let world = World::new().await;
    let partner = json!({"company_name": "Elite", "email": "elite@example.com"});
    for (path, body) in [
        ("/v1/clients", world.new_client()),
        ("/v1/resellers", partner),
        ("/v1/products", json!({"reference": "P-1", "name": "P", "price": 1})),
    ] {
        let first = world.operator.post_once(path, path, &body).await.expect(201);
        let again = world.operator.post_once(path, path, &body).await.expect(201);
        assert_eq!((&again.bytes, again.header("idempotency-replayed")), (&first.bytes, Some("true")), "{path}");
        let mut other = body.clone();
        other["name"] = "other".into();
        other["company_name"] = "other".into();
        other.as_object_mut().unwrap().retain(|member, _| body.get(member).is_some());
        let _refused = world.operator.post_once(path, path, &other).await.refused(422, "idempotency_key_reused");
    }
    assert_eq!(world.count_of_kind("client") + world.count_of_kind("reseller") + world.count_of_kind("product"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_top_ups_with_one_reference_add_once() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let mut tries = JoinSet::new();
    for n in 0..16 {
        let (operator, path) = (world.operator.clone(), path.clone());
        tries.spawn(async move {
            let body = json!({"amount": 70, "reference": "INV-1"});
            operator.post_once(&path, &format!("k{}", n % 4), &body).await.expect(201).bytes
        });
    }
    let answers: HashSet<Vec<u8>> = tries.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), world.balance(&partner.refid).await), (1, 70));
    world.assert_intact(&partner.refid, 1).await;
}
