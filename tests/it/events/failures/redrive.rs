//! `/_local/dead-letters/redrive` hands the work in the dead letters to its functions again.

use std::path::Path;

use purser_tests::prelude::*;

async fn in_folder(folder: &Path) -> World {
    World::with(Some(folder.to_owned()), &[]).await
}

/// Redrives everything; returns how many letters were redriven and how many are left.
async fn redrive(world: &World) -> (u64, u64) {
    let path = "/_local/dead-letters/redrive";
    let answer = world.nobody().post(path, &Value::Null).await.expect(200);
    (answer.number("redriven"), answer.number("left"))
}

async fn kept(world: &World) -> Vec<(String, Value)> {
    let answer = world.nobody().get("/_local/dead-letters").await.expect(200);
    let letters = answer.json["data"].as_array().unwrap().iter();
    let letter = |it: &Value| (it["function"].as_str().unwrap().to_owned(), it["work"].clone());
    letters.map(letter).collect()
}

fn letter(function: &str, work: &Value) -> Value {
    json!({"at": "2026-01-01T00:00:00Z", "function": function, "reason": "no", "work": work})
}

#[tokio::test]
async fn what_succeeds_now_leaves_and_what_fails_stays() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let world = in_folder(&folder).await;
    let partner = world.partner("standard", 0).await;
    let _client = world.client(&partner).await;
    assert_eq!(redrive(&world).await, (0, 0));
    assert_eq!(world.mails().await.len(), 1);
    let mut records = world.stream_records();
    records.retain(|record| record["dynamodb"]["NewImage"]["kind"]["S"] == "client");
    let record = records.pop().unwrap();
    let mut poison = record.clone();
    poison["dynamodb"]["NewImage"] = json!({"kind": {"S": "client"}, "doc": {"S": "nonsense"}});
    let mut low = world.events().await.pop().unwrap();
    low["detail-type"] = json!("CreditsRanLow");
    low["detail"] = json!({"id": "low", "reseller": partner.refid, "balance": 1, "threshold": 2});
    let mut nameless = low.clone();
    nameless["detail"]["id"] = Value::Null;
    world.end().await;

    let letters = [
        letter("relay", &record),
        letter("relay", &poison),
        letter("notify", &low),
        letter("notify", &low),
        letter("notify", &nameless),
        letter("a-function-of-old", &low),
    ];
    let lines = letters.map(|letter| format!("{letter}\n")).concat();
    std::fs::write(folder.join("dead-letters.jsonl"), lines).unwrap();
    let world = in_folder(&folder).await;
    let told = world.events().await.len();
    assert_eq!(redrive(&world).await, (3, 3));
    assert_eq!(world.events().await.len(), told + 1, "the event of the readable record must be published");
    assert_eq!(world.mails().await.len(), 2, "an event that was kept twice must be mailed once");
    let expected = [("a-function-of-old", low), ("notify", nameless), ("relay", poison)];
    let expected = expected.map(|(function, work)| (function.to_owned(), work));
    assert_eq!(kept(&world).await, expected);
    world.end().await;

    let world = in_folder(&folder).await;
    assert_eq!(kept(&world).await, expected, "dead letters must outlive the process");
    let answer = world.nobody().get("/_local/dead-letters").await.expect(200);
    let reasons: Vec<_> = answer.json["data"].as_array().unwrap().iter().map(|it| &it["reason"]).collect();
    let why =
        ["a-function-of-old takes no events", "the event has no id", "named by the function in batchItemFailures"];
    assert_eq!(reasons, why);
    assert_eq!(redrive(&world).await, (0, 3));
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_kept_whole_and_those_around_it_are_told() {
    let world = World::new().await;
    let create = async || {
        let new = world.new_client();
        let _client = world.operator.post("/v1/clients", &new).await.expect(201);
    };
    create().await;
    let poison = json!({
        "pk": {"S": "CL#CL-0000000000000000"}, "sk": {"S": "."}, "kind": {"S": "client"}, "doc": {"S": "nonsense"},
    });
    world.put_all(std::slice::from_ref(&poison));
    create().await;
    assert_eq!(world.events().await.len(), 2);
    let letters = kept(&world).await;
    // Each function that reads the stream keeps the record for itself.
    let mut functions: Vec<&str> = letters.iter().map(|(function, _)| function.as_str()).collect();
    functions.sort_unstable();
    assert_eq!(functions, ["project-timeline", "relay"]);
    for (_, record) in &letters {
        assert_eq!(record["dynamodb"]["NewImage"], poison);
        let same = world.stream_records().contains(record);
        assert!(same, "the record must be kept as it was");
    }
    assert_eq!(redrive(&world).await, (0, 2));
}
