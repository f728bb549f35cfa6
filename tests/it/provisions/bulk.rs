//! Bulk purchases: many clients in one commit, or an error for each client by its index (rule B7).

use std::collections::HashSet;

use purser_tests::prelude::*;

use super::masked;

fn order(world: &World, product: &str, new: usize) -> Value {
    let clients: Vec<Value> = (0..new).map(|_| world.new_client()).collect();
    json!({"product": product, "clients": clients})
}

async fn buy(partner: &Partner, key: &str, order: &Value) -> purser_tests::Reply {
    partner.caller.post_once("/v1/provisions/bulk", key, order).await
}

#[tokio::test]
async fn new_and_existing_clients_are_served_in_order() {
    let world = World::new().await;
    let partner = world.partner("platinum", 10_000).await;
    let (product, existing) = (world.product(90).await, world.client(&partner).await);
    let mut order = order(&world, &product, 25);
    order["clients"].as_array_mut().unwrap().insert(3, json!(existing));
    let made = buy(&partner, "k", &order).await.expect(201);
    // The platinum tier pays 90 less 30 %, which is 63, for each of 26 clients.
    assert_eq!((made.number("cost"), made.number("balance")), (26 * 63, 10_000 - 26 * 63));
    let results = made.json["results"].as_array().unwrap();
    assert_eq!(results.len(), 26);
    for (asked, result) in order["clients"].as_array().unwrap().iter().zip(results) {
        let client = &result["client"];
        match asked {
            Value::String(refid) => assert_eq!(client["refid"], json!(refid)),
            new => assert_eq!(client["email"], new["email"]),
        }
        let licences = result["licences"].as_array().unwrap();
        assert_eq!((licences.len(), &licences[0]["client"]), (1, &client["refid"]));
        assert_eq!(licences[0]["provision"], made.json["refid"]);
    }
    let keys: HashSet<&Value> = results.iter().map(|result| &result["licences"][0]["key"]).collect();
    assert_eq!(keys.len(), 26, "each licence must have its own key");
    let entries = world.entries(&partner.refid).await;
    assert_eq!((entries.len(), &entries[1]["amount"]), (2, &json!(26 * 63)));
    assert_eq!(entries[1]["sale"]["quantity"], json!(26));

    let provision = format!("/v1/provisions/{}", made.text("refid"));
    let read = partner.caller.get(&provision).await.expect(200);
    assert_eq!(read.json["results"], masked(&made.json["results"]));
    assert_eq!((&read.json["client"], read.json["licences"].as_array().unwrap().len()), (&Value::Null, 26));
    world.assert_intact(&partner.refid, 2).await;
    assert_eq!(world.mails().await.len(), 26, "the 25 new clients must be welcomed, as the existing one was");
    let told = world.events().await;
    let sold = told.iter().find(|event| event["detail-type"] == "CreditsProvisioned").unwrap();
    assert_eq!(sold["detail"]["clients"].as_array().unwrap().len(), 26);
}

#[tokio::test]
async fn a_repeat_answers_byte_for_byte_and_sells_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let product = world.product(10).await;
    let order = order(&world, &product, 5);
    let first = buy(&partner, "k", &order).await.expect(201);
    let size = world.size().await;
    let again = buy(&partner, "k", &order).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.bytes), (Some("true"), &first.bytes));
    assert_eq!(world.size().await, size);
    let mut other = order.clone();
    other["clients"].as_array_mut().unwrap().truncate(4);
    let _reused = buy(&partner, "k", &other).await.refused(422, "idempotency_key_reused");
    let single = json!({"product": product, "client": world.new_client()});
    let single = partner.caller.post_once("/v1/provisions", "k", &single).await;
    let _reused = single.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn one_taken_address_of_twenty_five_stops_them_all() {
    let world = World::new().await;
    let partner = world.partner("standard", 10_000).await;
    let product = world.product(10).await;
    let taken = json!({"name": "First", "email": "taken@acme.example", "client_id": "C-1"});
    let _first = world.operator.post("/v1/clients", &taken).await.expect(201);
    let size = world.size().await;
    let mut order = order(&world, &product, 25);
    order["clients"][24]["email"] = json!("Taken@acme.example");
    let refused = buy(&partner, "k", &order).await.refused(409, "duplicate_email");
    assert_eq!(refused.pointer(), "/clients/24/email");
    assert_eq!((world.size().await, world.balance(&partner.refid).await), (size, 10_000));

    // Of what is taken, the first is told.
    order["clients"][7]["client_id"] = json!("C-1");
    let refused = buy(&partner, "k", &order).await;
    let pointers: Vec<&Value> =
        refused.json["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/clients/7/client_id"]);
    assert_eq!(refused.status, 409);
    order["clients"][24]["email"] = json!("free@acme.example");
    order["clients"][7]["client_id"] = json!("C-2");
    let _made = buy(&partner, "k", &order).await.expect(201);
}

#[tokio::test]
async fn what_is_wrong_with_a_client_is_said_by_its_place() {
    let world = World::new().await;
    let (partner, other) = (world.partner("standard", 10_000).await, world.partner("standard", 0).await);
    let product = world.product(10).await;
    let (own, foreign) = (world.client(&partner).await, world.client(&other).await);
    let size = world.size().await;
    let twin = world.new_client();
    let mut same_id = [world.new_client(), world.new_client()];
    same_id[0]["client_id"] = json!("X");
    same_id[1]["client_id"] = json!("X");
    let bad = |member: &str, value: Value| {
        let mut client = world.new_client();
        client[member] = value;
        client
    };
    for (clients, status, code, pointer) in [
        (json!([own, foreign]), 404, "not_found", "/clients/1"),
        (json!([own, "CL-0000000000000000"]), 404, "not_found", "/clients/1"),
        (json!([own, "nonsense"]), 404, "not_found", "/clients/1"),
        (json!([own, world.new_client(), own]), 422, "invalid_fields", "/clients/2"),
        (json!([twin, twin]), 409, "duplicate_email", "/clients/1/email"),
        (json!(same_id), 409, "duplicate_client_id", "/clients/1/client_id"),
        (json!([own, bad("name", json!(""))]), 422, "invalid_fields", "/clients/1/name"),
        (json!([bad("colour", json!("red"))]), 422, "invalid_fields", "/clients/0/colour"),
        (json!([bad("metadata", json!({"pin": 1}))]), 422, "sensitive_metadata", "/clients/0/metadata/pin"),
        (json!([7]), 422, "invalid_fields", "/clients/0"),
        (json!([]), 422, "invalid_fields", "/clients"),
        (json!("CL-0000000000000000"), 422, "invalid_fields", "/clients"),
    ] {
        let order = json!({"product": product, "clients": clients});
        let refused = buy(&partner, "k", &order).await.refused(status, code);
        assert_eq!(refused.pointer(), pointer, "{order}");
    }
    assert_eq!((world.size().await, world.balance(&partner.refid).await), (size, 10_000));
}

#[tokio::test]
async fn limits_are_named() {
    let world = World::new().await;
    let partner = world.partner("standard", 10_000).await;
    let product = world.product(10).await;
    let most = order(&world, &product, 32);
    let _made = buy(&partner, "k32", &most).await.expect(201);
    let refused = buy(&partner, "k33", &order(&world, &product, 33)).await.refused(422, "invalid_fields");
    assert_eq!(refused.pointer(), "/clients");
    assert!(refused.json["errors"][0]["detail"].as_str().unwrap().contains("32"), "{refused:?}");
    // The answer must fit into the entry that stores it.
    let mut heavy = order(&world, &product, 32);
    for client in heavy["clients"].as_array_mut().unwrap() {
        client["metadata"] = json!({"notes": noise(15_800)});
    }
    let size = world.size().await;
    let refused = buy(&partner, "heavy", &heavy).await.refused(422, "too_large");
    assert!(refused.text("detail").contains("358400 bytes"), "{}", refused.text("detail"));
    assert_eq!(world.size().await, size);
    heavy["clients"].as_array_mut().unwrap().truncate(25);
    let first = buy(&partner, "heavy", &heavy).await.expect(201);
    assert_eq!(buy(&partner, "heavy", &heavy).await.expect(201).bytes, first.bytes);
}

/// Text of at least `length` bytes that hardly compresses.
pub fn noise(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        let bytes = purser_store::engine::secrets::random::<48>().unwrap();
        text += &data_encoding::BASE64URL_NOPAD.encode(&bytes);
    }
    text
}

#[tokio::test]
async fn too_little_credit_buys_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 249).await;
    let product = world.product(10).await;
    let order = order(&world, &product, 25);
    let size = world.size().await;
    let refused = buy(&partner, "k", &order).await.refused(402, "insufficient_credits");
    assert_eq!((refused.number("balance"), refused.number("required")), (249, 250));
    assert_eq!(world.size().await, size);
    world.top_up(&partner.refid, 1).await;
    let made = buy(&partner, "k", &order).await.expect(201);
    assert_eq!(made.number("balance"), 0);
}

#[tokio::test]
async fn bulk_and_single_purchases_race_for_the_last_credits() {
    let world = World::new().await;
    let partner = world.partner("standard", 300).await;
    let product = world.product(10).await;
    let mut tries = Vec::new();
    for n in 0..2 {
        let (partner, order) = (partner.clone(), order(&world, &product, 25));
        tries.push(tokio::spawn(async move { (250, buy(&partner, &format!("b{n}"), &order).await) }));
    }
    for n in 0..12 {
        let (caller, order) = (partner.caller.clone(), json!({"product": product, "client": world.new_client()}));
        tries.push(tokio::spawn(
            async move { (10, caller.post_once("/v1/provisions", &format!("s{n}"), &order).await) },
        ));
    }
    let (mut spent, mut entries) = (0, 1);
    for tried in tries {
        let (cost, reply) = tried.await.unwrap();
        if reply.status == 201 {
            spent += cost;
            entries += 1;
        } else {
            let _refused = reply.refused(402, "insufficient_credits");
        }
    }
    assert_eq!(world.balance(&partner.refid).await, 300 - spent);
    assert!(spent >= 120, "{spent}");
    let units = usize::try_from(spent / 10).unwrap();
    assert_eq!(world.count_of_kind("licence"), units, "each order must be served whole or not at all");
    assert_eq!(world.count_of_kind("client"), units);
    world.assert_intact(&partner.refid, entries).await;
}
