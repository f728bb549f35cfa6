//! Which keys are refused, and how.

use super::*;

fn keys() -> IndexKeys {
    IndexKeys::of(&TableSpec {
        logical_id: "Table".to_owned(),
        create: json!({"GlobalSecondaryIndexes": [{
            "IndexName": "gsi1",
            "KeySchema": [
                {"AttributeName": "gsi1pk", "KeyType": "HASH"},
                {"AttributeName": "gsi1sk", "KeyType": "RANGE"},
            ],
        }]}),
        ttl_attribute: None,
    })
}

fn long(attribute: &str, size: usize) -> Value {
    json!({attribute: {"S": "x".repeat(size)}})
}

fn updated(expression: &str, size: usize) -> Value {
    json!({
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {"#p": "gsi1sk"},
        "ExpressionAttributeValues": {":it": {"S": "x".repeat(size)}, ":other": {"S": "y"}},
    })
}

#[test]
fn every_write_with_an_index_key_that_is_too_long_is_refused() {
    let put = |item: Value| json!({"Item": item});
    let batch = |item: Value| json!({"RequestItems": {"t": [{"PutRequest": {"Item": item}}]}});
    for (operation, body, refused) in [
        ("PutItem", put(long("gsi1pk", 2_048)), None),
        ("PutItem", put(long("gsi1pk", 2_049)), Some(("gsi1pk", 2_049, 2_048))),
        ("PutItem", put(long("gsi1sk", 1_024)), None),
        ("PutItem", put(long("gsi1sk", 1_025)), Some(("gsi1sk", 1_025, 1_024))),
        ("PutItem", put(json!({"gsi1sk": {"S": "é".repeat(513)}})), Some(("gsi1sk", 1_026, 1_024))),
        ("PutItem", put(long("doc", 5_000)), None),
        ("BatchWriteItem", batch(long("gsi1sk", 1_025)), Some(("gsi1sk", 1_025, 1_024))),
        ("UpdateItem", updated("SET kind = :other, gsi1sk = :it", 1_025), Some(("gsi1sk", 1_025, 1_024))),
        ("UpdateItem", updated("SET #p = :it, kind = :other", 1_025), Some(("gsi1sk", 1_025, 1_024))),
        ("UpdateItem", updated("SET doc = :it, gsi1sk = :other", 1_025), None),
    ] {
        let message = refused.map(|(attribute, size, most)| {
            format!(
                "One or more parameter values were invalid: Size limit exceeded for Index Key {attribute} Actual Size: \
                 {size} bytes Max Size: {most} bytes IndexName: gsi1"
            )
        });
        let answer = keys().judge(operation, &body);
        assert_eq!(answer.as_ref().map(|it| it["message"].as_str().unwrap().to_owned()), message, "{operation}");
    }
}

#[test]
fn a_transaction_is_cancelled_and_says_which_write_is_to_blame() {
    let writes = json!({"TransactItems": [
        {"Put": {"Item": long("gsi1pk", 10)}}, {"Put": {"Item": long("gsi1pk", 3_000)}}, {"Delete": {"Key": {}}},
    ]});
    let answer = keys().judge("TransactWriteItems", &writes).unwrap();
    let codes: Vec<&Value> = items(&answer["CancellationReasons"]).map(|reason| &reason["Code"]).collect();
    assert_eq!(codes, ["None", "ValidationError", "None"]);
    assert!(answer["Message"].as_str().unwrap().ends_with("[None, ValidationError, None]"));
    let update = json!({"TransactItems": [{"Update": updated("SET gsi1sk = :it", 1_025)}]});
    assert!(keys().judge("TransactWriteItems", &update).is_some());
    let fitting = json!({"TransactItems": [{"Update": updated("SET gsi1sk = :it", 1_024)}]});
    assert_eq!(keys().judge("TransactWriteItems", &fitting), None);
}

#[test]
fn a_query_compares_with_no_key_that_is_too_long() {
    let query = |first: usize, second: usize| {
        json!({
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": "x".repeat(first)}, ":first": {"S": "x"}, ":last": {"S": "x".repeat(second)},
            },
        })
    };
    let message = |query: &Value| keys().judge("Query", query).map(|it| it["message"].as_str().unwrap().to_owned());
    assert_eq!(message(&query(2_048, 1_024)), None);
    assert!(message(&query(2_049, 1)).unwrap().ends_with("size limit of2048 bytes"));
    assert!(message(&query(1, 1_025)).unwrap().ends_with("size limit of 1024 bytes"));
}
