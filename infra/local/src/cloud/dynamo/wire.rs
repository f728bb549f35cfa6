//! DynamoDB's wire protocol in front of the embedded database: the operations that Purser uses.
//!
//! Invariant: an operation that is not among these is refused, as DynamoDB refuses one that it does not know.

use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize};
use serde_json::json;

/// The status and the body of the answer to an operation, such as `GetItem`.
pub fn call<'a>(database: &Database, operation: &str, request: impl Deserializer<'a>) -> (u16, String) {
    match operation {
        "GetItem" => answer(read(request).and_then(|it| database.get_item(it))),
        "BatchGetItem" => answer(read(request).and_then(|it| database.batch_get_item(it))),
        "Query" => answer(read(request).and_then(|it| database.query(it))),
        "PutItem" => answer(read(request).and_then(|it| database.put_item(it))),
        "UpdateItem" => answer(read(request).and_then(|it| database.update_item(it))),
        "DeleteItem" => answer(read(request).and_then(|it| database.delete_item(it))),
        "TransactWriteItems" => answer(read(request).and_then(|it| database.transact_write_items(it))),
        other => {
            let message = format!("{other} is not served here");
            let unknown = json!({"__type": "com.amazon.coral.service#UnknownOperationException", "message": message});
            (400, unknown.to_string())
        }
    }
}

/// Like [`call`], for a caller that never repeats a transaction: its token is neither kept nor compared.
pub fn call_once<'a>(database: &Database, operation: &str, request: impl Deserializer<'a>) -> (u16, String) {
    if operation != "TransactWriteItems" {
        return call(database, operation, request);
    }
    answer(
        read(request).and_then(|it| {
            database.transact_write_items(TransactWriteItemsRequest { client_request_token: None, ..it })
        }),
    )
}

fn read<'a, T: DeserializeOwned>(request: impl Deserializer<'a>) -> Result<T, DynoxideError> {
    T::deserialize(request).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn answer(done: Result<impl Serialize, DynoxideError>) -> (u16, String) {
    let done = done.and_then(|answer| {
        serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
    });
    done.map_or_else(|error| (error.status_code(), error.to_json()), |text| (200, text))
}
