//! What a call to AWS asks leave for.
//!
//! Invariant: a call that is not understood asks leave for something nobody has: it is refused, not waved through.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{attributes, one_or_more};

/// One action on one resource, which a statement must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Like `dynamodb:PutItem`.
    pub action: String,
    /// Like `Table/index/gsi1`.
    pub resource: String,
    /// The partition keys it is about.
    pub keys: Vec<String>,
    /// The top-level attributes it names; none where they are not known, which is so of all but updates.
    pub attributes: Option<BTreeSet<String>>,
    /// The address a mail comes from.
    pub from: Option<String>,
}

impl Access {
    fn new(action: &str, resource: &str, keys: Vec<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned(), keys, attributes: None, from: None }
    }

    /// What a call asks leave for that names nothing.
    pub(super) fn to_nothing() -> Self {
        Self::new("unknown", "nothing", Vec::new())
    }

    /// What a request asks leave for: `target` is the header `x-amz-target`, and `path` its path.
    pub fn of(target: Option<&str>, path: &str, body: &[u8]) -> Vec<Self> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match target.map(|target| target.split_once('.').unwrap_or_default()) {
            Some(("DynamoDB_20120810", operation)) => of_table(operation, &body),
            Some(("AWSEvents", "PutEvents")) => {
                let bus = |entry: &Value| Self::new("events:PutEvents", text(entry, "EventBusName"), vec![]);
                one_or_more(part(&body, "Entries")).into_iter().map(bus).collect()
            }
            None if path == "/v2/email/outbound-emails" => of_mail(&body),
            _ => vec![Self::new(target.unwrap_or("unknown"), path, vec![])],
        }
    }
}

fn of_table(operation: &str, body: &Value) -> Vec<Access> {
    let action = format!("dynamodb:{operation}");
    let table = text(body, "TableName");
    match operation {
        "BatchGetItem" => {
            let tables = part(body, "RequestItems").as_object().into_iter().flatten();
            let batch = |(table, wanted): (&String, &Value)| {
                let keys = one_or_more(part(wanted, "Keys")).into_iter().map(partition);
                Access::new(&action, table, keys.collect())
            };
            tables.map(batch).collect()
        }
        "TransactWriteItems" => {
            let items = one_or_more(part(body, "TransactItems"));
            items.into_iter().flat_map(of_transaction).collect()
        }
        "PutItem" => vec![Access::new(&action, table, vec![partition(part(body, "Item"))])],
        "UpdateItem" => vec![of_update(body)],
        "GetItem" | "DeleteItem" => {
            vec![Access::new(&action, table, vec![partition(part(body, "Key"))])]
        }
        // An index is asked by its own partition key, which the store names `:pk`.
        "Query" => {
            let resource = match part(body, "IndexName").as_str() {
                Some(index) => format!("{table}/index/{index}"),
                None => table.to_owned(),
            };
            let values = part(body, "ExpressionAttributeValues");
            vec![Access::new(&action, &resource, vec![string(part(values, ":pk"))])]
        }
        _ => vec![Access::new(&action, table, vec![String::new()])],
    }
}

/// An update asks leave for the attributes it names, too.
fn of_update(update: &Value) -> Access {
    let keys = vec![partition(part(update, "Key"))];
    Access {
        attributes: attributes::of_update(update),
        ..Access::new("dynamodb:UpdateItem", text(update, "TableName"), keys)
    }
}

/// An item of a transaction asks leave for what it would ask alone.
fn of_transaction(item: &Value) -> Vec<Access> {
    let of = |(kind, item): (&String, &Value)| {
        if kind == "Update" {
            return of_update(item);
        }
        let (action, place) = match kind.as_str() {
            "Put" => ("dynamodb:PutItem", "Item"),
            "Delete" => ("dynamodb:DeleteItem", "Key"),
            _ => ("dynamodb:ConditionCheckItem", "Key"),
        };
        Access::new(action, text(item, "TableName"), vec![partition(part(item, place))])
    };
    item.as_object().into_iter().flatten().map(of).collect()
}

/// A mail asks leave to be from somebody, and to be sent under a configuration set.
fn of_mail(body: &Value) -> Vec<Access> {
    let from = text(body, "FromEmailAddress");
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>'));
    let from = Some(address.to_owned());
    let set = part(body, "ConfigurationSetName").as_str();
    let set = set.map(|set| format!("configuration-set/{set}"));
    let resources = [Some(format!("identity/{address}")), set];
    let asked = |resource: String| Access { from: from.clone(), ..Access::new("ses:SendEmail", &resource, vec![]) };
    resources.into_iter().flatten().map(asked).collect()
}

fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    part(value, name).as_str().unwrap_or_default()
}

/// The partition key in a key or an item.
fn partition(key: &Value) -> String {
    string(part(key, "pk"))
}

/// A string in DynamoDB's JSON.
fn string(value: &Value) -> String {
    text(value, "S").to_owned()
}
