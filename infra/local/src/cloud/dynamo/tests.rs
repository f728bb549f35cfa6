//! What opening a table guarantees, what a write costs, and what survives a crash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::StatementStatus;

use super::*;

/// The two statements that the database runs for every write and for every read of the stream, copied from
/// `storage.rs` of dynoxide 3.2.
const NEXT: &str = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 \
    FROM _stream_records WHERE table_name = ?1";
const READ: &str = "SELECT event_name, keys_json, new_image, old_image, sequence_number, \
    created_at, user_identity, event_id
    FROM _stream_records
    WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3
    ORDER BY CAST(sequence_number AS INTEGER) ASC
    LIMIT ?4";

fn spec() -> TableSpec {
    TableSpec {
        logical_id: "Table".to_owned(),
        create: json!({
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "pk", "AttributeType": "S"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{
                "IndexName": "gsi1",
                "KeySchema": [
                    {"AttributeName": "sk", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
        ttl_attribute: Some("ttl".to_owned()),
    }
}

fn clock() -> Now {
    Arc::new(Timestamp::now)
}

fn put(database: &Database, key: &str, ttl: i64) {
    let request = json!({
        "TableName": "purser",
        "Item": {"pk": {"S": key}, "sk": {"S": "-"}, "ttl": {"N": ttl.to_string()}},
    });
    database.put_item(serde_json::from_value(request).unwrap()).unwrap();
}

fn count(database: &Database) -> usize {
    let request = json!({"TableName": "purser", "Select": "COUNT"});
    database.scan(serde_json::from_value(request).unwrap()).unwrap().count
}

fn open(path: &Path, spec: &TableSpec) -> Result<Dynamo, DynamoError> {
    Dynamo::open(Storage::File(path.to_owned()), spec, "purser", clock())
}

fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    for index in 1..=count {
        statement.raw_bind_parameter(index, "1").unwrap();
    }
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get::<_, String>(3).unwrap());
    }
    lines.join("; ")
}

/// How many steps SQLite's virtual machine takes for a statement.
fn steps(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> i32 {
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query(values).unwrap();
    while rows.next().unwrap().is_some() {}
    drop(rows);
    statement.get_status(StatementStatus::VmStep)
}

#[tokio::test]
async fn a_write_costs_the_same_however_long_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sqlite");
    let dynamo = open(&path, &spec()).unwrap();
    let connection = Connection::open(&path).unwrap();
    for sql in [NEXT, READ] {
        let plan = plan(&connection, sql);
        assert!(plan.contains("SEARCH"), "{plan}");
        assert!(plan.contains("purser_stream_by_sequence"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    let shard = dynoxide::streams::shard_id("purser");
    let cost = |last: i64| {
        let write = steps(&connection, NEXT, &[&"purser"]);
        let read = steps(&connection, READ, &[&"purser", &shard, &(last - 10), &5]);
        (write, read)
    };
    let last = || -> i64 {
        connection
            .query_row("SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records", [], |row| row.get(0))
            .unwrap()
    };
    let write = |from: usize, to: usize| {
        (from..to).for_each(|number| put(dynamo.database(), &number.to_string(), 0));
    };
    write(0, 20);
    let early = cost(last());
    write(20, 500);
    assert_eq!(cost(last()), early);
    // Without the index the same search grows with every record.
    connection.execute_batch("DROP INDEX purser_stream_by_sequence").unwrap();
    assert!(cost(last()).0 > 100 * early.0 / 10, "{early:?}");
}

#[tokio::test]
async fn a_table_in_memory_has_the_index_and_the_expiry_too() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let dynamo = Dynamo::open(Storage::Memory, &spec(), "purser", clock()).unwrap();
        assert_eq!(count(dynamo.database()), 0, "copies share nothing");
        put(dynamo.database(), "a", 0);
        let meta = dynamo.database().get_table_metadata("purser").unwrap();
        assert_eq!(meta.unwrap().ttl_attribute.as_deref(), Some("ttl"));
        let copy = folder.path().join("copy.sqlite");
        drop(std::fs::remove_file(&copy));
        dynamo.database().vacuum_into(copy.to_str().unwrap()).unwrap();
        let plan = plan(&Connection::open(&copy).unwrap(), NEXT);
        assert!(plan.contains("purser_stream_by_sequence"), "{plan}");
    }
}

#[tokio::test]
async fn an_acknowledged_write_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sqlite");
    let dynamo = open(&path, &spec()).unwrap();
    let probe = Connection::open(&path).unwrap();
    let mode: String = probe.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    // 2 is FULL, the default that the database leaves alone: every commit is synced to the write-ahead log.
    let synchronous: i64 = probe.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));

    put(dynamo.database(), "a", 0);
    // Copying the open files is like killing the process: nothing is flushed or closed first.
    let after = folder.path().join("after");
    std::fs::create_dir(&after).unwrap();
    for name in ["table.sqlite", "table.sqlite-wal"] {
        std::fs::copy(folder.path().join(name), after.join(name)).unwrap();
    }
    let again = open(&after.join("table.sqlite"), &spec()).unwrap();
    assert_eq!(count(again.database()), 1);
}

#[tokio::test]
async fn another_template_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sqlite");
    drop(open(&path, &spec()).unwrap());
    drop(open(&path, &spec()).unwrap());

    let mut reordered = spec();
    let attributes = &mut reordered.create["AttributeDefinitions"];
    attributes.as_array_mut().unwrap().reverse();
    drop(open(&path, &reordered).unwrap());

    let change = |pointer: &str, value: Value| {
        let mut other = spec();
        *other.create.pointer_mut(pointer).unwrap() = value;
        other
    };
    let mut expiry = spec();
    expiry.ttl_attribute = Some("expires".to_owned());
    let others = [
        change("/GlobalSecondaryIndexes/0/IndexName", json!("gsi2")),
        change("/GlobalSecondaryIndexes/0/Projection/NonKeyAttributes", json!(["a"])),
        change("/GlobalSecondaryIndexes", json!([])),
        change("/StreamSpecification/StreamViewType", json!("KEYS_ONLY")),
        expiry,
    ];
    for other in others {
        let Err(error) = open(&path, &other) else {
            panic!("opened: {other:?}");
        };
        assert!(matches!(error, DynamoError::OtherTable { .. }), "{error}");
        assert!(error.to_string().contains("move its folder away"), "{error}");
    }
}

#[tokio::test]
async fn the_sweep_takes_what_the_turned_clock_says_is_over() {
    let seconds = Arc::new(AtomicI64::new(1_000));
    let turned = Arc::clone(&seconds);
    let now: Now = Arc::new(move || Timestamp::from_second(turned.load(Ordering::Relaxed)).unwrap());
    let dynamo = Dynamo::open(Storage::Memory, &spec(), "purser", now).unwrap();
    put(dynamo.database(), "short", 1_500);
    put(dynamo.database(), "long", 9_000);
    assert_eq!(dynamo.sweep_ttl().await.unwrap(), 0);
    seconds.store(2_000, Ordering::Relaxed);
    assert_eq!(dynamo.sweep_ttl().await.unwrap(), 1);
    assert_eq!(count(dynamo.database()), 1);
}

#[tokio::test]
async fn only_old_and_delivered_records_leave_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sqlite");
    let dynamo = open(&path, &spec()).unwrap();
    for key in ["old and read", "old and last read", "old and unread", "new"] {
        put(dynamo.database(), key, 0);
    }
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE _stream_records SET created_at = created_at - 90000 WHERE id < 4", []).unwrap();
    let left =
        || -> i64 { connection.query_row("SELECT COUNT(*) FROM _stream_records", [], |row| row.get(0)).unwrap() };
    let shard = dynoxide::streams::shard_id("purser");
    let from = dynoxide::actions::get_shard_iterator::encode_shard_iterator("purser", &shard, 0);
    let request = json!({"ShardIterator": from, "Limit": 2});
    let first = dynamo.database().get_records(serde_json::from_value(request).unwrap()).unwrap();
    drop(dynamo);

    drop(open(&path, &spec()).unwrap());
    assert_eq!(left(), 4, "without a saved position nothing counts as delivered");
    let read = &first.records.last().unwrap().dynamodb.sequence_number;
    std::fs::write(folder.path().join("stream-position"), read).unwrap();
    drop(open(&path, &spec()).unwrap());
    assert_eq!(left(), 3, "the last delivered record stays, because the next number follows it");
}

/// The database would keep the token of each transaction for ten minutes and go through all of them at the next one, so
/// that a write would cost the more, the more there were before it. In memory, it does what DynamoDB does.
#[test]
fn a_table_in_a_file_keeps_no_token_of_a_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder.path().join("table.sqlite"), &spec()).unwrap();
    let memory = Dynamo::open(Storage::Memory, &spec(), "purser", clock()).unwrap();
    let count = json!({
        "ClientRequestToken": "the same",
        "TransactItems": [{"Update": {
            "TableName": "purser",
            "Key": {"pk": {"S": "a"}, "sk": {"S": "-"}},
            "UpdateExpression": "ADD times :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }}],
    });
    let read = json!({"TableName": "purser", "Key": {"pk": {"S": "a"}, "sk": {"S": "-"}}});
    for (table, times) in [(file, "2"), (memory, "1")] {
        for _ in 0..2 {
            let (status, said) = table.call("TransactWriteItems", count.to_string().as_bytes());
            assert_eq!(status, 200, "{said}");
        }
        let (_, said) = table.call("GetItem", read.to_string().as_bytes());
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["Item"]["times"]["N"], times);
    }
}
