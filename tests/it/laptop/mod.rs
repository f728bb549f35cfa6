//! The laptop: demo data that is kept between runs, pages to look at, and a clock to turn.

mod history;
mod overload;
mod walk;

use std::os::unix::fs::PermissionsExt;

use purser_demo::{Credentials, Login};
use purser_local::run::system::Options;
use purser_tests::prelude::*;

async fn demo(world: &World) -> Credentials {
    purser_demo::ensure(world.system().app(), world.system().folder()).await.unwrap()
}

#[tokio::test]
async fn the_demo_is_made_once_sends_no_mails_and_everything_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { folder: Some(folder.path().join("purser")), ..Options::default() };
    let world = World::start(options.clone()).await;
    let made = demo(&world).await;
    let resellers = world.operator.get("/v1/resellers").await.expect(200);
    assert_eq!(resellers.json["data"][0]["tier"], "gold");
    let clients = world.operator.get("/v1/clients").await.expect(200);
    assert_eq!(clients.json["data"].as_array().unwrap().len(), 4);
    let partner = world.operator.with_key(Some(&made.api_key));
    let wallet = format!("/v1/resellers/{}/wallet", resellers.json["data"][0]["refid"].as_str().unwrap());
    let balance = partner.get(&wallet).await.expect(200).number("balance");
    assert!(balance > 10_000, "{balance}");
    assert!(world.all_mails().await.is_empty(), "the demo must send no e-mail");
    assert!(!world.events().await.is_empty(), "the demo must publish its events");
    let _product =
        world.operator.post("/v1/products", &json!({"reference": "KEPT", "name": "x", "price": 1})).await.expect(201);
    world.end().await;

    let world = World::start(options).await;
    demo(&world).await;
    let _product = world.operator.get("/v1/products/KEPT").await.expect(200);
    assert_eq!(world.operator.get("/v1/clients").await.json, clients.json, "the demo must be made once");
    assert_eq!(partner.moved(&world.operator).get(&wallet).await.expect(200).number("balance"), balance);
    let refused = world.operator.post("/_local/clock", &json!({"advance": "P1D"})).await;
    let _refused = refused.refused(404, "not_found");
    world.end().await;
}

#[tokio::test]
async fn there_are_pages_to_look_at() {
    let world = World::new().await;
    let docs = world.nobody().get("/docs/").await.expect(200);
    assert!(String::from_utf8_lossy(&docs.bytes).contains("swagger-ui"));
    let page = world.nobody().get("/_local/mailbox").await.expect(200);
    assert!(String::from_utf8_lossy(&page.bytes).contains("<html lang=\"en\""));
    let letters = world.nobody().get("/_local/dead-letters").await.expect(200);
    assert_eq!(letters.json, json!({"data": []}));
}

#[tokio::test]
async fn a_clock_can_be_turned_and_only_forward() {
    let world = World::new().await;
    let before = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let nobody = world.nobody();
    let _turned = nobody.post("/_local/clock", &json!({"advance": "P1DT2H"})).await.expect(200);
    let after = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let turned = time(after.text("created_at")).duration_since(time(before.text("created_at")));
    assert!(turned >= jiff::SignedDuration::from_hours(26), "{turned:?}");
    for bad in ["-P1D", "tomorrow", ""] {
        let _refused = nobody.post("/_local/clock", &json!({"advance": bad})).await.refused(422, "invalid_fields");
    }
    let _refused = nobody.act("/_local/schedules/nothing/run").await.refused(404, "not_found");
}

/// The users of the demo, each with the role that it shows.
fn people(made: &Credentials) -> [(&Login, &'static str); 3] {
    let logins = made.logins.as_ref().unwrap();
    [(&logins.operator, "operator"), (&logins.member, "reseller"), (&logins.customer, "customer")]
}

#[tokio::test]
async fn the_demos_people_sign_in_also_to_a_folder_from_before_there_were_any() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("purser");
    let options = Options { folder: Some(folder.clone()), ..Options::default() };
    let world = World::start(options.clone()).await;
    let first = demo(&world).await;
    world.end().await;
    let path = folder.join("demo.json");
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let _logins = kept.as_object_mut().unwrap().remove("logins").unwrap();
    std::fs::write(&path, kept.to_string()).unwrap();

    let world = World::start(options.clone()).await;
    let made = demo(&world).await;
    assert_eq!((&made.reseller, &made.api_key), (&first.reseller, &first.api_key));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (login, role) in people(&made) {
        let person = world.sign_in(&login.email, &login.password).await;
        let me = person.caller.get("/v1/me").await.expect(200);
        assert_eq!(me.json["roles"], json!([role]), "{}", login.email);
    }
    for (login, _) in people(&first) {
        let body = json!({"email": login.email, "password": login.password});
        let refused = world.nobody().post("/v1/auth/login", &body).await;
        let _refused = refused.refused(401, "invalid_credentials");
    }
    assert!(world.mails().await.is_empty(), "the demo must send no e-mail");
    world.end().await;

    let world = World::start(options).await;
    let again = demo(&world).await;
    for ((login, _), (before, _)) in people(&again).into_iter().zip(people(&made)) {
        assert_eq!(login.password, before.password);
        let _person = world.sign_in(&login.email, &login.password).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_demo_that_was_interrupted_is_completed() {
    let parent = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let ensure = async || purser_demo::ensure(world.system().app(), Some(parent.path())).await.unwrap();
    let first = ensure().await;
    // As if the process had been killed just before the last step.
    let (draft, done) = (parent.path().join("demo-draft.json"), parent.path().join("demo.json"));
    std::fs::rename(&done, draft).unwrap();
    let again = ensure().await;
    assert_eq!(again.api_key, first.api_key);
    assert!(done.exists());
    let own = world.operator.with_key(Some(&first.api_key));
    let wallet = own.get(&format!("/v1/resellers/{}/wallet", first.reseller)).await.expect(200);
    // 50,000 credits less the gold price of one unit.
    assert_eq!((wallet.number("balance"), wallet.number("sequence")), (49_405, 2));
    world.assert_intact(first.reseller.as_str(), 2).await;
}

#[tokio::test]
async fn the_first_page_leads_to_everything_else() {
    let world = World::new().await;
    let page = world.nobody().get("/").await.expect(200);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let html = String::from_utf8(page.bytes).unwrap();
    let leads: Vec<&str> = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for place in ["/docs", "/openapi.json", "/health", "/_local/mailbox", "/_local/events", "/_local/dead-letters"] {
        assert!(leads.contains(&place), "{place}: {leads:?}");
    }
    for path in leads {
        let _there = world.nobody().get(path).await.expect(200);
    }
}
