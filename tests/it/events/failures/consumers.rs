//! Consumers of the bus: an event that can't be read is an error, an event is acted on once, and the claim of a
//! consumer that died is respected until its lease ends.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use purser_api::Entry;
use purser_edge::App;
use purser_lambda::function;
use purser_local::cloud::bus::Bus;
use purser_local::cloud::dead_letters::DeadLetters;
use purser_local::run::{functions, system};
use purser_tests::faults::{Fault, SDK_TRIES, SEND_EMAIL, Script};
use purser_tests::prelude::*;
use tower::ServiceExt;

use super::Spoiling;

async fn handle(app: &App, name: &str, event: Value) -> Result<(), String> {
    let Some(Entry::Event(run)) = function(name).map(|it| it.entry) else {
        panic!("{name} takes no events");
    };
    let event = serde_json::from_value(event).map_err(|error| error.to_string())?;
    run(app.clone(), event).await
}

fn own<'a>(world: &'a World, name: &str) -> &'a App {
    world.system().apps().of(name).unwrap()
}

fn event(kind: &str, detail: &Value) -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": kind, "source": "purser",
        "account": "111122223333", "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [],
        "detail": detail,
    })
}

/// A world in which clients are bound by address and resellers with low credit are held.
async fn with_rules() -> World {
    let rules = [("PURSER_AUTO_BIND_USER", "true"), ("PURSER_HOLD_ON_LOW_CREDIT", "true")];
    World::with(None, &rules).await
}

/// Every consumer with events that it takes, about a client or reseller that exists. Asserts that no consumer is
/// missing.
async fn readable(world: &World) -> Vec<(&'static str, Value)> {
    let partner = world.partner("standard", 0).await;
    let client = world.client(&partner).await;
    let client = json!({"id": "c", "origin": "api", "client": client, "reseller": partner.refid, "status": "pending"});
    let low = json!({"id": "l", "origin": "api", "reseller": partner.refid, "balance": 0, "threshold": 500});
    let added = json!({"id": "a", "reseller": partner.refid, "amount": 1, "balance": 1, "sequence": 1});
    let begun = json!({"id": "o", "reseller": partner.refid, "status": "active", "tier": "gold", "parent": null});
    let expired = json!({"id": "k", "key": "AK-0123456789ABCDEF", "reseller": null, "owner": "operator"});
    let consumers = vec![
        ("notify", event("ClientCreated", &client)),
        ("notify", event("CreditsRanLow", &low)),
        ("bind-client", event("ClientCreated", &client)),
        ("link-licences", event("ClientCreated", &client)),
        ("hold-provisioning", event("CreditsRanLow", &low)),
        ("hold-provisioning", event("CreditsAdded", &added)),
        ("mail-links", event("ResellerOnboarded", &begun)),
        ("expire-api-key", event("ApiKeyExpired", &expired)),
        ("erase", event("ErasureDue", &json!({"id": "e", "client": client["client"], "user": null}))),
    ];
    for function in purser_lambda::functions() {
        // SES's events have a shape of their own (undelivered.rs), and what a schedule sends says nothing
        // (ledger/checkpoints.rs, accounts/users/clean_up.rs, analytics).
        let others = [
            "suppress-mail",
            "checkpoint-ledger",
            "report-accounts",
            "report-partners",
            "rollup",
            "run-due-work",
            "sample-erasures",
            "sample-figures",
        ];
        let consumes = matches!(function.entry, Entry::Event(_)) && !others.contains(&function.name);
        let named = consumers.iter().any(|(name, _)| *name == function.name);
        assert_eq!(consumes, named, "{}", function.name);
    }
    consumers
}

#[tokio::test]
async fn an_event_that_can_not_be_read_is_an_error_and_changes_nothing() {
    let world = with_rules().await;
    let spoilings: [Spoiling; 7] = [
        ("no id", |event| {
            drop(event["detail"].as_object_mut().unwrap().remove("id"));
        }),
        ("an id that is not text", |event| {
            event["detail"]["id"] = json!(7);
        }),
        ("an unknown kind", |event| {
            event["detail-type"] = json!("SomethingElse");
        }),
        ("no kind", |event| {
            drop(event.as_object_mut().unwrap().remove("detail-type"));
        }),
        ("no client and no reseller", |event| {
            let detail = event["detail"].as_object_mut().unwrap();
            detail.retain(|name, _| name == "id" || name == "origin");
        }),
        ("an invalid refid", |event| {
            for name in ["client", "reseller", "key"] {
                if event["detail"][name].is_string() {
                    event["detail"][name] = json!("somebody");
                }
            }
        }),
        ("a detail that is not an object", |event| {
            event["detail"] = json!("text");
        }),
    ];
    let consumers = readable(&world).await;
    let mails = world.mails().await.len();
    let without_claims = async || {
        let mut items = world.state().await;
        items.retain(|item| item["kind"]["S"] != "claim");
        items
    };
    let before = without_claims().await;
    for (name, event) in &consumers {
        for (what, spoil) in &spoilings {
            let mut spoilt = event.clone();
            spoil(&mut spoilt);
            let done = handle(own(&world, name), name, spoilt).await;
            assert!(done.is_err(), "{name} with {what}");
        }
    }
    assert_eq!(world.mails().await.len(), mails);
    assert_eq!(without_claims().await, before);
    for (name, event) in consumers {
        let kind = event["detail-type"].clone();
        assert_eq!(handle(own(&world, name), name, event).await, Ok(()), "{name} must take {kind}");
    }
}

#[tokio::test]
async fn what_a_function_does_not_take_is_kept_whole() {
    let world = with_rules().await;
    let clock = world.system().clock().clone();
    let now: purser_local::Now = Arc::new(move || clock.timestamp());
    let letters = DeadLetters::open(None, now.clone()).unwrap();
    let rules = functions::rules(&system::template().unwrap(), "Bus").unwrap();
    let bus = Bus::new(rules, now, letters.clone(), 2);
    bus.set_target(functions::target(world.system().apps()));
    let details = [
        ("ClientCreated", json!({"origin": "api", "client": "CL-0000000000000000"})),
        ("CreditsRanLow", json!({"id": "low", "origin": "api", "reseller": 7})),
    ];
    let entry = |(kind, detail): &(&str, Value)| {
        let detail = detail.to_string();
        json!({"Source": "purser", "DetailType": kind, "Detail": detail, "EventBusName": "Bus"})
    };
    let entries: Vec<Value> = details.iter().map(entry).collect();
    let request = Request::post("/").header("x-amz-target", "AWSEvents.PutEvents");
    let request = request.body(Body::from(json!({"Entries": entries}).to_string())).unwrap();
    assert_eq!(bus.service().oneshot(request).await.unwrap().status(), 200);
    bus.idle().await;
    let mut kept: Vec<(String, Value, Value)> = letters
        .all()
        .into_iter()
        .map(|letter| {
            let work = letter.work;
            (letter.function, work["detail-type"].clone(), work["detail"].clone())
        })
        .collect();
    kept.sort_by_key(|(function, kind, _)| (kind.to_string(), function.clone()));
    let expected = [
        ("bind-client", &details[0]),
        ("link-licences", &details[0]),
        ("notify", &details[0]),
        ("hold-provisioning", &details[1]),
        ("notify", &details[1]),
    ];
    let expected = expected.map(|(name, (kind, detail))| (name.to_owned(), json!(kind), detail.clone()));
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn a_client_that_an_operator_released_is_not_bound_again_by_a_repeat() {
    let world = with_rules().await;
    let partner = world.partner("standard", 10_000).await;
    let (user, email) = world.login(true).await;
    let clients = json!([{"name": "Acme", "email": email}, world.new_client()]);
    let order = json!({"product": world.product(10).await, "clients": clients});
    let made = partner.caller.post_once("/v1/provisions/bulk", "k", &order).await.expect(201);
    let refid = made.json["results"][0]["client"]["refid"].clone();
    let path = format!("/v1/clients/{}", refid.as_str().unwrap());
    let told = world.events().await;
    let created = told
        .iter()
        .find(|event| event["detail-type"] == "ClientCreated" && event["detail"]["client"] == refid)
        .unwrap();
    assert_eq!(world.operator.get(&path).await.text("user"), user);
    let release = json!({"user": null});
    let _released = world.operator.patch(&path, &release).await.expect(200);
    let app = own(&world, "bind-client");
    assert_eq!(handle(app, "bind-client", created.clone()).await, Ok(()));
    let client = world.operator.get(&path).await.expect(200);
    assert_eq!(client.json["user"], Value::Null);
}

/// The event `id`, which says that the reseller's credits ran low.
fn low(reseller: &str, id: &str) -> Value {
    let detail = json!({"id": id, "origin": "api", "reseller": reseller, "balance": 1, "threshold": 2});
    event("CreditsRanLow", &detail)
}

#[tokio::test]
async fn who_dies_between_act_and_settling_is_waited_for_and_then_followed() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let script = Script::default();
    // The claim is taken and the e-mail is sent, but the call that settles the claim never succeeds.
    script.then(1, "UpdateItem", &Fault::Spared);
    script.then(10_000, "UpdateItem", &Fault::LostCall);
    let dying = world.app_over("notify", &script).await;
    let event = || low(&partner.refid, "one");
    let first = event();
    let run = tokio::spawn(async move { handle(&dying, "notify", first).await });
    while world.mails().await.is_empty() {
        tokio::task::yield_now().await;
    }
    run.abort();
    assert!(run.await.is_err(), "the run must have been aborted");
    let app = own(&world, "notify");
    assert!(handle(app, "notify", event()).await.is_err(), "the dead run's lease has not ended");
    assert_eq!(world.mails().await.len(), 1);
    world.system().clock().advance(SignedDuration::from_secs(61));
    for _ in 0..2 {
        assert_eq!(handle(app, "notify", event()).await, Ok(()));
        assert_eq!(world.mails().await.len(), 2, "the event must be acted on once more, and then be settled");
    }
}

#[tokio::test]
async fn a_lost_answer_on_the_way_neither_doubles_a_mail_nor_loses_it() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    for (mails, id, spared) in [(1, "claim", 0), (2, "settle", 1)] {
        let script = Script::default();
        script.then(spared, "UpdateItem", &Fault::Spared);
        script.then(1, "UpdateItem", &Fault::LostAnswer);
        let app = world.app_over("notify", &script).await;
        for _ in 0..2 {
            assert_eq!(handle(&app, "notify", low(&partner.refid, id)).await, Ok(()), "{id}");
            assert_eq!(world.mails().await.len(), mails, "{id}");
        }
        assert!(script.is_played(), "{id}");
    }
}

#[tokio::test]
async fn a_table_or_a_mail_that_fails_is_an_error_and_the_next_delivery_acts() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    let throttled = Fault::Answer(400, throttled.to_string());
    let faults = [
        ("UpdateItem", Fault::LostCall),
        ("GetItem", Fault::LostCall),
        ("GetItem", throttled.clone()),
        (SEND_EMAIL, Fault::LostCall),
        (SEND_EMAIL, throttled),
    ];
    for (number, (operation, fault)) in faults.into_iter().enumerate() {
        let script = Script::default();
        script.then(SDK_TRIES, operation, &fault);
        let failing = world.app_over("notify", &script).await;
        let event = || low(&partner.refid, &number.to_string());
        assert!(handle(&failing, "notify", event()).await.is_err(), "{operation} {fault:?}");
        assert_eq!(world.mails().await.len(), number, "{operation} {fault:?}");
        let app = own(&world, "notify");
        assert_eq!(handle(app, "notify", event()).await, Ok(()), "{operation} {fault:?}");
        assert_eq!(world.mails().await.len(), number + 1, "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_mail_is_noted_as_sent_though_the_table_is_busy_for_a_while() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    let script = Script::default();
    script.then(1, "UpdateItem", &Fault::Spared);
    script.then(2 * SDK_TRIES, "UpdateItem", &Fault::Answer(400, throttled.to_string()));
    let app = world.app_over("notify", &script).await;
    for _ in 0..2 {
        assert_eq!(handle(&app, "notify", low(&partner.refid, "busy")).await, Ok(()));
        assert_eq!(world.mails().await.len(), 1);
    }
    assert!(script.is_played());
}

#[tokio::test]
async fn a_claim_given_back_too_late_does_not_undo_what_was_done_since() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let script = Script::default();
    script.then(SDK_TRIES, SEND_EMAIL, &Fault::LostCall);
    let failing = world.app_over("notify", &script).await;
    let event = || low(&partner.refid, "late");
    assert!(handle(&failing, "notify", event()).await.is_err());
    let released = script.calls("UpdateItem").pop().unwrap();
    let app = own(&world, "notify");
    assert_eq!(handle(app, "notify", event()).await, Ok(()));
    // The call that released the claim arrives once more, after another delivery has acted.
    let late = serde_json::from_slice(&released).unwrap();
    let refused = world.system().dynamo().database().update_item(late);
    assert!(refused.is_err());
    assert_eq!(handle(app, "notify", event()).await, Ok(()));
    assert_eq!(world.mails().await.len(), 1);
}
