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
    let read = own.get(&path).await.expect(200);
    let noted = json!({"comments": "Replaces a key of the old shop", "metadata": {"shop": "old", "order": 4711}});
    let noted = own.patch(&path, &noted).await.expect(200);
    let rotated = own.act(&format!("{path}/rotate-key")).await.expect(200);
    let validated_by_later = ask(rotated.text("key")).await;
    let suspended = own.act(&format!("{path}/suspend")).await.expect(200);
    let renewed = own.post_once(&format!("{path}/renew"), "0b8f5c2e-3b1d-4e0a-9c55-0123456789ab", &json!({})).await;
    let moved = own.post(&format!("{path}/transfer"), &json!({"client": world.client(partner).await})).await;
    let listed = own.get("/v1/licences?limit=25").await.expect(200);
    assert_eq!(listed.json["data"].as_array().map(Vec::len), Some(25));
    vec![
        budget("mint a licence (with idempotency key)", &minted, 2, 1.5, 9.0),
        by_reseller("read a licence", &read, 1, 2.0, 0.0),
        budget("activate a licence by hand", &begun, 2, 1.0, 7.0),
        by_reseller("note something of a licence", &noted, 3, 3.0, 9.0),
        by_reseller("suspend a licence", &suspended, 2, 1.0, 7.0),
        by_reseller("renew a licence", &renewed.expect(200), 3, 4.0, 17.0),
        by_reseller("give a licence a new key", &rotated, 3, 3.0, 9.0),
        // Of these units, one reads the client's status.
        by_anybody("validate a licence", &validated, 2, 2.0, 0.0),
        by_anybody("validate a licence by a later key", &validated_by_later, 3, 3.0, 0.0),
        by_reseller("give a licence to another client", &moved.expect(200), 3, 4.0, 11.0),
        by_reseller("a reseller's page of 25 licences", &listed, 2, 15.0, 0.0),
    ]
}
