//! A Lambda function that only makes recorded calls to DynamoDB. It measures what these calls cost any code.
//!
//! Invariant: the calls are those of a real function, member for member; an unknown member in the recording is fatal.
//! The calls are prepared once, before the first request. The function has one thread, like Purser's functions.

use std::collections::HashMap;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_dynamo::Item;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let sdk = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    let client = Client::new(&sdk);
    let recorded = std::fs::read_to_string(std::env::var("BARE_CALLS")?)?;
    let recorded: Vec<Recorded> = serde_json::from_str(&recorded)?;
    let calls = recorded.into_iter().map(|call| Call::of(call, &client));
    let calls: &[Call] = &calls.collect::<Result<Vec<_>, _>>()?;
    let handler = async |_event: LambdaEvent<IgnoredAny>| {
        for call in calls {
            call.make().await?;
        }
        Ok::<_, Error>("done")
    };
    run(service_fn(handler)).await
}

/// A call as it was sent.
#[derive(Deserialize)]
#[serde(tag = "operation", content = "request")]
enum Recorded {
    GetItem(GetItem),
    BatchGetItem(BatchGetItem),
    TransactWriteItems(TransactWriteItems),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetItem {
    table_name: String,
    key: Item,
    consistent_read: Option<bool>,
    return_consumed_capacity: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchGetItem {
    request_items: HashMap<String, Keys>,
    return_consumed_capacity: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Keys {
    keys: Vec<Item>,
    consistent_read: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransactWriteItems {
    transact_items: Vec<Write>,
    return_consumed_capacity: String,
    /// Ignored, because the SDK makes a new token for each call.
    #[serde(rename = "ClientRequestToken")]
    _token: IgnoredAny,
}

#[derive(Deserialize)]
enum Write {
    Put(ConditionalPut),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConditionalPut {
    table_name: String,
    item: Item,
    condition_expression: String,
    expression_attribute_names: Option<HashMap<String, String>>,
    expression_attribute_values: Option<Item>,
    return_values_on_condition_check_failure: String,
}

/// A call that can be repeated.
enum Call {
    GetItem(GetItemFluentBuilder),
    BatchGetItem(BatchGetItemFluentBuilder),
    TransactWriteItems(TransactWriteItemsFluentBuilder),
}

impl Call {
    fn of(recorded: Recorded, client: &Client) -> Result<Self, Error> {
        Ok(match recorded {
            Recorded::GetItem(get) => Self::GetItem(
                client
                    .get_item()
                    .table_name(get.table_name)
                    .set_key(Some(get.key.into()))
                    .set_consistent_read(get.consistent_read)
                    .return_consumed_capacity(capacity(&get.return_consumed_capacity)),
            ),
            Recorded::BatchGetItem(batch) => {
                let mut call =
                    client.batch_get_item().return_consumed_capacity(capacity(&batch.return_consumed_capacity));
                for (table, wanted) in batch.request_items {
                    let keys = wanted.keys.into_iter().map(Into::into).collect();
                    let wanted = KeysAndAttributes::builder()
                        .set_keys(Some(keys))
                        .set_consistent_read(wanted.consistent_read)
                        .build()?;
                    call = call.request_items(table, wanted);
                }
                Self::BatchGetItem(call)
            }
            Recorded::TransactWriteItems(write) => {
                let items = write.transact_items.into_iter().map(Write::item);
                let items = items.collect::<Result<Vec<_>, _>>()?;
                Self::TransactWriteItems(
                    client
                        .transact_write_items()
                        .set_transact_items(Some(items))
                        .return_consumed_capacity(capacity(&write.return_consumed_capacity)),
                )
            }
        })
    }

    async fn make(&self) -> Result<(), Error> {
        match self {
            Self::GetItem(call) => drop(call.clone().send().await?),
            Self::BatchGetItem(call) => drop(call.clone().send().await?),
            Self::TransactWriteItems(call) => drop(call.clone().send().await?),
        }
        Ok(())
    }
}

impl Write {
    fn item(self) -> Result<TransactWriteItem, Error> {
        let Self::Put(put) = self;
        let put = Put::builder()
            .table_name(put.table_name)
            .set_item(Some(put.item.into()))
            .condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values.map(Into::into))
            .return_values_on_condition_check_failure(put.return_values_on_condition_check_failure.as_str().into())
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn capacity(text: &str) -> ReturnConsumedCapacity {
    text.into()
}
