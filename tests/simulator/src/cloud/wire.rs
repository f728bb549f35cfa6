//! DynamoDB's wire protocol in front of the embedded database, without a network.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) type Answer = (u16, String);

pub(super) fn call(database: &Database, operation: &str, body: Value) -> Answer {
    match operation {
        "GetItem" => answer(read(body).and_then(|it| database.get_item(it))),
        "DeleteItem" => answer(read(body).and_then(|it| database.delete_item(it))),
        "PutItem" => answer(read(body).and_then(|it| database.put_item(it))),
        "UpdateItem" => answer(read(body).and_then(|it| database.update_item(it))),
        "Query" => answer(read(body).and_then(|it| database.query(it))),
        "TransactWriteItems" => answer(read(body).and_then(|it| database.transact_write_items(it))),
        other => refusal("ValidationException", &format!("{other} is not simulated")),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, DynoxideError> {
    let unread = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    serde_json::from_value(body).map_err(unread)
}

fn answer(done: Result<impl Serialize, DynoxideError>) -> Answer {
    match done {
        Ok(answer) => (200, serde_json::to_string(&answer).expect("JSON")),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

pub(super) fn refusal(name: &str, message: &str) -> Answer {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{name}");
    let status = if name == "InternalServerError" { 500 } else { 400 };
    (status, json!({"__type": kind, "message": message}).to_string())
}

pub(super) fn cancelled(codes: &[&str]) -> Answer {
    let reasons: Vec<Value> = codes
        .iter()
        .map(|code| match *code {
            "None" => json!({"Code": "None"}),
            code => json!({"Code": code, "Message": code}),
        })
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")),
        "CancellationReasons": reasons,
    });
    (400, body.to_string())
}
