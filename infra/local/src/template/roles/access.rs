//! Which rights a call to AWS needs.
//!
//! Invariant: a call that can't be parsed needs a right that nobody has, so it is refused.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{attributes, one_or_more};

/// One action on one resource, which a statement must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// For example `dynamodb:PutItem`.
    pub action: String,
    /// For example `Table/index/gsi1`.
    pub resource: String,
    pub keys: Vec<String>,
    /// The top-level attributes that the call names; none if they are not known, as for every call except an update.
    pub attributes: Option<BTreeSet<String>>,
    /// The sender's address, if the call sends an e-mail.
    pub from: Option<String>,
}

impl Access {
    fn new(action: &str, resource: &str, keys: Vec<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned(), keys, attributes: None, from: None }
    }

    /// The access of a call that names no resource; no role allows it.
    pub(super) fn to_nothing() -> Self {
        Self::new("unknown", "nothing", Vec::new())
    }

    pub(super) fn to_secret(name: &str) -> Self {
        Self::new("secretsmanager:GetSecretValue", name, Vec::new())
    }

    /// The accesses of a request. `target` is the header `x-amz-target`, and `path` the request's path.
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
        // A query names the partition key of its table or index in the value `:pk`, as the store writes it.
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

/// The access of an update includes the attributes that it names.
fn of_update(update: &Value) -> Access {
    let keys = vec![partition(part(update, "Key"))];
    Access {
        attributes: attributes::of_update(update),
        ..Access::new("dynamodb:UpdateItem", text(update, "TableName"), keys)
    }
}

/// An item of a transaction needs the same rights as the single operation.
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

/// An e-mail needs the right to use its sender's address and, if it has one, its configuration set.
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

fn partition(key: &Value) -> String {
    string(part(key, "pk"))
}

fn string(value: &Value) -> String {
    text(value, "S").to_owned()
}
