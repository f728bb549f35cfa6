//! Faults during commands that write more than one item of a client: each command still happens once, and as a whole.

use purser_tests::faults::{Fault, SDK_TRIES};
use purser_tests::prelude::*;

use super::{Faulty, conflict};

/// Creates a client that is bound to a user; returns the client's path, its address, and the user's refid.
async fn bound(world: &World) -> (String, String, String) {
    let (user, _) = world.login(false).await;
    let mut body = world.new_client();
    body["user"] = json!(user);
    let made = world.operator.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}", made.text("refid"));
    (path, made.text("email").to_owned(), user)
}

/// Asserts that the client is gone, its address is free, and its user is bound to no client.
async fn is_gone(world: &World, (path, email, user): &(String, String, String)) {
    let _gone = world.operator.get(path).await.refused(404, "not_found");
    assert_eq!(world.count_of_kind("deleted_client"), 1);
    let again = json!({"name": "Again", "email": email, "user": user});
    let _free = world.operator.post("/v1/clients", &again).await.expect(201);
}

#[tokio::test]
async fn a_deletion_survives_what_gets_lost() {
    for fault in [Fault::LostAnswer, Fault::LostCall] {
        let world = World::new().await;
        let client = bound(&world).await;
        let faulty = Faulty::new(&world);
        faulty.script.then(SDK_TRIES, "TransactWriteItems", &fault);
        let reply = faulty.send("delete-clients", "DELETE", &client.0, &[], "").await;
        let _deleted = reply.expect(204);
        assert!(faulty.script.is_played());
        is_gone(&world, &client).await;
    }
}

#[tokio::test]
async fn a_deletion_on_a_stale_login_decides_again() {
    let world = World::new().await;
    let client = bound(&world).await;
    let faulty = Faulty::new(&world);
    // The user as it was before it was bound.
    let items = world.items();
    let login = items.iter().find(|item| item["pk"]["S"] == format!("US#{}", client.2));
    let mut stale = login.unwrap().clone();
    stale["doc"]["M"]["client"] = json!({"NULL": true});
    stale["doc"]["M"]["version"] = json!({"N": "1"});
    let table = world.system().dynamo().table().to_owned();
    let owner = items.iter().find(|item| client.0.ends_with(item["doc"]["M"]["refid"]["S"].as_str().unwrap_or("-")));
    for item in [owner.unwrap().clone(), stale] {
        let answer = json!({"Responses": {&table: [item]}, "UnprocessedKeys": {}});
        faulty.script.then(1, "BatchGetItem", &Fault::Answer(200, answer.to_string()));
    }
    let reply = faulty.send("delete-clients", "DELETE", &client.0, &[], "").await;
    let _deleted = reply.expect(204);
    assert!(faulty.script.is_played());
    is_gone(&world, &client).await;
}

#[tokio::test]
async fn a_changed_address_survives_what_gets_lost() {
    let change = json!({"email": "new@acme.example"}).to_string();
    let headers = [("content-type", "application/json")];
    for fault in [Fault::LostAnswer, Fault::LostCall, conflict(3)] {
        let world = World::new().await;
        let (path, email, _) = bound(&world).await;
        let faulty = Faulty::new(&world);
        let times = if matches!(fault, Fault::Answer(..)) { 1 } else { SDK_TRIES };
        faulty.script.then(times, "TransactWriteItems", &fault);
        let reply = faulty.send("update-client", "PATCH", &path, &headers, &change).await;
        let changed = reply.expect(200);
        assert!(faulty.script.is_played());
        assert_eq!((changed.text("email"), changed.number("version")), ("new@acme.example", 2));
        assert_eq!(world.operator.get(&path).await.expect(200).json, changed.json);
        let old = json!({"name": "Next", "email": email});
        let _free = world.operator.post("/v1/clients", &old).await.expect(201);
        let new = json!({"name": "Next", "email": "new@acme.example"});
        let _taken = world.operator.post("/v1/clients", &new).await.refused(409, "duplicate_email");
    }
}

#[tokio::test]
async fn a_bulk_purchase_survives_what_gets_lost() {
    for fault in [Fault::LostAnswer, Fault::LostCall, conflict(77)] {
        let world = World::new().await;
        let partner = world.partner("standard", 1_000).await;
        let clients: Vec<Value> = (0..25).map(|_| world.new_client()).collect();
        let order = json!({"product": world.product(10).await, "clients": clients});
        let faulty = Faulty::new(&world);
        let times = if matches!(fault, Fault::Answer(..)) { 1 } else { SDK_TRIES };
        faulty.script.then(times, "TransactWriteItems", &fault);
        let (key, path) = (partner.caller.key().unwrap(), "/v1/provisions/bulk");
        let made = faulty.post("provision", path, key, Some("k"), &order).await.expect(201);
        assert!(faulty.script.is_played());
        assert_eq!((made.number("balance"), made.header("idempotency-replayed")), (750, None));
        assert_eq!((world.balance(&partner.refid).await, world.count_of_kind("licence")), (750, 25));
        let again = partner.caller.post_once(path, "k", &order).await.expect(201);
        assert_eq!(again.bytes, made.bytes);
    }
}
