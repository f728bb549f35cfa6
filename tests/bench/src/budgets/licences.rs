//! Budgets of licences: minted, read, listed, activated, renewed, given new keys.

use purser_tests::prelude::*;

use super::{Budget, budget, by_anybody, by_reseller};

pub(super) async fn measure(world: &World, operator: &Caller, partner: &Partner, product: &str) -> Vec<Budget> {
    let own = &partner.caller;
    let client = world.client(partner).await;
    let order = json!({"product": product, "client": client, "description": "A licence that has a life"});
    let bought = own.post_once("/v1/provisions", "bench-life", &order).await.expect(201);
    let path = format!("/v1/licences/{}", bought.json["licences"][0]["refid"].as_str().expect("a licence"));
    let body = json!({"product": product, "client": client});
    let minted = operator.post_once("/v1/licences", "0b8f5c2e-3b1d-4e0a-9c55-0123456789ab", &body).await.expect(201);
    let begun = operator.act(&format!("{path}/activate")).await.expect(200);
    let key = bought.json["licences"][0]["key"].as_str().expect("a key");
    let ask = async |key: &str| {
        let asked = json!({"key": key, "product": product, "features": ["sync"], "nonce": "b7Jq0yXk3c"});
        let told = world.nobody().post("/v1/licences/validate", &asked).await.expect(200);
        assert_eq!(told.text("code"), "valid");
        told
    };
    let validated = ask(key).await;
    let signing = world.nobody().get("/v1/signing-keys").await.expect(200);
    let read = own.get(&path).await.expect(200);
    let noted = json!({"comments": "Replaces a key of the old shop", "metadata": {"shop": "old", "order": 4711}});
    let noted = own.patch(&path, &noted).await.expect(200);
    let rotated = own.act(&format!("{path}/rotate-key")).await.expect(200);
    let validated_by_later = ask(rotated.text("key")).await;
    let suspended = own.act(&format!("{path}/suspend")).await.expect(200);
    let renewed = own.post_once(&format!("{path}/renew"), "0b8f5c2e-3b1d-4e0a-9c55-0123456789ab", &json!({})).await;
    let moved = own.post(&format!("{path}/transfer"), &json!({"client": world.client(partner).await})).await;
    let seats = seats(world, operator, partner).await;
    let listed = own.get("/v1/licences?limit=25").await.expect(200);
    assert_eq!(listed.json["data"].as_array().map(Vec::len), Some(25));
    // An active licence with an end also waits for it in an index, which each change writes.
    vec![
        budget("mint a licence (with idempotency key)", &minted, 2, 1.5, 9.0),
        by_reseller("read a licence", &read, 1, 3.0, 0.0),
        budget("activate a licence by hand", &begun, 2, 1.0, 8.0),
        by_reseller("note something of a licence", &noted, 3, 3.0, 10.0),
        by_reseller("suspend a licence", &suspended, 2, 1.0, 8.0),
        by_reseller("renew a licence", &renewed.expect(200), 3, 4.0, 19.0),
        by_reseller("give a licence a new key", &rotated, 3, 3.0, 10.0),
        // Of these units, one reads the client's status.
        by_anybody("validate a licence", &validated, 2, 2.0, 0.0),
        by_anybody("validate a licence by a later key", &validated_by_later, 3, 3.0, 0.0),
        by_anybody("list the keys of signatures", &signing, 0, 0.0, 0.0),
        by_reseller("give a licence to another client", &moved.expect(200), 3, 4.0, 12.0),
        by_reseller("a reseller's page of 25 licences", &listed, 2, 15.0, 0.0),
    ]
    .into_iter()
    .chain(seats)
    .collect()
}

/// What installations cost: the first one, one below the limit, one at the limit, and each that is heard of again.
async fn seats(world: &World, operator: &Caller, partner: &Partner) -> Vec<Budget> {
    let features = ["export.pdf", "export.csv", "sync", "themes", "api"];
    let product = json!({
        "reference": world.fresh("SEATS"), "name": "Desk", "price": 1, "term": "P1Y", "parallel_uses": 3,
        "features": features, "domains": ["*.example.com", "shop.example.org"], "updates_term": "P1Y",
    });
    let product = operator.post("/v1/products", &product).await.expect(201);
    let order = json!({"product": product.text("reference"), "client": world.client(partner).await});
    let bought = partner.caller.post_once("/v1/provisions", &world.fresh("seats"), &order).await.expect(201);
    let key = bought.json["licences"][0]["key"].as_str().expect("a key");
    let ask = async |what: &str, machine: u32, more: Value| {
        let fingerprint = format!("6b1e5e0c-4a4e-4a7f-9d2b-0f4a9f7e2c{machine:02}");
        let mut body = json!({"key": key, "fingerprint": fingerprint, "domain": "shop.example.com", "nonce": "b7Jq0"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        world.nobody().post(what, &body).await
    };
    let none = json!({});
    let first = ask("/v1/activations", 1, none.clone()).await.expect(201);
    let second = ask("/v1/activations", 2, none.clone()).await.expect(201);
    let known = ask("/v1/activations", 2, none.clone()).await.expect(200);
    let third = ask("/v1/activations", 3, none.clone()).await.expect(201);
    let instead = ask("/v1/activations", 4, json!({"replace": "oldest"})).await.expect(201);
    let validated = ask("/v1/licences/validate", 4, none.clone()).await.expect(200);
    let minute = json!({"advance": "PT1M"});
    let _turned = world.nobody().post("/_local/clock", &minute).await.expect(200);
    let heard = ask("/v1/activations/heartbeat", 4, none.clone()).await.expect(200);
    let heard_again = ask("/v1/activations/heartbeat", 4, none.clone()).await.expect(200);
    let left = ask("/v1/activations/deactivate", 4, none).await.expect(200);
    assert_eq!((validated.text("code"), third.text("code")), ("valid", "valid"));
    // Of these, one trip and one unit read the client's status.
    vec![
        by_anybody("activate the first installation", &first, 3, 3.0, 12.0),
        by_anybody("activate another installation", &second, 3, 3.0, 8.0),
        by_anybody("activate a known installation", &known, 2, 3.0, 0.0),
        by_anybody("activate instead of the oldest", &instead, 4, 5.0, 14.0),
        by_anybody("validate an installation", &validated, 2, 3.0, 0.0),
        by_anybody("a heartbeat", &heard, 3, 3.0, 2.0),
        by_anybody("a heartbeat within a minute", &heard_again, 2, 3.0, 0.0),
        by_anybody("deactivate an installation", &left, 3, 2.0, 10.0),
    ]
}
