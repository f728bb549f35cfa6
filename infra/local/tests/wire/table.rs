//! A transaction over the wire, and its records at the other end of the stream.

use std::sync::{Arc, Mutex};

use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use purser_local::cloud::dynamo::{Dynamo, Storage};
use purser_local::cloud::inside::Services;
use purser_local::cloud::stream::{Consumer, StreamReader};
use purser_local::template::{StreamSpec, Template};
use serde_json::{Value, json};

use crate::{none_dead, now, reaching};

const TEMPLATE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema:
        - {AttributeName: pk, KeyType: HASH}
        - {AttributeName: sk, KeyType: RANGE}
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: sk, AttributeType: S}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
";

fn item(key: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("purser")
        .item("pk", AttributeValue::S(key.to_owned()))
        .item("sk", AttributeValue::S("-".to_owned()))
        .item("tags", AttributeValue::Ss(vec!["x".to_owned()]))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

const BATCHES: StreamSpec =
    StreamSpec { batch_size: 100, bisects: true, retries: Some(5), reports: true, filters: Vec::new() };

#[tokio::test]
async fn a_transaction_reaches_the_consumers_of_the_stream() {
    let spec = Template::parse(TEMPLATE).unwrap().table;
    let dynamo = Dynamo::open(Storage::Memory, &spec, "purser", now()).unwrap();
    let services = Arc::new(Services { table: Some(dynamo.clone()), ..Services::default() });
    let client = aws_sdk_dynamodb::Client::new(&reaching(&services).await);

    let events = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&events);
    let relay = Consumer {
        function: "relay".to_owned(),
        spec: BATCHES,
        handler: Arc::new(move |event| {
            taken.lock().unwrap().push(event);
            Box::pin(async { Ok(json!({"batchItemFailures": []})) })
        }),
    };
    let pump =
        StreamReader::open(&dynamo, None).unwrap().pump(vec![relay], Arc::new(|| Box::pin(async {})), none_dead());

    let transaction = client.transact_write_items();
    let transaction = transaction.transact_items(item("CL#a"));
    transaction.transact_items(item("EC#b")).send().await.unwrap();
    let refused = client.transact_write_items().transact_items(item("CL#a")).transact_items(item("CL#c")).send().await;
    assert!(refused.unwrap_err().into_service_error().is_transaction_canceled_exception());

    pump.settled().await;
    let records: Vec<Value> = {
        let events = events.lock().unwrap();
        let records = events.iter().map(|it| it["Records"].as_array().unwrap());
        records.flatten().cloned().collect()
    };
    assert_eq!(records.len(), 2, "{records:?}");
    let record = &records[0];
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["awsRegion"], purser_local::REGION);
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:eu-central-1:000000000000:table/purser/stream/"));
    assert_eq!(record["dynamodb"]["NewImage"]["tags"], json!({"SS": ["x"]}));
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(record["dynamodb"]["ApproximateCreationDateTime"], 1_700_000_000.0);

    let typed: StreamEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let first = &typed.records[0].change;
    assert_eq!(first.keys.len(), 2);
    assert_eq!(first.approximate_creation_date_time.timestamp(), 1_700_000_000);

    pump.shutdown().await;
    let unknown = client.list_tables().send().await.unwrap_err().into_service_error();
    assert_eq!(unknown.meta().code(), Some("UnknownOperationException"));
    drop(services);
    let gone = client.transact_write_items().transact_items(item("CL#d")).send().await.unwrap_err();
    assert!(gone.as_service_error().is_none(), "a client keeps no service: {gone}");
}

#[tokio::test]
async fn keys_that_dynamodb_refuses_are_refused() {
    let template = TEMPLATE.replace("      StreamSpecification", INDEX);
    let defined = "- {AttributeName: sk, AttributeType: S}";
    let more =
        "\n        - {AttributeName: gsi1pk, AttributeType: S}\n        - {AttributeName: gsi1sk, AttributeType: S}";
    let template = template.replace(defined, &format!("{defined}{more}"));
    let spec = Template::parse(&template).unwrap().table;
    let dynamo = Dynamo::open(Storage::Memory, &spec, "purser", now()).unwrap();
    let services = Arc::new(Services { table: Some(dynamo), ..Services::default() });
    let client = aws_sdk_dynamodb::Client::new(&reaching(&services).await);
    let put = async |pk: usize, sk: usize, gsi1pk: usize, gsi1sk: usize| {
        let sizes = [("pk", pk), ("sk", sk), ("gsi1pk", gsi1pk), ("gsi1sk", gsi1sk)];
        let item = sizes.map(|(name, size)| (name.to_owned(), AttributeValue::S("x".repeat(size))));
        let put = Put::builder().table_name("purser").set_item(Some(item.clone().into())).build().unwrap();
        let alone = client.put_item().table_name("purser").set_item(Some(item.into())).send().await;
        let write = TransactWriteItem::builder().put(put).build();
        let together = client.transact_write_items().transact_items(write).send().await;
        let alone = alone.map_err(|error| error.into_service_error().meta().code().unwrap().to_owned());
        (alone.map(|_| ()), together.is_ok())
    };
    let refused = (Err("ValidationException".to_owned()), false);
    assert_eq!(put(2_048, 1_024, 2_048, 1_024).await, (Ok(()), true));
    assert_eq!(put(2_049, 1, 1, 1).await, refused);
    assert_eq!(put(1, 1_025, 1, 1).await, refused);
    assert_eq!(put(1, 1, 2_049, 1).await, refused);
    assert_eq!(put(1, 1, 1, 1_025).await, refused);
}

/// An index, for the template above.
const INDEX: &str = "      GlobalSecondaryIndexes:
        - IndexName: gsi1
          KeySchema: [{AttributeName: gsi1pk, KeyType: HASH}, {AttributeName: gsi1sk, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      StreamSpecification";
