//! The stream, the relay and the claims: an event arrives at least once, and each consumer acts on it once.

use aws_lambda_events::dynamodb::Event;
use purser_tests::faults::{Fault, SDK_TRIES, SEND_EMAIL, Script};
use purser_tests::lambda::bus_event;
use purser_tests::prelude::*;

fn records(world: &World) -> Event {
    serde_json::from_value(json!({"Records": world.stream_records()})).unwrap()
}

#[tokio::test]
async fn a_history_told_again_sends_no_second_mail() {
    let world = World::new().await;
    let partner = world.partner("standard", 510).await;
    let _client = world.client(&partner).await;
    let bare = json!({"cost": 20, "description": "x"});
    let _made = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
    assert_eq!(world.mails().await.len(), 2);
    for _ in 0..2 {
        let mut again = records(&world);
        again.records.reverse();
        let response = purser_api::events::stream::relay::relay(world.system().app().clone(), again).await;
        assert_eq!(response.batch_item_failures.len(), 0);
    }
    assert_eq!(world.mails().await.len(), 2);
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_reported_and_what_came_before_it_is_told() {
    let world = World::new().await;
    let _client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    assert_eq!(world.mails().await.len(), 1);
    let told = world.events().await.len();
    let mut event = records(&world);
    let client = event.records.iter().position(|record| record.change.new_image.get("doc").is_some()).unwrap();
    let mut poison = event.records[client].clone();
    poison.change.new_image = serde_dynamo_item(&json!({"kind": "client", "doc": "nonsense"}));
    poison.change.old_image = serde_dynamo_item(&json!({}));
    poison.change.sequence_number = Some("poison".into());
    event.records.push(poison);
    let response = purser_api::events::stream::relay::relay(world.system().app().clone(), event).await;
    let failed: Vec<_> =
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref()).collect();
    assert_eq!(failed, [Some("poison")]);
    assert_eq!(world.events().await.len(), told + 1, "the event of the client before it must be published again");
}

fn serde_dynamo_item(value: &Value) -> serde_dynamo::Item {
    serde_dynamo::to_item(value).unwrap()
}

#[tokio::test]
async fn two_deliveries_at_once_send_one_mail_and_a_dead_one_is_taken_over() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let event = |id: &str| {
        let detail = json!({"id": id, "origin": "api", "reseller": partner.refid, "balance": 1, "threshold": 2});
        bus_event("CreditsRanLow", &detail)
    };
    let app = world.system().app();
    let both = tokio::join!(
        purser_api::events::bus::notify::notify(app.clone(), event("one")),
        purser_api::events::bus::notify::notify(app.clone(), event("one")),
    );
    assert!(both.0.is_ok() || both.1.is_ok(), "{both:?}");
    assert_eq!(world.mails().await.len(), 1);
    assert_eq!(
        purser_api::events::bus::notify::notify(app.clone(), event("one")).await,
        Ok(()),
        "a repeated delivery must succeed"
    );
    assert_eq!(world.mails().await.len(), 1);

    let stamp = purser_store::engine::item::Stamp {
        actor: purser_domain::people::caller::Actor::new("dead"),
        request: "dead".into(),
        origin: purser_store::engine::item::Origin::Api,
        cause: "two".into(),
    };
    let claim = app.store.claim("notify", "two", &stamp, app.clock.now()).await.unwrap();
    assert_eq!(claim, purser_store::events::claim::Claim::Held);
    assert!(
        purser_api::events::bus::notify::notify(app.clone(), event("two")).await.is_err(),
        "the dead run's lease has not ended"
    );
    world.system().clock().advance(jiff::SignedDuration::from_secs(61));
    assert_eq!(purser_api::events::bus::notify::notify(app.clone(), event("two")).await, Ok(()));
    assert_eq!(world.mails().await.len(), 2);
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_is_sent_by_the_next_delivery() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let event = || {
        let detail = json!({"id": "e", "origin": "api", "reseller": partner.refid, "balance": 1, "threshold": 2});
        bus_event("CreditsRanLow", &detail)
    };
    let script = Script::default();
    script.then(SDK_TRIES, SEND_EMAIL, &Fault::LostCall);
    let cut_off = world.app_over("notify", &script).await;
    assert!(purser_api::events::bus::notify::notify(cut_off, event()).await.is_err());
    assert!(script.is_played());
    assert_eq!(world.mails().await.len(), 0);
    assert_eq!(purser_api::events::bus::notify::notify(world.system().app().clone(), event()).await, Ok(()));
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn no_event_carries_a_key_an_address_or_an_image() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let client = json!({"name": "Secret Name", "email": "secret@example.com", "metadata": {"note": "secret-note"}});
    let order = json!({"product": world.product(600).await, "client": client});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let key = made.json["licences"][0]["key"].as_str().unwrap().to_owned();
    let told: Vec<Value> = world.events().await;
    let names: Vec<&str> = told.iter().filter_map(|event| event["detail-type"].as_str()).collect();
    for name in
        ["ResellerOnboarded", "CreditsAdded", "ClientCreated", "LicenceMinted", "CreditsProvisioned", "CreditsRanLow"]
    {
        assert_eq!(names.iter().filter(|told| **told == name).count(), 1, "{name} in {names:?}");
    }
    let text = json!(told).to_string();
    for secret in [key.as_str(), "Secret Name", "secret@example.com", "secret-note"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let low = told.iter().find(|event| event["detail-type"] == "CreditsRanLow").unwrap();
    let detail = &low["detail"];
    assert_eq!(
        (&detail["reseller"], &detail["balance"], &detail["threshold"]),
        (&json!(partner.refid), &json!(400), &json!(500))
    );
}
