//! Binding clients to users, one to one (rule A7).

use purser_tests::prelude::*;

#[tokio::test]
async fn a_client_and_a_login_are_bound_one_to_one() {
    let world = World::new().await;
    let ((one, _), (two, _)) = (world.login(false).await, world.login(false).await);
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
    let free = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let (bound, free) = (format!("/v1/clients/{}", bound.text("refid")), format!("/v1/clients/{}", free.text("refid")));
    let _taken = world.operator.patch(&free, &json!({"user": one})).await.refused(409, "user_already_bound");
    let _other = world.operator.patch(&bound, &json!({"user": two})).await.refused(409, "client_already_bound");
    let same = world.operator.patch(&bound, &json!({"user": one})).await.expect(200);
    assert_eq!(same.number("version"), 1);
    let released = world.operator.patch(&bound, &json!({"user": null})).await.expect(200);
    assert_eq!(released.json["user"], Value::Null);
    let moved = world.operator.patch(&free, &json!({"user": one})).await.expect(200);
    assert_eq!(moved.text("user"), one);
}

#[tokio::test]
async fn of_many_clients_bound_to_one_login_at_once_one_is() {
    let world = World::new().await;
    let (user, _) = world.login(false).await;
    let mut tries = Vec::new();
    for _ in 0..8 {
        let (operator, mut body) = (world.operator.clone(), world.new_client());
        body["user"] = json!(user);
        tries.push(tokio::spawn(async move { operator.post("/v1/clients", &body).await.status }));
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
    let (user, _) = world.login(false).await;
    let partner = world.partner("standard", 0).await;
    let mut body = world.new_client();
    body["user"] = json!(user);
    let _refused = partner.caller.post("/v1/clients", &body).await.refused(403, "forbidden");
    let client = world.client(&partner).await;
    for change in [json!({"user": user}), json!({"user": null})] {
        let reply = partner.caller.patch(&format!("/v1/clients/{client}"), &change).await;
        let _refused = reply.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn the_switch_binds_a_new_client_to_the_confirmed_login_with_its_address() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let ((user, email), (_, unconfirmed)) = (world.login(true).await, world.login(false).await);
    let partner = world.partner("standard", 1_000).await;
    let named = |email: &str| json!({"name": "Acme", "email": email.to_uppercase()});
    let alone = world.operator.post("/v1/clients", &named(&unconfirmed)).await.expect(201);
    assert_eq!(alone.json["user"], Value::Null, "an unconfirmed address must bind nothing");
    let order = json!({"product": world.product(10).await, "client": named(&email)});
    let bought = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let client = format!("/v1/clients/{}", bought.json["client"]["refid"].as_str().unwrap());
    assert_eq!(world.operator.get(&client).await.expect(200).text("user"), user);
    let _moved = world.operator.patch(&client, &json!({"email": "new@acme.example"})).await.expect(200);
    let second = world.operator.post("/v1/clients", &named(&email)).await.expect(201);
    assert_eq!(second.json["user"], Value::Null, "the user is bound to the first client already");
}

#[tokio::test]
async fn the_switch_is_off_unless_it_is_set() {
    let world = World::new().await;
    let (_, email) = world.login(true).await;
    let body = json!({"name": "Acme", "email": email});
    let made = world.operator.post("/v1/clients", &body).await.expect(201);
    assert_eq!(made.json["user"], Value::Null);
}

#[tokio::test]
async fn clients_of_a_bulk_purchase_are_bound_a_moment_later() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let partner = world.partner("standard", 10_000).await;
    let (mut clients, mut users) = (Vec::new(), Vec::new());
    for _ in 0..25 {
        let (user, email) = world.login(true).await;
        clients.push(json!({"name": "Acme", "email": email}));
        users.push(user);
    }
    let order = json!({"product": world.product(10).await, "clients": clients});
    let made = partner.caller.post_once("/v1/provisions/bulk", "k", &order).await.expect(201);
    world.system().settle().await;
    for (sold, user) in made.json["results"].as_array().unwrap().iter().zip(users) {
        let path = format!("/v1/clients/{}", sold["client"]["refid"].as_str().unwrap());
        let client = world.operator.get(&path).await.expect(200);
        assert_eq!(client.text("user"), user);
    }
}

#[tokio::test]
async fn the_switch_binds_nobody_who_has_another_role() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let (partner, other) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let operator = world.invited(json!({"operator": true})).await;
    let staff = world.invited(json!({"reseller": other.refid})).await;
    let product = world.product(10).await;
    for (n, user) in [operator, staff].iter().enumerate() {
        let before = world.operator.get(&format!("/v1/users/{}", user.refid)).await.expect(200);
        let client = json!({"name": "Acme", "email": user.email});
        let made = if n == 0 {
            partner.caller.post("/v1/clients", &client).await.expect(201).text("refid").to_owned()
        } else {
            let order = json!({"product": product, "clients": [client, world.new_client()]});
            let made = partner.caller.post_once("/v1/provisions/bulk", "k", &order).await.expect(201);
            made.json["results"][0]["client"]["refid"].as_str().unwrap().to_owned()
        };
        world.system().settle().await;
        let seen = world.operator.get(&format!("/v1/clients/{made}")).await.expect(200);
        assert_eq!(seen.json["user"], Value::Null);
        let after = world.operator.get(&format!("/v1/users/{}", user.refid)).await.expect(200);
        assert_eq!(after.bytes, before.bytes);
    }
}

#[tokio::test]
async fn a_reseller_never_sees_who_has_a_login() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let partner = world.partner("standard", 10_000).await;
    let product = world.product(10).await;
    let client = async || {
        let (_, email) = world.login(true).await;
        json!({"name": "Acme", "email": email})
    };
    let made = partner.caller.post_once("/v1/clients", "k", &client().await).await.expect(201);
    let path = format!("/v1/clients/{}", made.text("refid"));
    assert_ne!(world.operator.get(&path).await.expect(200).json["user"], Value::Null);
    let order = json!({"product": product, "client": client().await});
    let one = partner.caller.post_once("/v1/provisions", "one", &order).await.expect(201);
    let order = json!({"product": product, "clients": [client().await, client().await]});
    let many = partner.caller.post_once("/v1/provisions/bulk", "many", &order).await.expect(201);
    world.system().settle().await;
    let provision = |made: &Reply| format!("/v1/provisions/{}", made.text("refid"));
    let (one_path, many_path) = (provision(&one), provision(&many));
    let mut seen = vec![made, one, many];
    for path in ["/v1/clients", &*path, &*one_path, &*many_path] {
        seen.push(partner.caller.get(path).await.expect(200));
    }
    seen.push(partner.caller.patch(&path, &json!({"name": "New"})).await.expect(200));
    for action in ["activate", "suspend", "deactivate"] {
        seen.push(partner.caller.act(&format!("{path}/{action}")).await.expect(200));
    }
    for reply in seen {
        let text = String::from_utf8_lossy(&reply.bytes).into_owned();
        assert!(!text.contains("US-") && text.contains("\"user\":null"), "{text}");
    }
}
