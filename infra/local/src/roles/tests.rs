//! Judging calls, as tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;

const TEMPLATE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: f
      Policies: [{{policies}}]
";

/// A template with one function and these statements.
fn with(statements: &str) -> Template {
    let statements = statements.replace('\n', " ");
    let policies = format!("!Ref StartPolicy, {{Statement: [{statements}]}}");
    let text = TEMPLATE.replace("{{policies}}", &policies);
    Template::parse(&text).unwrap()
}

const PUT: &str = "{Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Table.Arn,
    Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: ['CL#*', 'EC#*']}}}";
const GET: &str = "{Effect: Allow, Action: [dynamodb:GetItem, dynamodb:BatchGetItem], Resource: !GetAtt Table.Arn,
    Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: 'CL#*'}}}";
const QUERY: &str =
    "{Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${Table.Arn}/index/gsi1',
    Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: [PR]}}}";
const TELL: &str = "{Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn}";
const MAIL: &str = "{Effect: Allow, Action: ses:SendEmail,
    Resource: !Sub 'arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*',
    Condition: {StringEquals: {ses:FromAddress: !Ref MailFrom}}}";

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "."}})
}

fn put(pk: &str) -> Value {
    json!({"Put": {"TableName": "Table", "Item": key(pk)}})
}

#[test]
fn a_call_needs_a_statement_for_all_it_touches() {
    let all = [PUT, GET, QUERY].join(",");
    let role = Roles::of(&with(&all), "a@b.example")
        .unwrap()
        .get("f")
        .unwrap()
        .clone();
    let get = |pk: &str| json!({"TableName": "Table", "Key": key(pk)});
    let batch = |pks: &[&str]| {
        let keys: Vec<Value> = pks.iter().map(|pk| key(pk)).collect();
        json!({"RequestItems": {"Table": {"Keys": keys}}})
    };
    let query = |index: &str, pk: &str| {
        let values = json!({":pk": {"S": pk}});
        json!({"TableName": "Table", "IndexName": index, "ExpressionAttributeValues": values})
    };
    let transact = |items: &[Value]| json!({"TransactItems": items});
    let delete = json!({"Delete": {"TableName": "Table", "Key": key("CL#1")}});
    let check = json!({"ConditionCheck": {"TableName": "Table", "Key": key("CL#1")}});
    for (operation, body, allowed) in [
        ("GetItem", get("CL#1"), true),
        ("GetItem", get("EC#1"), false),
        ("GetItem", get("CL"), false),
        (
            "GetItem",
            json!({"TableName": "Other", "Key": key("CL#1")}),
            false,
        ),
        ("GetItem", json!({}), false),
        ("UpdateItem", get("CL#1"), false),
        ("Scan", json!({"TableName": "Table"}), false),
        ("BatchGetItem", batch(&["CL#1", "CL#2"]), true),
        ("BatchGetItem", batch(&["CL#1", "WA#2"]), false),
        ("Query", query("gsi1", "PR"), true),
        ("Query", query("gsi1", "PR2"), false),
        ("Query", query("gsi2", "PR"), false),
        ("Query", json!({"TableName": "Table"}), false),
        (
            "TransactWriteItems",
            transact(&[put("CL#1"), put("EC#a")]),
            true,
        ),
        (
            "TransactWriteItems",
            transact(&[put("CL#1"), put("WA#1")]),
            false,
        ),
        (
            "TransactWriteItems",
            transact(&[put("CL#1"), delete]),
            false,
        ),
        ("TransactWriteItems", transact(&[put("CL#1"), check]), false),
    ] {
        let target = format!("DynamoDB_20120810.{operation}");
        let accesses = Access::of(Some(&target), "/", body.to_string().as_bytes());
        assert_eq!(role.judge(&accesses).is_ok(), allowed, "{operation} {body}");
    }
}

#[test]
fn events_and_mails_need_their_bus_and_their_sender() {
    let role = Roles::of(&with(&[TELL, MAIL].join(",")), "a@b.example");
    let role = role.unwrap().get("f").unwrap().clone();
    let tell = |bus: &str| json!({"Entries": [{"EventBusName": bus}]}).to_string();
    let mail = |set: Option<&str>| {
        json!({"FromEmailAddress": "\"x\" <a@b.example>", "ConfigurationSetName": set}).to_string()
    };
    for (target, path, body, allowed) in [
        (Some("AWSEvents.PutEvents"), "/", tell("Bus"), true),
        (Some("AWSEvents.PutEvents"), "/", tell("default"), false),
        (Some("AWSEvents.PutRule"), "/", tell("Bus"), false),
        (None, "/v2/email/outbound-emails", mail(None), true),
        (None, "/v2/email/outbound-emails", mail(Some("Set")), false),
        (None, "/v2/email/identities", mail(None), false),
        (
            None,
            "/v2/email/outbound-emails",
            mail(None).replace("a@b", "c@b"),
            false,
        ),
    ] {
        let accesses = Access::of(target, path, body.as_bytes());
        assert!(!accesses.is_empty());
        assert_eq!(
            role.judge(&accesses).is_ok(),
            allowed,
            "{target:?} {path} {body}"
        );
    }
}

#[test]
fn a_call_that_names_nothing_is_refused() {
    let role = Roles::of(&with(PUT), "a@b.example")
        .unwrap()
        .get("f")
        .unwrap()
        .clone();
    for (operation, body) in [
        ("TransactWriteItems", json!({})),
        ("BatchGetItem", json!({"RequestItems": {}})),
    ] {
        let target = format!("DynamoDB_20120810.{operation}");
        let accesses = Access::of(Some(&target), "/", body.to_string().as_bytes());
        assert!(role.judge(&accesses).is_err(), "{operation}");
    }
}

#[test]
fn what_was_used_is_remembered_and_what_was_refused_is_not() {
    let roles = Roles::of(&with(&[PUT, GET].join(",")), "a@b.example").unwrap();
    assert_eq!(roles.unused().len(), 4);
    let judge = |items: &[Value]| {
        let body = json!({"TransactItems": items}).to_string();
        let accesses = Access::of(
            Some("DynamoDB_20120810.TransactWriteItems"),
            "/",
            body.as_bytes(),
        );
        roles.get("f").unwrap().judge(&accesses)
    };
    assert!(judge(&[put("CL#1"), put("WA#1")]).is_err());
    assert_eq!(roles.unused().len(), 4);
    assert!(judge(&[put("CL#1")]).is_ok());
    let unused: Vec<String> = roles.unused().iter().map(ToString::to_string).collect();
    let expected = [
        "f: dynamodb:PutItem on Table EC#*",
        "f: dynamodb:GetItem on Table CL#*",
        "f: dynamodb:BatchGetItem on Table CL#*",
    ];
    assert_eq!(unused, expected);
}

#[test]
fn a_policy_that_can_not_be_judged_stops_the_start() {
    for (statement, problem) in [
        (PUT.replace("Allow", "Deny"), "Effect"),
        (
            PUT.replace("dynamodb:PutItem", "'dynamodb:*'"),
            "one action's name",
        ),
        (PUT.replace("!GetAtt Table.Arn", "'*'"), "not understood"),
        (
            PUT.replace("!GetAtt Table.Arn", "!Sub '${Table.Arn}/index/*/x'"),
            "not understood",
        ),
        (
            PUT.replace("!GetAtt Table.Arn", "!If [A, b, c]"),
            "not understood",
        ),
        (
            PUT.replace("ForAllValues:StringLike", "StringLike"),
            "not judged",
        ),
        (
            PUT.replace("dynamodb:LeadingKeys", "dynamodb:Attributes"),
            "not judged",
        ),
        (PUT.replace("['CL#*', 'EC#*']", "[]"), "not judged"),
        (PUT.replace("Action", "NotAction"), "`NotAction`"),
        (MAIL.replace("!Ref MailFrom", "a@b.example"), "not judged"),
        ("{Effect: Allow, Action: s3:PutObject}".to_owned(), "lacks"),
    ] {
        let error = Roles::of(&with(&statement), "a@b.example")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("template: F: in its policies, "),
            "{error}"
        );
        assert!(error.contains(problem), "{statement}: {error}");
    }
}

#[test]
fn a_policy_by_name_stops_the_start() {
    for policy in [
        "AmazonDynamoDBFullAccess",
        "!Ref OtherPolicy",
        "{DynamoDBCrudPolicy: {TableName: !Ref Table}}",
    ] {
        let text = TEMPLATE.replace("{{policies}}", policy);
        let error = Roles::of(&Template::parse(&text).unwrap(), "a@b.example").unwrap_err();
        assert!(
            error.to_string().contains("is not judged here"),
            "{policy}: {error}"
        );
    }
}
