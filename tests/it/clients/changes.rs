//! Changing a client's address and its reseller (rules A2, A5).

use purser_tests::prelude::*;

#[tokio::test]
async fn an_address_can_be_changed_to_a_free_one() {
    let world = World::new().await;
    let create = async |email: &str| {
        let body = json!({"name": "Acme", "email": email});
        let made = world.operator.post("/v1/clients", &body).await.expect(201);
        format!("/v1/clients/{}", made.text("refid"))
    };
    let (one, _other) = (create("one@acme.example").await, create("two@acme.example").await);
    let size = world.size().await;
    let taken = json!({"email": "TWO@acme.example", "name": "Changed"});
    let refused = world.operator.patch(&one, &taken).await;
    assert_eq!(refused.refused(409, "duplicate_email").pointer(), "/email");
    let spelt = world.operator.patch(&one, &json!({"email": "One@Acme.example"})).await;
    assert_eq!(spelt.expect(200).text("email"), "One@Acme.example");
    let moved = world.operator.patch(&one, &json!({"email": "three@acme.example"})).await.expect(200);
    assert_eq!((moved.text("email"), moved.number("version")), ("three@acme.example", 3));
    assert_eq!(world.size().await, size, "there must be one guard for each address, and no more");

    let found = |reply: Value| reply["data"].as_array().map_or(0, Vec::len);
    for (email, count) in [("one@acme.example", 0), ("THREE@acme.example", 1)] {
        let list = world.operator.get(&format!("/v1/clients?email={email}")).await.expect(200);
        assert_eq!(found(list.json), count, "{email}");
    }
    let _third = create("one@acme.example").await;
    assert_eq!(
        world.operator.get(&one).await.expect(200).text("name"),
        "Acme",
        "the refused change must change nothing"
    );
}

#[tokio::test]
async fn of_many_that_want_one_address_one_gets_it() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let made = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
        clients.push(format!("/v1/clients/{}", made.text("refid")));
    }
    let tries = clients.into_iter().map(|path| {
        let operator = world.operator.clone();
        tokio::spawn(async move { operator.patch(&path, &json!({"email": "x@acme.example"})).await.status })
    });
    let mut won = 0;
    for tried in tries.collect::<Vec<_>>() {
        won += usize::from(tried.await.unwrap() == 200);
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_client_moves_between_resellers_and_what_was_sold_stays() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 1_000).await, world.partner("gold", 0).await);
    let (product, client) = (world.product(100).await, world.client(&a).await);
    let order = json!({"product": product, "client": client});
    let sold = a.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let (path, transfer) = (format!("/v1/clients/{client}"), format!("/v1/clients/{client}/transfer"));
    let _own = a.caller.post(&transfer, &json!({"reseller": b.refid})).await.refused(403, "forbidden");

    let to_b = json!({"reseller": b.refid});
    let moved = world.operator.post(&transfer, &to_b).await.expect(200);
    assert_eq!((moved.text("reseller"), moved.number("version")), (b.refid.as_str(), 2));
    let again = world.operator.post(&transfer, &to_b).await.expect(200);
    assert_eq!(again.number("version"), 2, "a transfer to the reseller that the client has must change nothing");
    let _gone = a.caller.get(&path).await.refused(404, "not_found");
    let _there = b.caller.get(&path).await.expect(200);
    assert_eq!(b.caller.get("/v1/clients").await.expect(200).json["data"][0]["refid"], json!(client));
    assert_eq!(a.caller.get("/v1/clients").await.expect(200).json["data"], json!([]));
    let provision = format!("/v1/provisions/{}", sold.text("refid"));
    let kept = a.caller.get(&provision).await.expect(200);
    assert_eq!(kept.json["licences"][0]["reseller"], json!(a.refid));
    assert_eq!(kept.json["client"], Value::Null, "the seller must not see whose client it is now");
    let own = world.operator.get(&provision).await.expect(200);
    assert_eq!(own.json["client"]["refid"], json!(client));
    let _refused = a.caller.post_once("/v1/provisions", "k2", &order).await.refused(404, "not_found");

    let alone = world.operator.post(&transfer, &json!({"reseller": null})).await.expect(200);
    assert_eq!(alone.json["reseller"], Value::Null);
    let list = world.operator.get("/v1/clients?ownership=standalone").await.expect(200);
    assert_eq!(list.json["data"][0]["refid"], json!(client));
    let told = world.events().await;
    let moves = told.iter().filter(|event| event["detail-type"] == "ClientTransferred");
    assert_eq!(moves.count(), 2);
}

#[tokio::test]
async fn nobody_gains_a_client_that_may_not_trade() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let client = world.client(&a).await;
    let transfer = format!("/v1/clients/{client}/transfer");
    let _b = world.operator.act(&format!("/v1/resellers/{}/suspend", b.refid)).await.expect(200);
    for (body, status, code, pointer) in [
        (json!({"reseller": b.refid}), 409, "reseller_suspended", "none"),
        (json!({"reseller": "RS-0000000000000000"}), 422, "invalid_reseller", "/reseller"),
        (json!({"reseller": "nobody"}), 422, "invalid_reseller", "/reseller"),
        (json!({}), 422, "invalid_fields", "/reseller"),
        (json!({"reseller": 7}), 422, "invalid_fields", "/reseller"),
    ] {
        let refused = world.operator.post(&transfer, &body).await.refused(status, code);
        assert_eq!(refused.pointer(), pointer, "{body}");
    }
    let nowhere = "/v1/clients/CL-0000000000000000/transfer";
    let _first = world.operator.post(nowhere, &json!({"reseller": 7})).await.refused(404, "not_found");
    let still = a.caller.get(&format!("/v1/clients/{client}")).await.expect(200);
    assert_eq!(still.number("version"), 1);
}
