//! Sessions are opaque and short-lived, and end at once with a change of password, role or status (rule D2).

use purser_domain::Refusal;
use purser_domain::people::Actor;
use purser_store::StoreError;
use purser_store::engine::item::Origin;
use purser_store::engine::{Request, Stamp};
use purser_store::people::sign_in::{Proof, SignIn};
use purser_tests::prelude::*;

use crate::accounts::{attempt, doc, forget, turn};

#[tokio::test]
async fn a_session_ends_unused_and_ends_anyway() {
    let world = World::new().await;
    let ada = world.person().await;
    let me = async || ada.caller.get("/v1/me").await;
    turn(&world, 29);
    let _used = me().await.expect(200);
    turn(&world, 29);
    let _used = me().await.expect(200);
    turn(&world, 30);
    let _idle = me().await.refused(401, "unauthenticated");

    let ada = world.sign_in(&ada.email, PASSWORD).await;
    for _ in 0..28 {
        turn(&world, 25);
        let _used = ada.caller.get("/v1/me").await.expect(200);
    }
    turn(&world, 20);
    let _ended = ada.caller.get("/v1/me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let world = World::new().await;
    let one = world.person().await;
    turn(&world, 1);
    let two = world.sign_in(&one.email, PASSWORD).await;
    let listed = one.caller.get("/v1/me/sessions").await.expect(200).json;
    let sessions = listed["data"].as_array().unwrap();
    let current: Vec<bool> = sessions.iter().map(|it| it["current"] == true).collect();
    assert_eq!(current, [false, true], "newest first");
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    let id = sessions[0]["id"].as_str().unwrap();
    let path = format!("/v1/me/sessions/{id}");
    let stranger = world.person().await;
    let _foreign = stranger.caller.delete(&path).await.refused(404, "not_found");
    let _still = two.caller.get("/v1/me").await.expect(200);
    let _ended = one.caller.delete(&path).await.expect(204);
    let _over = two.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let _again = one.caller.delete(&path).await.refused(404, "not_found");
    let _all = one.caller.delete("/v1/me/sessions").await.expect(204);
    let _over = one.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let _other = stranger.caller.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn the_eleventh_session_ends_the_first() {
    let world = World::new().await;
    let first = world.person().await;
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(world.sign_in(&first.email, PASSWORD).await);
    }
    let _over = first.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let _in = others[0].caller.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn nobody_brings_a_session_along() {
    let world = World::new().await;
    let ada = world.person().await;
    let mallory = world.person().await;
    // Ada signs in while presenting Mallory's session: that one stays Mallory's, and Ada gets a new one.
    let reply = attempt(&mallory.caller, &ada.email, PASSWORD).await.expect(200);
    let fresh = reply.text("token").to_owned();
    assert_ne!(Some(fresh.as_str()), mallory.caller.key());
    let me = mallory.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.text("email"), mallory.email);
    let me = world.nobody().with_key(Some(&fresh)).get("/v1/me").await;
    assert_eq!(me.expect(200).text("email"), ada.email);
    // A sign-in's body can't choose the session either.
    let fixed = json!({"email": ada.email, "password": PASSWORD, "token": mallory.caller.key()});
    let reply = world.nobody().post("/v1/auth/login", &fixed).await;
    let _refused = reply.refused(422, "invalid_fields");
}

#[tokio::test]
async fn what_changes_a_login_ends_its_sessions() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let member = json!({"reseller": partner.refid});
    let changes: [(&str, Value); 5] = [
        ("suspend", Value::Null),
        ("", json!({"reseller": null})),
        ("", json!({"operator": true})),
        ("reset", Value::Null),
        ("second factor", Value::Null),
    ];
    for (how, body) in changes {
        let staff = world.invited(member.clone()).await;
        let _clients = staff.caller.get("/v1/clients").await.expect(200);
        let path = format!("/v1/users/{}", staff.refid);
        match how {
            "suspend" => drop(world.operator.act(&format!("{path}/suspend")).await.expect(200)),
            "reset" => {
                forget(&world, &staff.email).await;
                world.set_password(&staff.email, "a new harbour at midnight").await;
            }
            "second factor" => {
                let other = world.sign_in(&staff.email, PASSWORD).await;
                crate::accounts::me::second_factor::enable(&world, &other).await;
            }
            _ => drop(world.operator.patch(&path, &body).await.expect(200)),
        }
        for path in ["/v1/me", "/v1/clients"] {
            let over = staff.caller.get(path).await;
            let _over = over.refused(401, "unauthenticated");
        }
        let epochs = |noun| doc(&world, &format!("{noun}#{}", staff.refid)).unwrap()["epoch"].clone();
        assert_eq!(epochs("US"), epochs("SE"), "{how} {body}");
    }
}

#[tokio::test]
async fn a_change_under_way_brings_no_ended_session_back() {
    let world = World::new().await;
    let ada = world.person().await;
    // One session changes the password several times while an operator suspends the user. In whatever order these
    // commit, no session is left.
    let body = json!({"password": PASSWORD, "new_password": PASSWORD});
    let changes = (0..3).map(|_| ada.caller.put("/v1/me/password", &body));
    let path = format!("/v1/users/{}/suspend", ada.refid);
    let (changed, suspended) = tokio::join!(futures_all(changes), world.operator.act(&path));
    let _suspended = suspended.expect(200);
    for reply in changed {
        let token = reply.text("token");
        let over = ada.caller.with_key(Some(token)).get("/v1/me").await;
        let _over = over.refused(401, "unauthenticated");
    }
    let sessions = doc(&world, &format!("SE#{}", ada.refid)).unwrap();
    assert_eq!(sessions["sessions"], json!({"L": []}));
}

#[tokio::test]
async fn a_renamed_login_stays_signed_in() {
    let world = World::new().await;
    let ada = world.person().await;
    let path = format!("/v1/users/{}", ada.refid);
    let _renamed = world.operator.patch(&path, &json!({"name": "Ada K."})).await.expect(200);
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.text("name"), "Ada K.");
}

#[tokio::test]
async fn a_sign_in_from_a_new_device_is_told_and_one_from_a_known_is_not() {
    let world = World::new().await;
    let ada = world.person().await;
    let subject = "New sign-in to your Purser account";
    let told = async || {
        let subjects = world.subjects(&ada.email).await;
        subjects.iter().filter(|it| it.contains("sign-in")).count()
    };
    assert_eq!(told().await, 0, "the first sign-in sends no e-mail");
    let known = json!({"email": ada.email, "password": PASSWORD, "device": ada.device});
    let _known = world.sign_in_with(&ada.email, &known).await;
    assert_eq!(told().await, 0);
    let _new = world.sign_in(&ada.email, PASSWORD).await;
    assert_eq!(told().await, 1, "{subject}");
    // Another user's device does not count as known for Ada.
    let bob = world.person().await;
    let foreign = json!({"email": ada.email, "password": PASSWORD, "device": bob.device});
    let ada_again = world.sign_in_with(&ada.email, &foreign).await;
    assert_eq!(told().await, 2);
    let history = ada_again.caller.get("/v1/me/logins?limit=2").await.expect(200);
    assert_eq!(history.json["data"][0]["new_device"], true);
    let next = history.text("next_cursor");
    let more = ada_again.caller.get(&format!("/v1/me/logins?cursor={next}")).await;
    assert_eq!(more.expect(200).json["data"].as_array().unwrap().len(), 2);
    let foreign = bob.caller.get(&format!("/v1/me/logins?cursor={next}")).await;
    let _foreign = foreign.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn a_wrong_present_password_is_counted_and_changes_nothing() {
    let world = World::new().await;
    let ada = world.person().await;
    let wrong = json!({"password": "a wrong harbour", "new_password": "a new harbour at midnight"});
    for _ in 0..3 {
        let reply = ada.caller.put("/v1/me/password", &wrong).await;
        assert_eq!(reply.refused(422, "wrong_password").pointer(), "/password");
    }
    let right = json!({"password": PASSWORD, "new_password": "a new harbour at midnight"});
    let soon = ada.caller.put("/v1/me/password", &right).await;
    let soon = soon.refused(429, "too_many_attempts");
    assert!(soon.header("retry-after").is_some());
    // Another session of the same user does not have to wait.
    let other = world.sign_in(&ada.email, PASSWORD).await;
    let weak = json!({"password": PASSWORD, "new_password": "password1234"});
    let weak = other.caller.put("/v1/me/password", &weak).await;
    assert_eq!(weak.refused(422, "weak_password").pointer(), "/new_password");
    let _set = other.caller.put("/v1/me/password", &right).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_under_way_ends_with_the_password_it_was_checked_against() {
    let world = World::new().await;
    let ada = world.person().await;
    let store = &world.system().app().store;
    let sign_in = SignIn {
        email: ada.email.clone().try_into().unwrap(),
        device: Some(ada.device.clone()),
        address: None,
        agent: None,
        person: false,
    };
    let now = world.system().app().clock.now();
    let begun = store.begin_sign_in(&sign_in, now).await.unwrap();
    let body = json!({"password": PASSWORD, "new_password": "a new harbour at midnight"});
    let changed = ada.caller.put("/v1/me/password", &body).await;
    let _changed = changed.expect(200);
    let request = Request {
        key: None,
        stamp: Stamp {
            actor: Actor::new("anybody"),
            request: "a sign-in".to_owned(),
            origin: Origin::Api,
            cause: "customer-auth".to_owned(),
        },
        now,
    };
    let limits = world.system().app().config.accounts.sessions;
    let finished = store.finish_sign_in(begun, &Proof::Right, None, &sign_in, limits, &request).await;
    let refused = matches!(finished, Err(StoreError::Refused(Refusal::InvalidCredentials)));
    assert!(refused, "{finished:?}");
}

#[tokio::test]
async fn a_request_whose_user_is_deleted_meanwhile_finds_its_session_ended() {
    let world = World::new().await;
    let ada = world.person().await;
    let body = json!({"password": PASSWORD, "new_password": "another quiet harbour"});
    let target = format!("/v1/users/{}", ada.refid);
    // Checking and hashing passwords takes far longer than the deletion.
    let (changed, deleted) = tokio::join!(ada.caller.put("/v1/me/password", &body), world.operator.delete(&target));
    let _gone = deleted.expect(204);
    let _ended = changed.refused(401, "unauthenticated");
}
