//! Order, retries and giving up, and what remains after a crash or a stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use super::*;
use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::dynamo::Storage;
use crate::cloud::pattern::Pattern;
use crate::template::TableSpec;

type Answer = Result<Value, String>;
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

fn now() -> crate::Now {
    Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap())
}

fn table() -> Dynamo {
    let spec = TableSpec {
        logical_id: "Table".to_owned(),
        create: json!({
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
        ttl_attribute: None,
    };
    Dynamo::open(Storage::Memory, &spec, "stream-tests", now()).unwrap()
}

fn put(database: &Database, key: &str) {
    let item = json!({"pk": {"S": key}, "secret": {"S": "image"}});
    let request = json!({"TableName": "stream-tests", "Item": item});
    database.put_item(serde_json::from_value(request).unwrap()).unwrap();
}

fn keys(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().unwrap();
    let key = |it: &Value| it["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
    records.iter().map(key).collect()
}

/// Batches of up to `batch_size` records, which are split after a failure and retried five times.
fn batches_of(batch_size: usize) -> StreamSpec {
    StreamSpec { batch_size, bisects: true, retries: Some(5), reports: true, filters: Vec::new() }
}

/// A consumer that records the keys of every call and returns the result of `answer`, which gets the number of the
/// call, from 1, and the event.
fn consumer(spec: StreamSpec, answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> (Consumer, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let handler: Handler = Arc::new(move |event: Value| {
        let mut noted = noted.lock().unwrap();
        noted.push(keys(&event));
        let answer = answer(noted.len(), &event);
        Box::pin(async move { answer })
    });
    let function = "relay".to_owned();
    let consumer = Consumer { function, spec, handler };
    (consumer, seen)
}

fn at_once() -> Drained {
    Arc::new(|| Box::pin(async {}))
}

fn start(reader: StreamReader, consumer: Consumer) -> Pump {
    let dead_letters = DeadLetters::open(None, now()).unwrap();
    reader.pump(vec![consumer], at_once(), dead_letters)
}

#[tokio::test(start_paused = true)]
async fn records_come_in_order_and_a_restart_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = table();
    for key in ["a", "b", "c"] {
        put(dynamo.database(), key);
    }
    let (relay, seen) = consumer(batches_of(2), |_, _| Ok(Value::Null));
    let reader = StreamReader::open(&dynamo, Some(folder.path())).unwrap();
    let pump = start(reader, relay);
    pump.settled().await;
    pump.shutdown().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a", "b"], vec!["c"]]);

    put(dynamo.database(), "d");
    let (relay, seen) = consumer(batches_of(2), |_, _| Ok(json!({"batchItemFailures": []})));
    let reader = StreamReader::open(&dynamo, Some(folder.path())).unwrap();
    let pump = start(reader, relay);
    pump.settled().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["d"]]);
    pump.shutdown().await;
    pump.settled().await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_and_soon_after_a_batch_is_handed_over_together() {
    let millis = std::time::Duration::from_millis;
    let dynamo = table();
    let (mut relay, seen) = consumer(batches_of(10), |_, _| Ok(Value::Null));
    let quick = Arc::clone(&relay.handler);
    relay.handler = Arc::new(move |event| {
        let handled = quick(event);
        Box::pin(async move {
            tokio::time::sleep(millis(5)).await;
            handled.await
        })
    });
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    put(dynamo.database(), "a");
    tokio::time::sleep(millis(21)).await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a"]]);
    put(dynamo.database(), "during");
    tokio::time::sleep(millis(6)).await;
    put(dynamo.database(), "after");
    tokio::time::sleep(millis(25)).await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a"], vec!["during", "after"]]);
    // Nobody who waits has to wait for that.
    put(dynamo.database(), "waited for");
    let asked = tokio::time::Instant::now();
    pump.settled().await;
    assert!(asked.elapsed() <= millis(6), "{:?}", asked.elapsed());
    assert_eq!(seen.lock().unwrap().concat(), ["a", "during", "after", "waited for"]);
}

#[tokio::test(start_paused = true)]
async fn what_filters_leave_out_is_not_handed_over() {
    let dynamo = table();
    for key in ["a", "b", "a", "c"] {
        put(dynamo.database(), key);
    }
    let filter = json!({"dynamodb": {"Keys": {"pk": {"S": ["a", "c"]}}}});
    let spec = StreamSpec { filters: vec![Pattern::parse(&filter).unwrap()], ..batches_of(10) };
    let (relay, seen) = consumer(spec, |_, _| Ok(Value::Null));
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    pump.shutdown().await;
    assert_eq!(seen.lock().unwrap().concat(), ["a", "a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_named_record_is_where_the_next_try_begins() {
    let dynamo = table();
    for key in ["a", "b", "c"] {
        put(dynamo.database(), key);
    }
    let (relay, seen) = consumer(batches_of(10), |call, event| {
        let last = &event["Records"].as_array().unwrap()[1];
        let failed = json!({"itemIdentifier": last["dynamodb"]["SequenceNumber"]});
        let failures = if call == 1 { vec![failed] } else { vec![] };
        Ok(json!({"batchItemFailures": failures}))
    });
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a", "b", "c"], vec!["b", "c"]]);
    assert!(pump.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_always_fails_is_isolated_kept_whole_and_passed() {
    let dynamo = table();
    for key in ["a", "b", "bad", "d"] {
        put(dynamo.database(), key);
    }
    let (relay, seen) = consumer(batches_of(10), |_, event| {
        if keys(event).iter().any(|it| it == "bad") {
            return Err("cannot".to_owned());
        }
        Ok(Value::Null)
    });
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    let mut expected = vec![vec!["a", "b", "bad", "d"], vec!["a", "b"], vec!["bad", "d"]];
    // Splitting is not counted as a try: the first call and five retries.
    expected.extend([["bad"]; 6].map(Vec::from));
    expected.push(vec!["d"]);
    assert_eq!(*seen.lock().unwrap(), expected);
    let [letter] = pump.dead_letters().try_into().unwrap();
    assert_eq!((letter.function.as_str(), letter.reason.as_str()), ("relay", "cannot"));
    assert_eq!(letter.work["dynamodb"]["NewImage"]["secret"]["S"], "image");
}

/// A consumer that reports the first record with the key `bad` as failed.
fn names_bad(spec: StreamSpec) -> (Consumer, Seen) {
    consumer(spec, |_, event| {
        let records = event["Records"].as_array().unwrap();
        let bad = records.iter().find(|it| it["dynamodb"]["Keys"]["pk"]["S"] == "bad");
        let failed = bad.map(|it| json!({"itemIdentifier": it["dynamodb"]["SequenceNumber"]}));
        Ok(json!({"batchItemFailures": failed.into_iter().collect::<Vec<_>>()}))
    })
}

#[tokio::test(start_paused = true)]
async fn a_named_record_ends_up_alone_and_those_behind_it_go_on() {
    let dynamo = table();
    for key in ["a", "bad", "c", "d"] {
        put(dynamo.database(), key);
    }
    let (relay, seen) = names_bad(batches_of(10));
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    let mut expected = vec![vec!["a", "bad", "c", "d"], vec!["bad", "c", "d"], vec!["bad", "c"]];
    expected.extend([["bad"]; 6].map(Vec::from));
    expected.extend([vec!["c"], vec!["d"]]);
    assert_eq!(*seen.lock().unwrap(), expected);
    let letters = pump.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].work["dynamodb"]["Keys"]["pk"]["S"], "bad");
}

#[tokio::test(start_paused = true)]
async fn without_splitting_all_that_is_left_of_the_batch_is_given_up_on() {
    let dynamo = table();
    for key in ["a", "bad", "c", "d"] {
        put(dynamo.database(), key);
    }
    let spec = StreamSpec { bisects: false, retries: Some(2), ..batches_of(3) };
    let (relay, seen) = names_bad(spec);
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    let expected = [vec!["a", "bad", "c"], vec!["bad", "c"], vec!["bad", "c"], vec!["d"]];
    assert_eq!(*seen.lock().unwrap(), expected);
    let letters = pump.dead_letters();
    let given_up = letters.iter().map(|it| it.work["dynamodb"]["Keys"]["pk"]["S"].as_str());
    assert_eq!(given_up.collect::<Vec<_>>(), [Some("bad"), Some("c")]);
}

#[tokio::test(start_paused = true)]
async fn what_a_function_names_counts_only_where_the_template_says_that_it_reports() {
    let dynamo = table();
    put(dynamo.database(), "bad");
    let spec = StreamSpec { reports: false, filters: Vec::new(), ..batches_of(3) };
    let (relay, seen) = names_bad(spec);
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    assert_eq!(*seen.lock().unwrap(), [["bad"]]);
    assert!(pump.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_an_answer_that_names_nothing_are_failed_calls() {
    let dynamo = table();
    put(dynamo.database(), "a");
    let (relay, seen) = consumer(batches_of(1), |call, _| match call {
        2 => Ok(json!({"batchItemFailures": [{"itemIdentifier": "elsewhere"}]})),
        _ => Ok(Value::Null),
    });
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = relay.handler.clone();
    let handler: Handler = Arc::new(move |event| {
        let (call, answer) = (calls.fetch_add(1, Ordering::Relaxed), inner(event));
        Box::pin(async move {
            assert!(call > 0, "the first call fails");
            answer.await
        })
    });
    let relay = Consumer { handler, ..relay };
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    assert_eq!(seen.lock().unwrap().len(), 3);
    assert!(pump.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_not_drained_when_the_process_ended_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = table();
    put(dynamo.database(), "a");
    let (relay, _) = consumer(batches_of(10), |_, _| Ok(Value::Null));
    let (draining, mut drains) = tokio::sync::mpsc::unbounded_channel();
    let never: Drained = Arc::new(move || {
        draining.send(()).unwrap();
        Box::pin(std::future::pending())
    });
    let dead_letters = DeadLetters::open(None, now()).unwrap();
    let pump = StreamReader::open(&dynamo, Some(folder.path())).unwrap().pump(vec![relay], never, dead_letters);
    drains.recv().await.unwrap();
    assert_eq!(saved_position(folder.path()), None);
    pump.shutdown().await;
    assert_eq!(saved_position(folder.path()), None);

    let (relay, seen) = consumer(batches_of(10), |_, _| Ok(Value::Null));
    let pump = start(StreamReader::open(&dynamo, Some(folder.path())).unwrap(), relay);
    pump.settled().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a"]]);
    assert!(saved_position(folder.path()).is_some());
}

#[tokio::test(start_paused = true)]
async fn settled_includes_what_draining_wrote() {
    let dynamo = table();
    put(dynamo.database(), "a");
    let (relay, seen) = consumer(batches_of(10), |_, _| Ok(Value::Null));
    let database = dynamo.database().clone();
    let drains = AtomicUsize::new(0);
    let writing: Drained = Arc::new(move || {
        // Twice: once after the batch, and once after the stream looked empty.
        let drain = drains.fetch_add(1, Ordering::Relaxed);
        if drain < 2 {
            put(&database, ["b", "c"][drain]);
        }
        Box::pin(async {})
    });
    let dead_letters = DeadLetters::open(None, now()).unwrap();
    let pump = StreamReader::open(&dynamo, None).unwrap().pump(vec![relay], writing, dead_letters);
    pump.settled().await;
    assert_eq!(*seen.lock().unwrap(), [["a"], ["b"], ["c"]]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_retries() {
    let dynamo = table();
    put(dynamo.database(), "a");
    let (called, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let forever = StreamSpec { retries: None, ..batches_of(10) };
    let (relay, _) = consumer(forever, move |_, _| {
        called.send(()).unwrap();
        Err("never".to_owned())
    });
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    calls.recv().await.unwrap();
    pump.shutdown().await;
    assert!(pump.dead_letters().is_empty());
}

#[tokio::test]
async fn a_pump_that_nobody_holds_any_more_ends() {
    let dynamo = table();
    let (relay, seen) = consumer(batches_of(10), |_, _| Ok(json!({})));
    let pump = start(StreamReader::open(&dynamo, None).unwrap(), relay);
    pump.settled().await;
    drop(pump);
    // The task holds the consumer, and so `seen`, until it ends.
    let ended = async {
        while Arc::strong_count(&seen) > 1 {
            tokio::task::yield_now().await;
        }
    };
    let soon = std::time::Duration::from_secs(5);
    tokio::time::timeout(soon, ended).await.unwrap();
}
