//! What is read from a template, and how a wrong one is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::cloud::pattern::Pattern;

const TABLE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: !If [Live, PAY_PER_REQUEST, PROVISIONED]
      SSESpecification: {SSEEnabled: true, KMSMasterKeyId: !GetAtt Key.Arn}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      GlobalSecondaryIndexes:
        - IndexName: gsi1
          KeySchema: [{AttributeName: pk, KeyType: HASH}]
          Projection: {ProjectionType: KEYS_ONLY}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
";

fn with_event(event: &str) -> String {
    format!(
        "{TABLE}
  Relay:
    Type: AWS::Serverless::Function
    Properties:
      Handler: relay
      Events:
        Some: {event}
"
    )
}

fn only_event(event: &str) -> Result<EventSpec, TemplateError> {
    let template = Template::parse(&with_event(event))?;
    Ok(template.functions[0].events[0].clone())
}

#[test]
fn the_table_becomes_a_create_table_request() {
    let table = Template::parse(TABLE).unwrap().table;
    assert_eq!(table.logical_id, "Table");
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(
        table.create,
        json!({
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{
                "IndexName": "gsi1",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        })
    );
}

#[test]
fn a_function_keeps_what_tests_want_to_see() {
    let text = format!(
        "{TABLE}
  CreateClient:
    Type: AWS::Serverless::Function
    Properties:
      Handler: create-client
      Timeout: 10
      Environment: {{Variables: {{TABLE: !Ref Table}}}}
      Policies: [{{Statement: [{{Effect: Allow, Resource: !GetAtt Table.Arn}}]}}]
  Key:
    Type: AWS::KMS::Key
"
    );
    let template = Template::parse(&text).unwrap();
    assert_eq!(
        template.functions,
        [FunctionSpec {
            logical_id: "CreateClient".to_owned(),
            handler: "create-client".to_owned(),
            events: Vec::new(),
            policies: json!([{"Statement": [
                {"Effect": "Allow", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
            ]}]),
            environment: json!({"Variables": {"TABLE": {"Ref": "Table"}}}),
            timeout: Some(10),
        }]
    );
}

#[test]
fn events() {
    let http = |method: &str, path: &str| EventSpec::HttpApi { method: method.to_owned(), path: path.to_owned() };
    let rule = |bus: Option<&str>| EventSpec::EventBridgeRule {
        pattern: json!({"source": ["purser"]}),
        bus: bus.map(str::to_owned),
    };
    let schedule = |expression: &str| EventSpec::Schedule { expression: expression.to_owned() };
    let all = StreamSpec { batch_size: 100, bisects: false, retries: None, reports: false, filters: Vec::new() };
    let table = [
        (
            "{Type: HttpApi, Properties: {ApiId: !Ref Api, Path: '/v1/clients/{refid}', Method: post}}",
            http("POST", "/v1/clients/{refid}"),
        ),
        ("{Type: HttpApi, Properties: {Path: $default, Method: any}}", http("ANY", "$default")),
        ("{Type: HttpApi}", http("ANY", "$default")),
        (
            "{Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, BatchSize: 25, \
             BisectBatchOnFunctionError: true, MaximumRetryAttempts: 4, \
             FunctionResponseTypes: [ReportBatchItemFailures]}}",
            EventSpec::DynamoDb(StreamSpec {
                batch_size: 25,
                bisects: true,
                retries: Some(4),
                reports: true,
                filters: Vec::new(),
            }),
        ),
        (
            "{Type: DynamoDB, Properties: {FilterCriteria: {Filters: [{Pattern: '{\"a\": [\"x\"]}'}]}}}",
            EventSpec::DynamoDb(StreamSpec {
                filters: vec![Pattern::parse(&json!({"a": ["x"]})).unwrap()],
                ..all.clone()
            }),
        ),
        ("{Type: DynamoDB}", EventSpec::DynamoDb(all)),
        (
            "{Type: EventBridgeRule, Properties: {EventBusName: !Ref Bus, Pattern: {source: [purser]}}}",
            rule(Some("Bus")),
        ),
        ("{Type: EventBridgeRule, Properties: {Pattern: {source: [purser]}}}", rule(None)),
        ("{Type: Schedule, Properties: {Schedule: rate(1 minute)}}", schedule("rate(1 minute)")),
        ("{Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 3 * * ? *)}}", schedule("cron(0 3 * * ? *)")),
    ];
    for (yaml, expected) in table {
        assert_eq!(only_event(yaml), Ok(expected), "{yaml}");
    }
}

#[test]
fn refusals_name_what_they_refuse() {
    let table = [
        ("{Type: SQS}", "Relay: event `Some` has the type `SQS`"),
        ("{Type: Api}", "Relay: event `Some` has the type `Api`"),
        (
            "{Type: DynamoDB, Properties: {FilterCriteria: {Filters: []}}}",
            "Relay.Some: `FilterCriteria` must be a list of Filters",
        ),
        (
            "{Type: DynamoDB, Properties: {FilterCriteria: {Filters: [{Pattern: x}]}}}",
            "Relay.Some: `FilterCriteria` must be a list of Filters",
        ),
        (
            "{Type: DynamoDB, Properties: {TumblingWindowInSeconds: 30}}",
            "event `Some`: `TumblingWindowInSeconds` is not supported",
        ),
        (
            "{Type: Schedule, Properties: {Schedule: rate(1 day), Input: '{}'}}",
            "event `Some`: `Input` is not supported",
        ),
        (
            "{Type: DynamoDB, Properties: {MaximumRecordAgeInSeconds: 60}}",
            "event `Some`: `MaximumRecordAgeInSeconds` is not supported",
        ),
        ("{Type: DynamoDB, Properties: {BatchSize: 0}}", "Relay.Some: `BatchSize` must be"),
        (
            "{Type: DynamoDB, Properties: {MaximumRetryAttempts: !Ref Tries}}",
            "Relay.Some: `MaximumRetryAttempts` must be a number from -1 to 10000, written out",
        ),
        (
            "{Type: DynamoDB, Properties: {BisectBatchOnFunctionError: maybe}}",
            "Relay.Some: `BisectBatchOnFunctionError` must be true or false",
        ),
        ("{Type: EventBridgeRule}", "Relay.Some: `Pattern` must be an object"),
        (
            "{Type: EventBridgeRule, Properties: {Pattern: {source: [!Ref S]}}}",
            "Relay.Some: `Pattern` must be an object, written out",
        ),
        ("{Type: Schedule, Properties: {Schedule: !Ref E}}", "Relay.Some: `Schedule` must be text"),
    ];
    for (yaml, expected) in table {
        let error = only_event(yaml).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_template_needs_one_table_and_literal_keys() {
    assert_eq!(Template::parse("Resources: {}"), Err(TemplateError::Tables(0)));
    assert_eq!(Template::parse("x: 1"), Err(TemplateError::Tables(0)));
    let two = format!("{TABLE}\n  Other: {{Type: 'AWS::DynamoDB::Table'}}\n");
    assert_eq!(Template::parse(&two), Err(TemplateError::Tables(2)));
    let computed = TABLE.replace("AttributeName: pk, KeyType", "AttributeName: !Ref K, KeyType");
    let error = Template::parse(&computed).unwrap_err().to_string();
    assert_eq!(error, "template: Table: `KeySchema` must be a list, written out");
}
