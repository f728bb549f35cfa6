//! The relay: which records it reports as failed when the bus refuses an event or a record can't be read. No event is
//! lost.

use aws_lambda_events::dynamodb::Event;
use purser_tests::faults::{Fault, SDK_TRIES, Script};
use purser_tests::prelude::*;

use super::Spoiling;

async fn with_clients(count: usize) -> (World, Vec<Value>) {
    let world = World::new().await;
    for _ in 0..count {
        let new = world.new_client();
        let _client = world.operator.post("/v1/clients", &new).await.expect(201);
    }
    assert_eq!(world.events().await.len(), count, "one event must be published for each client");
    let records = world.stream_records();
    (world, records)
}

fn places(records: &[Value]) -> Vec<usize> {
    let client = |record: &Value| record["dynamodb"]["NewImage"]["kind"]["S"] == "client";
    (0..records.len()).filter(|place| client(&records[*place])).collect()
}

fn sequence_number(record: &Value) -> Option<String> {
    record["dynamodb"]["SequenceNumber"].as_str().map(ToOwned::to_owned)
}

/// Gives records to the relay as Lambda does; returns the sequence numbers that it reports as failed.
async fn relay(world: &World, script: &Script, records: &[Value]) -> Vec<Option<String>> {
    let event: Event = serde_json::from_value(json!({"Records": records})).unwrap();
    let response = purser_api::events::stream::relay::relay(world.app_over("relay", script).await, event).await;
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

/// The ids of the events that were published after the first `before`, oldest first.
async fn told_since(world: &World, before: usize) -> Vec<String> {
    let mut events = world.events().await;
    events.truncate(events.len() - before);
    events.reverse();
    let id = |event: &Value| event["detail"]["id"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}

/// The bus's answer to `count` events if those at the indexes in `failed` fail.
fn failed_entries(count: usize, failed: &[usize]) -> Fault {
    let entry = |place| {
        if failed.contains(&place) {
            json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"})
        } else {
            json!({"EventId": format!("e-{place}")})
        }
    };
    let entries: Vec<Value> = (0..count).map(entry).collect();
    let body = json!({"FailedEntryCount": failed.len(), "Entries": entries});
    Fault::Answer(200, body.to_string())
}

#[tokio::test]
async fn the_record_of_the_first_entry_that_failed_is_reported_and_nothing_is_lost() {
    let (world, records) = with_clients(12).await;
    let clients = places(&records);
    let told: Vec<String> = told_since(&world, 0).await;
    let script = Script::default();
    script.then(1, "PutEvents", &failed_entries(10, &[3, 7]));
    let reported = relay(&world, &script, &records).await;
    assert_eq!(reported, [sequence_number(&records[clients[3]])]);
    assert_eq!(script.calls("PutEvents").len(), 1, "events after a failed one must not be sent");
    assert_eq!(told_since(&world, 12).await, Vec::<String>::new());

    let again = relay(&world, &script, &records[clients[3]..]).await;
    assert_eq!(again, Vec::new());
    assert_eq!(told_since(&world, 12).await, told[3..]);
}

#[tokio::test]
async fn a_bus_that_can_not_be_told_is_tried_again_from_the_first_event_it_did_not_get() {
    let refused = |status, kind: &str| {
        let body = json!({"__type": kind, "message": "no"});
        Fault::Answer(status, body.to_string())
    };
    let (world, records) = with_clients(12).await;
    let clients = places(&records);
    let told = told_since(&world, 0).await;
    let mut before = 12;
    for (tries, fault) in [
        (SDK_TRIES, Fault::LostCall),
        (SDK_TRIES, refused(400, "ThrottlingException")),
        (SDK_TRIES, refused(500, "InternalException")),
        (1, refused(400, "ResourceNotFoundException")),
        (1, refused(400, "AccessDeniedException")),
        // The answer says that one entry failed, but not which.
        (1, Fault::Answer(200, json!({"FailedEntryCount": 1, "Entries": []}).to_string())),
    ] {
        let script = Script::default();
        script.then(1, "PutEvents", &Fault::Spared);
        script.then(tries, "PutEvents", &fault);
        let reported = relay(&world, &script, &records).await;
        assert_eq!(reported, [sequence_number(&records[clients[10]])], "{fault:?}");
        assert!(script.is_played(), "{fault:?}");
        assert_eq!(told_since(&world, before).await, told[..10], "{fault:?}");

        let again = relay(&world, &script, &records[clients[10]..]).await;
        assert_eq!(again, Vec::new(), "{fault:?}");
        assert_eq!(told_since(&world, before + 10).await, told[10..], "{fault:?}");
        before += 12;
    }
    assert_eq!(world.mails().await.len(), 12, "published seven times, each event must be mailed once");
}

#[tokio::test]
async fn a_passing_fault_of_the_bus_is_nobodys_business() {
    let (world, records) = with_clients(1).await;
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    for (fault, tellings) in
        [(Fault::Answer(400, throttled.to_string()), 1), (Fault::LostCall, 1), (Fault::LostAnswer, 2)]
    {
        let before = world.events().await.len();
        let script = Script::default();
        script.then(1, "PutEvents", &fault);
        assert_eq!(relay(&world, &script, &records).await, Vec::new(), "{fault:?}");
        assert_eq!(told_since(&world, before).await.len(), tellings, "{fault:?}");
        assert_eq!(world.mails().await.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_reported_alone() {
    let (world, records) = with_clients(3).await;
    let clients = places(&records);
    let told = told_since(&world, 0).await;
    let poisons: [Spoiling; 3] = [
        ("no entity", |image| image["doc"] = json!({"S": "nonsense"})),
        ("an unknown status", |image| {
            image["doc"]["M"]["status"] = json!({"S": "gone"});
        }),
        ("no stamp", |image| {
            image.as_object_mut().unwrap().remove("by");
        }),
    ];
    let mut before = 3;
    for (what, poison) in poisons {
        let mut records = records.clone();
        poison(&mut records[clients[1]]["dynamodb"]["NewImage"]);
        let reported = relay(&world, &Script::default(), &records).await;
        assert_eq!(reported, [sequence_number(&records[clients[1]])], "{what}");
        assert_eq!(told_since(&world, before).await, told[..1], "{what}");
        let behind = relay(&world, &Script::default(), &records[clients[1] + 1..]).await;
        assert_eq!(behind, Vec::new(), "{what}");
        assert_eq!(told_since(&world, before + 1).await, told[2..], "{what}");
        before += 2;
    }
}

#[tokio::test]
async fn a_refused_event_before_a_record_that_can_not_be_read_is_the_one_reported() {
    let (world, mut records) = with_clients(3).await;
    let clients = places(&records);
    records[clients[2]]["dynamodb"]["NewImage"]["doc"] = json!({"S": "nonsense"});
    let script = Script::default();
    script.then(1, "PutEvents", &failed_entries(2, &[0]));
    let reported = relay(&world, &script, &records).await;
    assert_eq!(reported, [sequence_number(&records[clients[0]])]);
}

#[tokio::test]
async fn what_is_no_change_of_an_entity_is_told_to_nobody_and_is_no_failure() {
    let world = World::new().await;
    let stream = "arn:aws:dynamodb:eu-central-1:111122223333:table/purser-Table-1ABC/stream/2026-01-01T00:00:00.000";
    let record = |name: &str, change: Value| {
        json!({
            "eventID": "c4ca4238a0b923820dcc509a6f75849b", "eventName": name, "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1", "eventSourceARN": stream, "dynamodb": change,
        })
    };
    let change = |key: &str, images: Value| {
        let mut change = json!({
            "ApproximateCreationDateTime": 1_767_225_600.0, "Keys": {"pk": {"S": key}, "sk": {"S": "."}},
            "SequenceNumber": "100000000000000000001", "SizeBytes": 190, "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        change.as_object_mut().unwrap().extend(images.as_object().unwrap().clone());
        change
    };
    let claim = json!({"pk": {"S": "EV#notify#x"}, "sk": {"S": "."}, "kind": {"S": "claim"}, "ttl": {"N": "1"}});
    let mut expired = record("REMOVE", change("EV#notify#x", json!({"OldImage": claim})));
    expired["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    let records = [
        expired,
        record("INSERT", change("EV#notify#x", json!({"NewImage": claim}))),
        record("INSERT", change("XX#1", json!({"NewImage": {"pk": {"S": "XX#1"}, "sk": {"S": "."}}}))),
        record("REMOVE", change("CL#1", json!({"OldImage": {"kind": {"S": "client"}}}))),
    ];
    let script = Script::default();
    assert_eq!(relay(&world, &script, &records).await, Vec::new());
    assert_eq!(relay(&world, &script, &[]).await, Vec::new());
    assert_eq!(script.calls("PutEvents").len(), 0);
}
