//! Answers that DynamoDB gives when something goes wrong.

use serde_json::{Value, json};

pub(super) type Answer = (u16, String);

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
