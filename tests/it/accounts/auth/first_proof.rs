//! Nothing that was set before an address was proven survives its first proof, except what an operator or a reseller
//! gave (rule D1).

use image::{ImageFormat, RgbImage};
use purser_tests::prelude::*;

use crate::accounts::{attempt, confirm, forget, reset};

const OWN: &str = "owners own lighthouse fig";

fn unconfirmed() -> [(&'static str, &'static str); 1] {
    [("PURSER_CONFIRM_ADDRESS", "false")]
}

/// A stranger who registers `email`, where no confirmation is asked for, and makes the account their own.
async fn stranger(world: &World, email: &str) -> Person {
    let body = json!({"email": email, "name": "Pay at https://evil.example", "password": PASSWORD});
    let _received = world.nobody().post("/v1/auth/register", &body).await.expect(202);
    world.system().settle().await;
    let mut stranger = world.sign_in(email, PASSWORD).await;
    let secret = world.offered_factor(&stranger).await;
    let _recovery = world.enable_factor(&mut stranger, &secret).await;
    let mut picture = std::io::Cursor::new(Vec::new());
    RgbImage::new(8, 8).write_to(&mut picture, ImageFormat::Png).unwrap();
    let kind = [("content-type", "image/png")];
    let kept = stranger.caller.send("PUT", "/v1/me/avatar", &kind, Some(picture.into_inner())).await;
    let _kept = kept.expect(204);
    stranger
}

#[tokio::test]
async fn an_owner_who_proves_the_address_finds_nothing_of_a_stranger() {
    let world = World::with(None, &unconfirmed()).await;
    let email = "victim@example.com";
    let stranger = stranger(&world, email).await;
    forget(&world, email).await;
    let token = world.mailed_token(email).await;
    let _set = reset(&world, &token, OWN).await.expect(200);
    let _ended = stranger.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let out = attempt(&world.nobody(), email, PASSWORD).await;
    let _out = out.refused(401, "invalid_credentials");
    // No second factor is asked for, the name comes from the address, and there is no picture.
    let owner = world.sign_in(email, OWN).await;
    assert_eq!(owner.refid, stranger.refid);
    let me = owner.caller.get("/v1/me").await.expect(200);
    assert_eq!((me.text("name"), &me.json["second_factor"]), ("victim", &json!(false)));
    let _none = owner.caller.get("/v1/me/avatar").await.refused(404, "not_found");
}

#[tokio::test]
async fn what_an_operator_gave_before_the_first_proof_stays() {
    let world = World::with(None, &unconfirmed()).await;
    let email = "victim@example.com";
    let stranger = stranger(&world, email).await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/users/{}", stranger.refid);
    let given = json!({"reseller": partner.refid, "name": "Ada Lovelace"});
    let _given = world.operator.patch(&path, &given).await.expect(200);
    let client = json!({"name": "x", "email": email, "user": stranger.refid});
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    forget(&world, email).await;
    let token = world.mailed_token(email).await;
    let _set = reset(&world, &token, OWN).await.expect(200);
    let owner = world.sign_in(email, OWN).await;
    let me = owner.caller.get("/v1/me").await.expect(200);
    assert_eq!((me.text("name"), &me.json["roles"]), ("Ada Lovelace", &json!(["reseller", "customer"])));
    assert_eq!(me.json["second_factor"], false);
}

#[tokio::test]
async fn registrations_bring_no_password_and_no_number_of_them_shuts_an_owner_out() {
    let world = World::new().await;
    let email = "victim@example.com";
    let body = json!({"email": email, "name": "V", "password": PASSWORD});
    let chosen = world.nobody().post("/v1/auth/register", &body).await;
    assert_eq!(chosen.refused(422, "invalid_fields").pointer(), "/password");
    for _ in 0..6 {
        world.register(email).await;
        world.system().settle().await;
    }
    let mailed = world.subjects(email).await;
    assert_eq!(mailed.len(), 5, "more e-mails than the limit: {mailed:?}");
    // Beyond the limit nothing is sent, and the newest link that was is the owner's like any other.
    let token = world.mailed_token(email).await;
    let body = json!({"token": token, "password": OWN, "name": "Ada Lovelace"});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &body).await.expect(200);
    let owner = world.sign_in(email, OWN).await;
    assert_eq!(owner.caller.get("/v1/me").await.expect(200).text("name"), "Ada Lovelace");
}

#[tokio::test]
async fn a_confirmation_chooses_a_password_that_is_judged_like_any_other() {
    let world = World::new().await;
    let email = "ada@example.com";
    world.register(email).await;
    let token = world.mailed_token(email).await;
    let nobody = world.nobody();
    let none = nobody.post("/v1/auth/confirm", &json!({"token": token})).await;
    assert_eq!(none.refused(422, "invalid_fields").pointer(), "/password");
    let weak = nobody.post("/v1/auth/confirm", &json!({"token": token, "password": "password1234"})).await;
    assert_eq!(weak.refused(422, "weak_password").pointer(), "/password");
    let nameless = json!({"token": token, "password": PASSWORD, "name": " "});
    let nameless = nobody.post("/v1/auth/confirm", &nameless).await;
    assert_eq!(nameless.refused(422, "invalid_fields").pointer(), "/name");
    // A refusal uses the link up as little as a look at its page.
    let _confirmed = confirm(&world, &token).await.expect(200);
    let me = world.sign_in(email, PASSWORD).await.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.text("name"), "ada");
}

#[tokio::test]
async fn a_new_address_is_confirmed_only_by_somebody_who_knows_the_accounts_password() {
    let world = World::new().await;
    let stranger = world.person().await;
    let email = "victim@example.com";
    let body = json!({"email": email, "password": PASSWORD});
    let _asked = stranger.caller.put("/v1/me/email", &body).await.expect(202);
    let token = world.mailed_token(email).await;
    let nobody = world.nobody();
    let body = json!({"token": token, "password": OWN});
    for _ in 0..3 {
        let _wrong = nobody.post("/v1/auth/confirm", &body).await.refused(422, "wrong_password");
    }
    // Guesses are counted for the link.
    let _waits = nobody.post("/v1/auth/confirm", &body).await.refused(429, "too_many_attempts");
    let me = stranger.caller.get("/v1/me").await.expect(200);
    assert_ne!(me.text("email"), email, "the address must not become that of a stranger's account");
    let named = json!({"token": token, "password": PASSWORD, "name": "x"});
    assert_eq!(nobody.post("/v1/auth/confirm", &named).await.refused(422, "invalid_fields").pointer(), "/name");
}
