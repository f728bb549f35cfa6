//! Refunds of bulk purchases: they work like any other refund, whatever has become of the clients since.

use purser_tests::prelude::*;

use super::{place, refund, statuses};
use crate::provisions::bulk::noise;

/// Buys a licence at 100 credits for each of `clients` new clients, in one purchase.
async fn bought(world: &World, partner: &Partner, clients: usize) -> Reply {
    let clients: Vec<Value> = (0..clients).map(|_| world.new_client()).collect();
    let order = json!({"product": world.product(100).await, "clients": clients});
    let bought = partner.caller.post_once("/v1/provisions/bulk", "k", &order);
    bought.await.expect(201)
}

fn clients(bulk: &Reply) -> Vec<String> {
    let results = bulk.json["results"].as_array().unwrap().iter();
    let refid = |result: &Value| result["client"]["refid"].as_str().unwrap().to_owned();
    results.map(refid).collect()
}

#[tokio::test]
async fn a_purchase_for_many_clients_is_refunded_alike() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let bulk = bought(&world, &partner, 2).await;
    let clients = clients(&bulk);
    let second = &bulk.json["results"][1]["licences"][0]["refid"];
    let body = json!({"licences": [second]});
    let part = world.operator.post_once(&place(&bulk), "part", &body).await.expect(200);
    assert_eq!(statuses(&part.json["results"][0]), ["pending"]);
    assert_eq!(statuses(&part.json["results"][1]), ["revoked"]);
    // What was bought for a client that is deleted is refunded as well.
    let path = format!("/v1/clients/{}", clients[0]);
    let _gone = world.operator.delete(&path).await.expect(204);
    let rest = refund(&world.operator, &bulk, "rest").await.expect(200);
    assert_eq!(rest.number("refunded"), 200);
    let path = format!("/v1/provisions/{}", bulk.text("refid"));
    let shown = world.operator.get(&path).await.expect(200);
    for (n, client) in [(0, None), (1, Some(&clients[1]))] {
        let (refunded, now) = (&rest.json["results"][n], &shown.json["results"][n]);
        assert_eq!(refunded["client"], Value::Null, "the stored answer must leave the client out");
        assert_eq!(now["client"]["refid"].as_str(), client.map(String::as_str));
        assert_eq!(refunded["licences"], now["licences"]);
        assert_eq!(statuses(now), ["revoked"]);
        assert_eq!(now["licences"][0]["client"], json!(clients[n]));
    }
}

/// The answer of a refund is stored in an item of limited size, so it must not grow with what clients gain after the
/// purchase.
#[tokio::test]
async fn what_clients_hold_by_then_never_keeps_a_purchase_from_being_refunded() {
    let world = World::new().await;
    let partner = world.partner("standard", 10_000).await;
    let bulk = bought(&world, &partner, 32).await;
    for client in clients(&bulk) {
        let body = json!({"metadata": {"notes": noise(15_800)}});
        let path = format!("/v1/clients/{client}");
        let _grown = partner.caller.patch(&path, &body).await.expect(200);
    }
    let refunded = refund(&world.operator, &bulk, "back").await.expect(200);
    assert_eq!(refunded.number("refunded"), 3_200);
    assert_eq!(statuses(&refunded.json), ["revoked"; 32]);
    let again = refund(&world.operator, &bulk, "back").await.expect(200);
    assert_eq!(again.bytes, refunded.bytes);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.balance(&partner.refid).await, 10_000);
    world.assert_intact(&partner.refid, 3).await;
}
