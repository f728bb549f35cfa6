//! An account whose address nobody has proven, and to which an operator binds a client (rule D1).

use purser_tests::people::Person;
use purser_tests::prelude::*;

use crate::accounts::{attempt, confirm};

/// A stranger registers somebody else's address where that opens an account at once, and signs in.
async fn squatted(world: &World, email: &str) -> Person {
    let body = json!({"email": email, "password": PASSWORD, "name": "A stranger's idea"});
    let _received = world.nobody().post("/v1/auth/register", &body).await.expect(202);
    world.system().settle().await;
    world.sign_in(email, PASSWORD).await
}

#[tokio::test]
async fn a_client_bound_to_a_strangers_account_ends_the_strangers_access() {
    let world = World::with(None, &[("PURSER_CONFIRM_ADDRESS", "false")]).await;
    for at_creation in [true, false] {
        let email = format!("{}@example.com", world.fresh("victim"));
        let stranger = squatted(&world, &email).await;
        let moved = json!({"email": format!("{}@attacker.example", world.fresh("x")), "password": PASSWORD});
        let _asked = stranger.caller.put("/v1/me/email", &moved).await.expect(202);
        let link = world.mailed_token(moved["email"].as_str().unwrap()).await;
        let mut client = json!({"name": "Acme", "email": email});
        if at_creation {
            client["user"] = json!(stranger.refid);
        }
        let made = world.operator.post("/v1/clients", &client).await.expect(201);
        let path = format!("/v1/clients/{}", made.text("refid"));
        let bound = world.operator.patch(&path, &json!({"user": stranger.refid})).await.expect(200);
        assert_eq!(bound.text("user"), stranger.refid);
        let _out = stranger.caller.get("/v1/me").await.refused(401, "unauthenticated");
        let _dead = confirm(&world, &link).await.refused(422, "invalid_token");
        let _out = attempt(&world.nobody(), &email, PASSWORD).await.refused(401, "invalid_credentials");
        // The owner of the address gets in by a link, and is the customer.
        crate::accounts::forget(&world, &email).await;
        world.set_password(&email, "a harbour of one's own").await;
        let owner = world.sign_in(&email, "a harbour of one's own").await;
        let me = owner.caller.get("/v1/me").await.expect(200);
        assert_eq!((me.text("client"), &me.json["roles"]), (made.text("refid"), &json!(["customer"])));
    }
}

#[tokio::test]
async fn a_link_asked_for_while_a_client_was_bound_takes_nothing_away() {
    let world = World::with(None, &[("PURSER_CONFIRM_ADDRESS", "false")]).await;
    let stranger = squatted(&world, "victim@example.com").await;
    let moved = json!({"email": "x@attacker.example", "password": PASSWORD});
    let _asked = stranger.caller.put("/v1/me/email", &moved).await.expect(202);
    let link = world.mailed_token("x@attacker.example").await;
    let client = json!({"name": "Acme", "email": "victim@example.com", "user": stranger.refid});
    let _bound = world.operator.post("/v1/clients", &client).await.expect(201);
    // As if the password had been checked before the binding, and the link made after it.
    let items = world.items();
    let epoch = |pk: &str| {
        let item = items.iter().find(|item| item["pk"]["S"].as_str().unwrap().starts_with(pk)).unwrap();
        (item["pk"]["S"].as_str().unwrap().to_owned(), item["doc"]["M"]["epoch"].clone())
    };
    let ((token, before), (_, now)) = (epoch("TK#"), epoch(&format!("US#{}", stranger.refid)));
    assert_ne!(before, now);
    world.tamper(&token, "epoch", &now);
    let _dead = confirm(&world, &link).await.refused(422, "invalid_token");
    let user = world.operator.get(&format!("/v1/users/{}", stranger.refid)).await.expect(200);
    assert_eq!(user.text("email"), "victim@example.com");
}
