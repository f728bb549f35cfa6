//! Registration: anybody may ask for an account, but only the reader of the address's e-mail gets it (rules D1, D3).

use purser_domain::people::token::Asks;
use purser_domain::people::{Actor, LinkRequest};
use purser_store::engine::Stamp;
use purser_store::engine::item::Origin;
use purser_store::events::mail_budget::Mailing;
use purser_store::people::link::Reply;
use purser_tests::faults::{Fault, Script};
use purser_tests::prelude::*;

use crate::accounts::{attempt, confirm, reset};

#[tokio::test]
async fn an_unconfirmed_address_is_mailed_again_and_any_of_its_links_is_good() {
    let world = World::new().await;
    let email = "ada@example.com";
    world.register(email).await;
    let first = world.mailed_token(email).await;
    world.register(email).await;
    let second = world.mailed_token(email).await;
    assert_ne!(first, second);
    let _confirmed = confirm(&world, &first).await.expect(200);
    let _in = world.sign_in(email, PASSWORD).await;
    let _over = confirm(&world, &second).await.refused(422, "invalid_token");
    assert_eq!(world.count_of_kind("user"), 1);
}

#[tokio::test]
async fn a_confirmation_can_be_had_again() {
    let world = World::new().await;
    let email = "ada@example.com";
    let resend = async || {
        let body = json!({"email": email});
        let sent = world.nobody().post("/v1/auth/resend-confirmation", &body).await;
        let _sent = sent.expect(202);
    };
    resend().await;
    assert!(world.subjects(email).await.is_empty(), "an address that never registered must get no e-mail");
    world.register(email).await;
    let first = world.mailed_token(email).await;
    resend().await;
    let again = world.mailed_token(email).await;
    assert_ne!(first, again);
    let _confirmed = confirm(&world, &again).await.expect(200);
    let _in = world.sign_in(email, PASSWORD).await;
}

#[tokio::test]
async fn whoever_has_an_account_is_told_and_keeps_the_password() {
    let world = World::new().await;
    let ada = world.person().await;
    world.register(&ada.email).await;
    let told = world.subjects(&ada.email).await;
    assert_eq!(told[0], "You already have an account with Purser");
    let _still = world.sign_in(&ada.email, PASSWORD).await;
    let token = world.mailed_token(&ada.email).await;
    let _set = reset(&world, &token, "a new harbour at midnight").await.expect(200);
}

#[tokio::test]
async fn nobody_sets_the_first_password_of_an_invited_operator_by_registering() {
    let world = World::new().await;
    let email = "op@example.com";
    let body = json!({"email": email, "name": "Op", "operator": true});
    let _invited = world.operator.post("/v1/users", &body).await.expect(201);
    let invitation = world.mailed_token(email).await;
    world.register(email).await;
    let mailed = world.mailed_token(email).await;
    assert_ne!(mailed, invitation);
    let _no_password = confirm(&world, &mailed).await.refused(422, "invalid_token");
    let _set = reset(&world, &mailed, PASSWORD).await.expect(200);
    let _in = world.sign_in(email, PASSWORD).await;
}

#[tokio::test]
async fn one_address_one_login_however_many_ask_at_once() {
    let world = World::new().await;
    let emails = ["ada@example.com", "ADA@example.com", "Ada@Example.com"];
    let partner = world.partner("standard", 0).await;
    let nobody = world.nobody();
    let registers = (0..6).map(|n| {
        let body = json!({"email": emails[n % 3], "name": "A"});
        let nobody = nobody.clone();
        async move { nobody.post("/v1/auth/register", &body).await.status }
    });
    let invite = json!({"email": emails[0], "name": "A", "reseller": partner.refid});
    let (registered, invited) = tokio::join!(futures_all(registers), world.operator.post("/v1/users", &invite));
    assert!(registered.iter().all(|status| *status == 202));
    assert!([201, 409].contains(&invited.status), "{:?}", invited.json);
    world.system().settle().await;
    let guards = world.count_of_kind("login_address");
    // The other user and address guard belong to the partner.
    assert_eq!((guards, world.count_of_kind("user")), (2, 2));
}

#[tokio::test]
async fn an_address_that_a_stale_read_shows_free_is_answered_as_its_logins() {
    let world = World::new().await;
    let ada = world.person().await;
    let script = Script::default();
    let app = world.app_over("mail-links", &script).await;
    let table = world.system().dynamo().table().to_owned();
    let nothing = json!({"Responses": {table: []}, "UnprocessedKeys": {}}).to_string();
    script.then(1, "BatchGetItem", &Fault::Answer(200, nothing));
    let now = app.clock.now();
    let asked = LinkRequest {
        id: "0123456789ABCDEF".to_owned(),
        asks: Asks::Register {
            email: ada.email.clone().try_into().unwrap(),
            name: Some("A".to_owned().try_into().unwrap()),
            password: None,
        },
        created_at: now,
        version: 1,
    };
    let stamp = stamp();
    app.store.claim("mail-links", "event", &stamp, now).await.unwrap();
    let mailing = |now| Mailing { consumer: "mail-links", event: "event", stamp: &stamp, now };
    let Reply::Link(link) = app.store.answer_link_request(&asked, true, mailing(now)).await.unwrap() else {
        panic!("there must be a link");
    };
    assert!(script.is_played() && link.has_account);
    assert_eq!(link.user.refid.as_str(), ada.refid);
    assert_eq!(world.count_of_kind("user"), 1);
    // A request that has waited for 24 hours is not answered any more.
    let late = now.plus(SignedDuration::from_hours(24));
    let reply = app.store.answer_link_request(&asked, true, mailing(late)).await.unwrap();
    assert!(matches!(reply, Reply::Nothing));
}

fn stamp() -> Stamp {
    Stamp {
        actor: Actor::new("mail-links"),
        request: "a delivery".to_owned(),
        origin: Origin::Api,
        cause: "a request".to_owned(),
    }
}

#[tokio::test]
async fn registration_can_be_off() {
    let world = World::with(None, &[("PURSER_REGISTRATION", "false")]).await;
    let body = json!({"email": "ada@example.com", "name": "A", "password": PASSWORD});
    let off = world.nobody().post("/v1/auth/register", &body).await;
    let _off = off.refused(404, "not_found");
    let _invited = world.invited(json!({})).await;
}

#[tokio::test]
async fn confirmation_can_be_off() {
    let world = World::with(None, &[("PURSER_CONFIRM_ADDRESS", "false")]).await;
    let email = "ada@example.com";
    let register = async |password| {
        let body = json!({"email": email, "name": "A stranger's idea", "password": password});
        let _received = world.nobody().post("/v1/auth/register", &body).await.expect(202);
        world.system().settle().await;
    };
    register(PASSWORD).await;
    let ada = world.sign_in(email, PASSWORD).await;
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["confirmed_at"], json!(null));
    assert!(world.subjects(email).await.is_empty());
    // A second registration does not replace the first one's password.
    register("somebody else's idea of it").await;
    let other = attempt(&world.nobody(), email, "somebody else's idea of it").await;
    let _other = other.refused(401, "invalid_credentials");
    let _still = world.sign_in(email, PASSWORD).await;
    // The address can still be confirmed: the reader of its e-mail sets a new password, and all sessions end.
    let body = json!({"email": email});
    let sent = world.nobody().post("/v1/auth/resend-confirmation", &body).await;
    let _sent = sent.expect(202);
    let token = world.mailed_token(email).await;
    let body = json!({"token": token, "password": "a harbour of my own"});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &body).await.expect(200);
    let _over = ada.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let ada = world.sign_in(email, "a harbour of my own").await;
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert!(me.json["confirmed_at"].is_string());
}

#[tokio::test]
async fn a_weak_password_is_refused_at_its_field() {
    let variables = [("PURSER_PASSWORD_LENGTH", "16"), ("PURSER_CONFIRM_ADDRESS", "false")];
    let world = World::with(None, &variables).await;
    let nobody = world.nobody();
    for weak in ["fifteen letters", "password12345678", "correcthorsebatt"] {
        let body = json!({"email": "ada@example.com", "name": "Ada Lovelace", "password": weak});
        let reply = nobody.post("/v1/auth/register", &body).await;
        if reply.status == 202 {
            assert_eq!(weak, "correcthorsebatt");
            continue;
        }
        assert_eq!(reply.refused(422, "weak_password").pointer(), "/password");
    }
    let body = json!({"email": "ada@example.com", "name": "A", "password": "x".repeat(257)});
    let reply = nobody.post("/v1/auth/register", &body).await;
    assert_eq!(reply.refused(422, "invalid_fields").pointer(), "/password");
}

#[tokio::test]
async fn a_confirmed_login_is_bound_to_the_client_with_its_address_where_that_is_on() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let email = "ada@example.com";
    let body = json!({"name": "Ada Ltd", "email": email});
    let client = world.operator.post("/v1/clients", &body).await.expect(201);
    assert_eq!(client.json["user"], json!(null));
    world.register(email).await;
    let _confirmed = confirm(&world, &world.mailed_token(email).await).await.expect(200);
    world.system().settle().await;
    let ada = world.sign_in(email, PASSWORD).await;
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["client"], client.json["refid"]);
    assert_eq!(me.json["roles"], json!(["customer"]));
    let bound = world.operator.get(&format!("/v1/clients/{}", client.text("refid"))).await;
    assert_eq!(bound.expect(200).text("user"), ada.refid);
}

#[tokio::test]
async fn somebody_whose_address_older_rules_let_in_still_signs_in() {
    let world = World::new().await;
    let ada = world.person().await;
    let old = "\"ada\"@exa_mple.com";
    let mut items = world.items();
    items.retain(|item| {
        item["pk"]["S"] == format!("US#{}", ada.refid) || item["pk"]["S"] == format!("EU#{}", ada.email)
    });
    for item in &mut items {
        match item["kind"]["S"].as_str() {
            Some("user") => item["doc"]["M"]["email"]["S"] = json!(old),
            _ => item["pk"]["S"] = json!(format!("EU#{old}")),
        }
    }
    world.put_all(&items);
    let person = world.sign_in(old, PASSWORD).await;
    assert_eq!(person.refid, ada.refid);
    let found = world.operator.get("/v1/users?email=%22ada%22@exa_mple.com").await.expect(200);
    assert_eq!(found.json["data"][0]["refid"], json!(ada.refid));
    let refused = world.nobody().post("/v1/auth/register", &json!({"email": old})).await;
    assert_eq!(refused.refused(422, "invalid_fields").pointer(), "/email");
}
