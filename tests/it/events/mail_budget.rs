//! What an address receives in a day is limited, whoever asks for it, and its owner can always choose a new password
//! (docs/rules.md, "Mail").

use purser_tests::faults::{Fault, SDK_TRIES, SEND_EMAIL, Script};
use purser_tests::lambda::bus_event;
use purser_tests::people::{NEW_PASSWORD, token_in};
use purser_tests::prelude::*;

/// A world half an hour into a day.
async fn world(variables: &[(&str, &str)]) -> World {
    let world = World::with(None, variables).await;
    let (day, now) = (24 * 60 * 60, world.system().clock().now().unix_seconds());
    world.system().clock().advance(SignedDuration::from_secs(day - now % day + 30 * 60));
    world
}

async fn forgotten(world: &World, email: &str) {
    let _sent = world.nobody().post("/v1/auth/forgot-password", &json!({"email": email})).await.expect(202);
    world.system().settle().await;
}

async fn received(world: &World, email: &str) -> usize {
    world.subjects(email).await.len()
}

async fn works(world: &World, token: &str) -> bool {
    let body = json!({"token": token, "password": NEW_PASSWORD});
    world.nobody().post("/v1/auth/reset-password", &body).await.status == 200
}

#[tokio::test]
async fn strangers_who_ask_for_links_all_day_leave_the_owner_a_link_that_works() {
    let world = world(&[]).await;
    let ada = world.person().await;
    let before = received(&world, &ada.email).await;
    // With the confirmation, ten links; the delays between them are waited for.
    for _ in 0..60 {
        forgotten(&world, &ada.email).await;
        world.system().clock().advance(SignedDuration::from_mins(16));
    }
    assert_eq!(received(&world, &ada.email).await, before + 9, "ten links a day, the confirmation included");
    // It is evening. The owner asks, gets nothing, and uses the newest link that she has.
    forgotten(&world, &ada.email).await;
    assert_eq!(received(&world, &ada.email).await, before + 9);
    let mails = world.all_mails().await;
    let mine: Vec<&Value> = mails.iter().filter(|mail| mail["to"].to_string().contains(&ada.email)).collect();
    assert!(
        mine[0]["text"].as_str().unwrap().contains("is valid for 2"),
        "the last link of the day lasts: {}",
        mine[0]
    );
    assert!(!works(&world, &token_in(mine[1]).unwrap()).await, "an earlier link has expired");
    assert!(works(&world, &token_in(mine[0]).unwrap()).await);
    // The next day begins anew.
    world.system().clock().advance(SignedDuration::from_hours(24));
    let (before, _asked) = (received(&world, &ada.email).await, forgotten(&world, &ada.email).await);
    assert_eq!(received(&world, &ada.email).await, before + 1);
}

/// Whoever has an account can have links mailed to any address, by which only that account could take it.
#[tokio::test]
async fn who_wants_an_address_for_another_account_leaves_its_owner_half_of_the_links() {
    let world = world(&[]).await;
    let mallory = world.person().await;
    let email = "fresh@example.com";
    for _ in 0..20 {
        let wanted = json!({"email": email, "password": PASSWORD});
        let _asked = mallory.caller.put("/v1/me/email", &wanted).await.expect(202);
        world.system().settle().await;
        world.system().clock().advance(SignedDuration::from_mins(16));
    }
    assert_eq!(received(&world, email).await, 5, "half of the day's links");
    let wanted = json!({"email": email, "password": PASSWORD});
    let _asked = mallory.caller.put("/v1/me/email", &wanted).await.expect(202);
    // The owner need not even wait for the delay between such links.
    world.register(email).await;
    world.system().settle().await;
    assert_eq!(received(&world, email).await, 6);
    let token = world.mailed_token(email).await;
    let body = json!({"token": token, "password": NEW_PASSWORD, "name": "Fresh"});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &body).await.expect(200);
}

#[tokio::test]
async fn between_two_links_the_older_one_works() {
    let world = world(&[("PURSER_MAILS_PER_RECIPIENT", "1000")]).await;
    let ada = world.person().await;
    // The delay between links grows to a quarter of an hour, longer than a link lasts otherwise.
    for _ in 0..12 {
        forgotten(&world, &ada.email).await;
        world.system().clock().advance(SignedDuration::from_mins(16));
    }
    forgotten(&world, &ada.email).await;
    let newest = world.mailed_token(&ada.email).await;
    let links = received(&world, &ada.email).await;
    world.system().clock().advance(SignedDuration::from_secs(14 * 60 + 50));
    forgotten(&world, &ada.email).await;
    assert_eq!(received(&world, &ada.email).await, links, "it is too early for another");
    assert!(works(&world, &newest).await);
}

#[tokio::test]
async fn links_sent_at_once_are_counted_exactly() {
    let world = world(&[("PURSER_MAILS_PER_RECIPIENT", "6")]).await;
    let ada = world.person().await;
    let before = received(&world, &ada.email).await;
    let asks = (0..8).map(|_| forgotten(&world, &ada.email));
    let _asked = futures_all(asks).await;
    assert_eq!(received(&world, &ada.email).await, before + 2, "three links a day, the confirmation included");
    world.system().clock().advance(SignedDuration::from_hours(20));
    assert!(works(&world, &world.mailed_token(&ada.email).await).await);
}

#[tokio::test]
async fn a_reseller_can_make_one_address_receive_half_of_its_notices_of_a_day_and_no_more() {
    let world = world(&[]).await;
    let partner = world.partner("standard", 0).await;
    let ada = world.person().await;
    let links = received(&world, &ada.email).await;
    for _ in 0..15 {
        let body = json!({"name": "CLAIM your prize: https://evil.example", "email": ada.email});
        let client = partner.caller.post("/v1/clients", &body).await.expect(201);
        let path = format!("/v1/clients/{}", client.text("refid"));
        let _active = partner.caller.act(&format!("{path}/activate")).await.expect(200);
        world.system().clock().advance(SignedDuration::from_mins(2));
        world.run_schedule("run-due-work").await;
        let _gone = partner.caller.delete(&path).await.expect(204);
    }
    assert_eq!(received(&world, &ada.email).await, links + 5);
    // The owner still learns what happens to the account.
    let _in = world.sign_in(&ada.email, PASSWORD).await;
    assert_eq!(world.subjects(&ada.email).await[0], "New sign-in to your Purser account");
    let mails = world.all_mails().await;
    assert!(!json!(mails).to_string().contains("evil.example"), "a reseller's words must not be mailed");
    // The owner still gets a link.
    forgotten(&world, &ada.email).await;
    assert!(works(&world, &world.mailed_token(&ada.email).await).await);
}

#[tokio::test]
async fn one_reseller_can_cause_so_many_mails_in_a_day() {
    let world = world(&[("PURSER_MAILS_PER_RESELLER", "3")]).await;
    let (partner, other) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let before = world.mails().await.len();
    for partner in [&partner, &partner, &partner, &partner, &partner, &other] {
        let _client = partner.caller.post("/v1/clients", &world.new_client()).await.expect(201);
    }
    // The invitation of the partner's first user is one of the three.
    let welcomed = world.mails().await.len() - before;
    assert_eq!(welcomed, 3);
    world.system().clock().advance(SignedDuration::from_hours(24));
    let _client = partner.caller.post("/v1/clients", &world.new_client()).await.expect(201);
    assert_eq!(world.mails().await.len() - before, 4);
}

#[tokio::test]
async fn a_mail_that_is_delivered_twice_or_fails_at_first_is_counted_once() {
    let world = world(&[("PURSER_MAILS_PER_RECIPIENT", "4")]).await;
    let partner = world.partner("standard", 0).await;
    let event = |id: &str| {
        let detail = json!({"id": id, "origin": "api", "reseller": partner.refid, "balance": 1, "threshold": 2});
        bus_event("CreditsRanLow", &detail)
    };
    let script = Script::default();
    script.then(SDK_TRIES, SEND_EMAIL, &Fault::LostCall);
    // The answer to the transaction that counts is lost, and the next delivery finds that it was made.
    script.then(1, "TransactWriteItems", &Fault::LostAnswer);
    let app = world.app_over("notify", &script).await;
    let notify = purser_api::events::bus::notify::notify;
    let before = world.mails().await.len();
    assert!(notify(app.clone(), event("one")).await.is_err(), "SES can't be reached");
    assert!(script.is_played());
    for id in ["one", "one", "two", "three"] {
        assert_eq!(notify(app.clone(), event(id)).await, Ok(()));
    }
    assert_eq!(world.mails().await.len() - before, 2, "two notices a day");
}

#[tokio::test]
async fn nobody_has_their_words_mailed_to_an_address_that_is_not_proved() {
    let variables = [("PURSER_PARTNER_SIGN_UP", "true")];
    let world = World::with(None, &variables).await;
    let words = "WIN 1000 EUR: https://evil.example/prize";
    let nobody = world.nobody();
    let register = json!({"email": "v1@example.com", "name": words});
    let apply = json!({"email": "v2@example.com", "company_name": words});
    for _ in 0..2 {
        let _asked = nobody.post("/v1/auth/register", &register).await.expect(202);
        world.system().settle().await;
    }
    for path in ["resend-confirmation", "forgot-password"] {
        let _asked = nobody.post(&format!("/v1/auth/{path}"), &json!({"email": "v1@example.com"})).await.expect(202);
    }
    let _applied = nobody.post("/v1/resellers/sign-up", &apply).await.expect(202);
    let partner = world.partner("standard", 0).await;
    let owner = world.member(&partner.refid).await;
    let invite = json!({"email": "v3@example.com", "name": words, "reseller": partner.refid});
    let _invited = owner.caller.post("/v1/users", &invite).await.expect(201);
    let client = json!({"name": words, "email": "v4@example.com", "client_id": words});
    let client = partner.caller.post("/v1/clients", &client).await.expect(201);
    let _active = partner.caller.act(&format!("/v1/clients/{}/activate", client.text("refid"))).await.expect(200);
    world.system().settle().await;
    world.system().clock().advance(SignedDuration::from_mins(2));
    world.run_schedule("run-due-work").await;
    for n in 1..=4 {
        assert!(received(&world, &format!("v{n}@example.com")).await > 0, "v{n}");
    }
    let mails = json!(world.all_mails().await).to_string();
    assert!(!mails.contains("evil.example"), "{mails}");
}
