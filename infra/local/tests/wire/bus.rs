//! Events over the wire: which functions get them, which are refused and which are given up on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use purser_local::Target;
use purser_local::cloud::bus::{Bus, On, Rule};
use purser_local::cloud::inside::Services;
use purser_local::cloud::pattern::Pattern;
use serde_json::{Value, json};

use crate::{none_dead, now, reaching};

fn entry(kind: &str, detail: &str) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder().source("purser").detail_type(kind).detail(detail).event_bus_name("purser").build()
}

fn rule(function: &str, pattern: &Value) -> Rule {
    Rule { on: On::Own, function: function.to_owned(), pattern: Pattern::parse(pattern).unwrap() }
}

/// A client of the bus, which it reaches as long as the services are kept.
async fn client(bus: &Bus) -> (aws_sdk_eventbridge::Client, Arc<Services>) {
    let services = Arc::new(Services { bus: bus.service(), ..Services::default() });
    (aws_sdk_eventbridge::Client::new(&reaching(&services).await), services)
}

/// The calls of a target, sorted by function and kind of event.
fn sorted(calls: &Mutex<Vec<(String, Value)>>) -> Vec<(String, Value)> {
    let mut calls = calls.lock().unwrap().clone();
    calls.sort_by_key(|(function, event)| (function.clone(), event["detail-type"].to_string()));
    calls
}

const TRIES: u32 = 5;

#[tokio::test]
async fn events_reach_the_functions_whose_rules_match() {
    let low = json!({"source": ["purser"], "detail": {"low": [true]}});
    let credits = json!({"detail-type": [{"prefix": "Credits"}]});
    let rules = vec![rule("notify", &low), rule("audit", &credits)];
    let bus = Bus::new(rules, now(), none_dead(), TRIES);
    let (client, _services) = client(&bus).await;
    let answer = client
        .put_events()
        .entries(entry("CreditsRanLow", r#"{"low": true}"#))
        .entries(entry("CreditsAdded", "{}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.failed_entry_count(), 0);

    // The events wait for the target, which is set only now; its first call fails.
    let calls = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&calls);
    let tries = AtomicUsize::new(0);
    bus.set_target(Arc::new(move |function, event: Value| {
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            return Box::pin(async { Err("once".to_owned()) });
        }
        taken.lock().unwrap().push((function, event));
        Box::pin(async { Ok(()) })
    }));
    bus.idle().await;
    let calls = sorted(&calls);
    let names: Vec<_> =
        calls.iter().map(|(function, event)| (function.as_str(), event["detail-type"].as_str().unwrap())).collect();
    let expected = [("audit", "CreditsAdded"), ("audit", "CreditsRanLow"), ("notify", "CreditsRanLow")];
    assert_eq!(names, expected);
    let id = answer.entries()[0].event_id().unwrap();
    let envelope = json!({
        "version": "0", "id": id, "detail-type": "CreditsRanLow", "source": "purser",
        "account": "000000000000", "time": "2023-11-14T22:13:20Z", "region": "eu-central-1",
        "resources": [], "detail": {"low": true},
    });
    assert_eq!(calls[2].1, envelope);
    bus.shutdown().await;
}

#[tokio::test]
async fn an_entry_that_lacks_something_fails_alone() {
    let bus = Bus::new(Vec::new(), now(), none_dead(), TRIES);
    let bare = PutEventsRequestEntry::builder().source("purser").build();
    let entries = vec![entry("Fine", "{}"), entry("Broken", "{"), entry("Broken", "[]"), bare];
    let (client, _services) = client(&bus).await;
    let request = client.put_events().set_entries(Some(entries));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.failed_entry_count(), 3);
    let codes = answer.entries().iter().map(|it| it.error_code());
    let malformed = Some("MalformedDetail");
    let expected = [None, malformed, malformed, Some("InvalidArgument")];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_bus_keeps_the_limits_of_a_request() {
    let bus = Bus::new(Vec::new(), now(), none_dead(), TRIES);
    let (client, _services) = client(&bus).await;
    let long = format!(r#"{{"x": "{}"}}"#, "y".repeat(128 * 1024));
    let requests =
        [(0..11).map(|_| entry("Many", "{}")).collect(), vec![], vec![entry("Long", &long), entry("Long", &long)]];
    for entries in requests {
        let answer = client.put_events().set_entries(Some(entries)).send().await;
        let error = answer.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some("ValidationException"), "{error:?}");
    }
    let other = client.list_rules().send().await.unwrap_err();
    let other = other.into_service_error();
    assert_eq!(other.meta().code(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn an_event_nobody_takes_is_kept() {
    let dead_letters = none_dead();
    let rules = vec![rule("notify", &json!({"source": ["purser"]}))];
    let bus = Bus::new(rules, now(), dead_letters.clone(), TRIES);
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let target: Target = Arc::new(move |_, _| {
        let attempt = counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            assert!(attempt > 0, "the first try fails");
            Err("no".to_owned())
        })
    });
    bus.set_target(target);
    let (client, _services) = client(&bus).await;
    let answer = client.put_events().entries(entry("X", r#"{"a": 1}"#));
    answer.send().await.unwrap();
    bus.idle().await;
    assert_eq!(tries.load(Ordering::Relaxed), 5);
    let [letter] = dead_letters.all().try_into().unwrap();
    assert_eq!((letter.function.as_str(), letter.reason.as_str()), ("notify", "no"));
    assert_eq!(letter.work["detail"], json!({"a": 1}));
}
