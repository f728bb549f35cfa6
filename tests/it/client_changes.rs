//! Changes of a client besides its name: address, login, reseller. SPEC A2, A5, A7.

use purser_tests::World;
use serde_json::{Value, json};

#[tokio::test]
async fn an_address_can_be_changed_to_a_free_one() {
    let world = World::new().await;
    let create = async |email: &str| {
        let body = json!({"name": "Acme", "email": email});
        let made = world.operator.post("/v1/clients", &body).await.expect(201);
        format!("/v1/clients/{}", made.text("refid"))
    };
    let (one, _other) = (
        create("one@acme.example").await,
        create("two@acme.example").await,
    );
    let size = world.size().await;
    let taken = json!({"email": "TWO@acme.example", "name": "Changed"});
    let refused = world.operator.patch(&one, &taken).await;
    assert_eq!(refused.refused(409, "duplicate_email").pointer(), "/email");
    let spelt = world
        .operator
        .patch(&one, &json!({"email": "One@Acme.example"}))
        .await;
    assert_eq!(spelt.expect(200).text("email"), "One@Acme.example");
    let moved = world
        .operator
        .patch(&one, &json!({"email": "three@acme.example"}))
        .await
        .expect(200);
    assert_eq!(
        (moved.text("email"), moved.number("version")),
        ("three@acme.example", 3)
    );
    assert_eq!(
        world.size().await,
        size,
        "a guard for each address, no more"
    );

    let found = |reply: Value| reply["data"].as_array().map_or(0, Vec::len);
    for (email, count) in [("one@acme.example", 0), ("THREE@acme.example", 1)] {
        let list = world
            .operator
            .get(&format!("/v1/clients?email={email}"))
            .await
            .expect(200);
        assert_eq!(found(list.json), count, "{email}");
    }
    let _third = create("one@acme.example").await;
    assert_eq!(
        world.operator.get(&one).await.expect(200).text("name"),
        "Acme",
        "what was refused changed nothing"
    );
}

#[tokio::test]
async fn of_many_that_want_one_address_one_gets_it() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let made = world
            .operator
            .post("/v1/clients", &world.new_client())
            .await
            .expect(201);
        clients.push(format!("/v1/clients/{}", made.text("refid")));
    }
    let tries = clients.into_iter().map(|path| {
        let operator = world.operator.clone();
        tokio::spawn(async move {
            operator
                .patch(&path, &json!({"email": "x@acme.example"}))
                .await
                .status
        })
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
    let (a, b) = (
        world.partner("standard", 1_000).await,
        world.partner("gold", 0).await,
    );
    let (product, client) = (world.product(100).await, world.client(&a).await);
    let order = json!({"product": product, "client": client});
    let sold = a
        .caller
        .post_once("/v1/provisions", "k", &order)
        .await
        .expect(201);
    let (path, transfer) = (
        format!("/v1/clients/{client}"),
        format!("/v1/clients/{client}/transfer"),
    );
    let _own = a
        .caller
        .post(&transfer, &json!({"reseller": b.refid}))
        .await
        .refused(403, "forbidden");

    let to_b = json!({"reseller": b.refid});
    let moved = world.operator.post(&transfer, &to_b).await.expect(200);
    assert_eq!(
        (moved.text("reseller"), moved.number("version")),
        (b.refid.as_str(), 2)
    );
    let again = world.operator.post(&transfer, &to_b).await.expect(200);
    assert_eq!(again.number("version"), 2, "it is there already");
    let _gone = a.caller.get(&path).await.refused(404, "not_found");
    let _there = b.caller.get(&path).await.expect(200);
    assert_eq!(
        b.caller.get("/v1/clients").await.expect(200).json["data"][0]["refid"],
        json!(client)
    );
    assert_eq!(
        a.caller.get("/v1/clients").await.expect(200).json["data"],
        json!([])
    );
    let provision = format!("/v1/provisions/{}", sold.text("refid"));
    let kept = a.caller.get(&provision).await.expect(200);
    assert_eq!(kept.json["licences"][0]["reseller"], json!(a.refid));
    let _refused = a
        .caller
        .post_once("/v1/provisions", "k2", &order)
        .await
        .refused(404, "not_found");

    let alone = world
        .operator
        .post(&transfer, &json!({"reseller": null}))
        .await
        .expect(200);
    assert_eq!(alone.json["reseller"], Value::Null);
    let list = world
        .operator
        .get("/v1/clients?ownership=standalone")
        .await
        .expect(200);
    assert_eq!(list.json["data"][0]["refid"], json!(client));
    let told = world.events().await;
    let moves = told
        .iter()
        .filter(|event| event["detail-type"] == "ClientTransferred");
    assert_eq!(moves.count(), 2);
}

#[tokio::test]
async fn nobody_gains_a_client_that_may_not_trade() {
    let world = World::new().await;
    let (a, b) = (
        world.partner("standard", 0).await,
        world.partner("standard", 0).await,
    );
    let client = world.client(&a).await;
    let transfer = format!("/v1/clients/{client}/transfer");
    let _b = world
        .operator
        .act(&format!("/v1/resellers/{}/suspend", b.refid))
        .await
        .expect(200);
    for (body, status, code, pointer) in [
        (
            json!({"reseller": b.refid}),
            409,
            "reseller_suspended",
            "none",
        ),
        (
            json!({"reseller": "RS-0000000000000000"}),
            422,
            "invalid_reseller",
            "/reseller",
        ),
        (
            json!({"reseller": "nobody"}),
            422,
            "invalid_reseller",
            "/reseller",
        ),
        (json!({}), 422, "invalid_fields", "/reseller"),
        (json!({"reseller": 7}), 422, "invalid_fields", "/reseller"),
    ] {
        let refused = world
            .operator
            .post(&transfer, &body)
            .await
            .refused(status, code);
        assert_eq!(refused.pointer(), pointer, "{body}");
    }
    let nowhere = "/v1/clients/CL-0000000000000000/transfer";
    let _first = world
        .operator
        .post(nowhere, &json!({"reseller": 7}))
        .await
        .refused(404, "not_found");
    let still = a
        .caller
        .get(&format!("/v1/clients/{client}"))
        .await
        .expect(200);
    assert_eq!(still.number("version"), 1);
}

/// A reseller's first login, confirmed or not, and its address.
async fn login(world: &World, confirmed: bool) -> (String, String) {
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let reseller = world.operator.get(&path).await.expect(200);
    let user = reseller.text("user").to_owned();
    if confirmed {
        let when = json!({"S": "2026-01-01T00:00:00.000Z"});
        world.tamper(&format!("US#{user}"), "confirmed_at", &when);
    }
    (user, reseller.text("email").to_owned())
}

#[tokio::test]
async fn a_client_and_a_login_are_bound_one_to_one() {
    let world = World::new().await;
    let ((one, _), (two, _)) = (login(&world, false).await, login(&world, false).await);
    let create = async |user: &str| {
        let mut body = world.new_client();
        body["user"] = json!(user);
        world.operator.post("/v1/clients", &body).await
    };
    let bound = create(&one).await.expect(201);
    assert_eq!(bound.text("user"), one);
    let _second = create(&one).await.refused(409, "user_already_bound");
    for unknown in ["US-0000000000000000", "nobody"] {
        let refused = create(unknown).await.refused(422, "invalid_user");
        assert_eq!(refused.pointer(), "/user");
    }
    let free = world
        .operator
        .post("/v1/clients", &world.new_client())
        .await
        .expect(201);
    let (bound, free) = (
        format!("/v1/clients/{}", bound.text("refid")),
        format!("/v1/clients/{}", free.text("refid")),
    );
    let _taken = world
        .operator
        .patch(&free, &json!({"user": one}))
        .await
        .refused(409, "user_already_bound");
    let _other = world
        .operator
        .patch(&bound, &json!({"user": two}))
        .await
        .refused(409, "client_already_bound");
    let same = world
        .operator
        .patch(&bound, &json!({"user": one}))
        .await
        .expect(200);
    assert_eq!(same.number("version"), 1);
    let released = world
        .operator
        .patch(&bound, &json!({"user": null}))
        .await
        .expect(200);
    assert_eq!(released.json["user"], Value::Null);
    let moved = world
        .operator
        .patch(&free, &json!({"user": one}))
        .await
        .expect(200);
    assert_eq!(moved.text("user"), one);
}

#[tokio::test]
async fn of_many_clients_bound_to_one_login_at_once_one_is() {
    let world = World::new().await;
    let (user, _) = login(&world, false).await;
    let mut tries = Vec::new();
    for _ in 0..8 {
        let (operator, mut body) = (world.operator.clone(), world.new_client());
        body["user"] = json!(user);
        tries.push(tokio::spawn(async move {
            operator.post("/v1/clients", &body).await.status
        }));
    }
    let mut statuses = Vec::new();
    for tried in tries {
        statuses.push(tried.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn only_an_operator_binds() {
    let world = World::new().await;
    let (user, _) = login(&world, false).await;
    let partner = world.partner("standard", 0).await;
    let mut body = world.new_client();
    body["user"] = json!(user);
    let _refused = partner
        .caller
        .post("/v1/clients", &body)
        .await
        .refused(403, "forbidden");
    let client = world.client(&partner).await;
    for change in [json!({"user": user}), json!({"user": null})] {
        let reply = partner
            .caller
            .patch(&format!("/v1/clients/{client}"), &change)
            .await;
        let _refused = reply.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn the_switch_binds_a_new_client_to_the_confirmed_login_with_its_address() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let ((user, email), (_, unconfirmed)) = (login(&world, true).await, login(&world, false).await);
    let partner = world.partner("standard", 1_000).await;
    let named = |email: &str| json!({"name": "Acme", "email": email.to_uppercase()});
    let alone = world
        .operator
        .post("/v1/clients", &named(&unconfirmed))
        .await
        .expect(201);
    assert_eq!(
        alone.json["user"],
        Value::Null,
        "an address that is not proven binds nothing"
    );
    let order = json!({"product": world.product(10).await, "client": named(&email)});
    let bought = partner
        .caller
        .post_once("/v1/provisions", "k", &order)
        .await
        .expect(201);
    assert_eq!(bought.json["client"]["user"], json!(user));

    let client = format!(
        "/v1/clients/{}",
        bought.json["client"]["refid"].as_str().unwrap()
    );
    let _moved = world
        .operator
        .patch(&client, &json!({"email": "new@acme.example"}))
        .await
        .expect(200);
    let second = world
        .operator
        .post("/v1/clients", &named(&email))
        .await
        .expect(201);
    assert_eq!(second.json["user"], Value::Null, "the login has its client");
}

#[tokio::test]
async fn the_switch_is_off_unless_it_is_set() {
    let world = World::new().await;
    let (_, email) = login(&world, true).await;
    let body = json!({"name": "Acme", "email": email});
    let made = world.operator.post("/v1/clients", &body).await.expect(201);
    assert_eq!(made.json["user"], Value::Null);
}
