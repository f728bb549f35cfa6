//! Refuses keys that DynamoDB refuses and the embedded database takes: those of indexes that are too long, and too long
//! ones in a query. The database itself refuses too long keys of the table.
//!
//! Invariant: what a laptop stores, DynamoDB would store, so a key that is too long fails on the laptop. A request is
//! judged before it reaches the database.

use serde_json::{Value, json};

use crate::template::TableSpec;

const MOST_OF_PARTITION_KEY: usize = 2_048;
const MOST_OF_SORT_KEY: usize = 1_024;

/// A key of an index.
#[derive(Debug, Clone)]
struct IndexKey {
    index: String,
    attribute: String,
    most: usize,
}

/// The keys of all indexes.
#[derive(Debug, Clone, Default)]
pub struct IndexKeys(Vec<IndexKey>);

impl IndexKeys {
    pub fn of(spec: &TableSpec) -> Self {
        let mut keys = Vec::new();
        for index in items(at(&spec.create, ["GlobalSecondaryIndexes"])) {
            for key in items(at(index, ["KeySchema"])) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let most = if at(key, ["KeyType"]) == "HASH" { MOST_OF_PARTITION_KEY } else { MOST_OF_SORT_KEY };
                keys.push(IndexKey {
                    index: text(at(index, ["IndexName"])),
                    attribute: text(at(key, ["AttributeName"])),
                    most,
                });
            }
        }
        Self(keys)
    }

    /// DynamoDB's answer to a request with a key that is too long; none if every key fits.
    pub(super) fn refusal(&self, operation: &str, request: &[u8]) -> Option<Value> {
        // A shorter request has no key that is too long.
        let judged = (request.len() > MOST_OF_SORT_KEY).then(|| serde_json::from_slice(request).unwrap_or_default());
        judged.and_then(|body| self.judge(operation, &body))
    }

    fn judge(&self, operation: &str, body: &Value) -> Option<Value> {
        let invalid = |problem: &str| format!("One or more parameter values were invalid: {problem}");
        let validation =
            |message: String| json!({"__type": "com.amazon.coral.validate#ValidationException", "message": message});
        match operation {
            "PutItem" => self.too_long(|name| at(body, ["Item", name])).map(|it| validation(invalid(&it))),
            "UpdateItem" => self.too_long(|name| set(body, name)).map(|it| validation(invalid(&it))),
            "BatchWriteItem" => {
                let mut requests =
                    at(body, ["RequestItems"]).as_object().into_iter().flatten().flat_map(|it| items(it.1));
                let refused =
                    requests.find_map(|request| self.too_long(|name| at(request, ["PutRequest", "Item", name])));
                refused.map(|it| validation(invalid(&it)))
            }
            "TransactWriteItems" => {
                let judged = |write: &Value| {
                    self.too_long(|name| match at(write, ["Put", "Item", name]) {
                        Value::Null => set(at(write, ["Update"]), name),
                        value => value,
                    })
                };
                let judged: Vec<Option<String>> = items(at(body, ["TransactItems"])).map(judged).collect();
                judged.iter().any(Option::is_some).then(|| cancelled(judged, invalid))
            }
            "Query" => too_long_to_ask(body).map(|it| validation(invalid(it))),
            _ => None,
        }
    }

    /// What is wrong with the first of these keys that is too long.
    fn too_long<'a>(&self, value: impl Fn(&str) -> &'a Value) -> Option<String> {
        self.0.iter().find_map(|IndexKey { index, attribute, most }| {
            let size = at(value(attribute), ["S"]).as_str().map_or(0, str::len);
            (size > *most).then(|| {
                format!(
                    "Size limit exceeded for Index Key {attribute} Actual Size: {size} bytes Max Size: {most} bytes \
                     IndexName: {index}"
                )
            })
        })
    }
}

const NOTHING: &Value = &Value::Null;

/// The value at the end of this path; null if there is none.
fn at<'a, const N: usize>(value: &'a Value, path: [&str; N]) -> &'a Value {
    path.into_iter().fold(value, |value, name| value.get(name).unwrap_or(NOTHING))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The value that an update sets an attribute to, which it names itself or by a placeholder.
fn set<'a>(update: &'a Value, attribute: &str) -> &'a Value {
    let expression = at(update, ["UpdateExpression"]).as_str().unwrap_or_default();
    let named = |name: &str| name == attribute || at(update, ["ExpressionAttributeNames", name]) == attribute;
    let words: Vec<&str> = expression.split([' ', ',', '\n']).filter(|word| !word.is_empty()).collect();
    let assigned = words.windows(3).find_map(|words| match words {
        [name, "=", value] if named(name) => Some(*value),
        _ => None,
    });
    assigned.map_or(NOTHING, |value| at(update, ["ExpressionAttributeValues", value]))
}

/// What is wrong with a query that compares with a key that is too long.
fn too_long_to_ask(query: &Value) -> Option<&'static str> {
    let condition = at(query, ["KeyConditionExpression"]).as_str().unwrap_or_default();
    let values = condition.split([' ', ',', '(', ')']).filter(|word| word.starts_with(':'));
    let mut sizes = values.map(|name| at(query, ["ExpressionAttributeValues", name, "S"]).as_str().map_or(0, str::len));
    // Every query of Purser names the partition first.
    if sizes.next().is_some_and(|size| size > MOST_OF_PARTITION_KEY) {
        return Some("Size of hashkey has exceeded the maximum size limit of2048 bytes");
    }
    let long = sizes.any(|size| size > MOST_OF_SORT_KEY);
    long.then_some("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
}

fn cancelled(judged: Vec<Option<String>>, invalid: impl Fn(&str) -> String) -> Value {
    let reason = |problem: Option<String>| match problem {
        Some(problem) => json!({"Code": "ValidationError", "Message": invalid(&problem)}),
        None => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = judged.into_iter().map(reason).collect();
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| at(reason, ["Code"]).as_str()).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    })
}

#[cfg(test)]
mod tests;
