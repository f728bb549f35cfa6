//! Tables of calls and whether a role allows them.

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
  SharedPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties: {Description: For several., PolicyDocument: {Version: '2012-10-17', Statement: [{{shared}}]}}
  G:
    Type: AWS::Serverless::Function
    Properties: {Handler: g, Policies: [!Ref SharedPolicy]}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: f
      Policies: [{{policies}}]
";

/// A template where `f` has the statements `own`, and shares those of a managed policy with `g`.
fn sharing(shared: &str, own: &str) -> Template {
    let own = format!("!Ref SharedPolicy, {{Statement: [{own}]}}");
    let text =
        TEMPLATE.replace("{{policies}}", &own.replace('\n', " ")).replace("{{shared}}", &shared.replace('\n', " "));
    Template::parse(&text).unwrap()
}

fn with(statements: &str) -> Template {
    sharing("", statements)
}

fn role(template: &Template) -> Role {
    let roles = Roles::of(template, "a@b.example").unwrap();
    roles.get("f").unwrap().clone()
}

fn asked(operation: &str, body: &Value) -> Vec<Access> {
    let target = format!("DynamoDB_20120810.{operation}");
    Access::of(Some(&target), "/", body.to_string().as_bytes())
}

const PUT: &str = "{Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Table.Arn,
    Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: ['CL#*', 'EC#*']}}}";
const GET: &str = "{Effect: Allow, Action: [dynamodb:GetItem, dynamodb:BatchGetItem], Resource: !GetAtt Table.Arn,
    Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: 'CL#*'}}}";
const NOTE: &str = "{Effect: Allow, Action: dynamodb:UpdateItem, Resource: !GetAtt Table.Arn, Condition: {
    ForAllValues:StringLike: {dynamodb:LeadingKeys: ['SE#*']},
    ForAllValues:StringEquals: {dynamodb:Attributes: [pk, sk, seen]}}}";
const QUERY: &str = "{Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${Table.Arn}/index/gsi1',
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
    let role = role(&with(&all));
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
        ("GetItem", json!({"TableName": "Other", "Key": key("CL#1")}), false),
        ("GetItem", json!({}), false),
        ("UpdateItem", get("CL#1"), false),
        ("Scan", json!({"TableName": "Table"}), false),
        ("BatchGetItem", batch(&["CL#1", "CL#2"]), true),
        ("BatchGetItem", batch(&["CL#1", "WA#2"]), false),
        ("Query", query("gsi1", "PR"), true),
        ("Query", query("gsi1", "PR2"), false),
        ("Query", query("gsi2", "PR"), false),
        ("Query", json!({"TableName": "Table"}), false),
        ("TransactWriteItems", transact(&[put("CL#1"), put("EC#a")]), true),
        ("TransactWriteItems", transact(&[put("CL#1"), put("WA#1")]), false),
        ("TransactWriteItems", transact(&[put("CL#1"), delete]), false),
        ("TransactWriteItems", transact(&[put("CL#1"), check]), false),
    ] {
        let allows = role.judge(&asked(operation, &body)).is_ok();
        assert_eq!(allows, allowed, "{operation} {body}");
    }
}

#[test]
fn events_and_mails_need_their_bus_and_their_sender() {
    let role = role(&with(&[TELL, MAIL].join(",")));
    let tell = |bus: &str| json!({"Entries": [{"EventBusName": bus}]}).to_string();
    let mail =
        |set: Option<&str>| json!({"FromEmailAddress": "\"x\" <a@b.example>", "ConfigurationSetName": set}).to_string();
    for (target, path, body, allowed) in [
        (Some("AWSEvents.PutEvents"), "/", tell("Bus"), true),
        (Some("AWSEvents.PutEvents"), "/", tell("default"), false),
        (Some("AWSEvents.PutRule"), "/", tell("Bus"), false),
        (None, "/v2/email/outbound-emails", mail(None), true),
        (None, "/v2/email/outbound-emails", mail(Some("Set")), false),
        (None, "/v2/email/identities", mail(None), false),
        (None, "/v2/email/outbound-emails", mail(None).replace("a@b", "c@b"), false),
    ] {
        let accesses = Access::of(target, path, body.as_bytes());
        assert!(!accesses.is_empty());
        assert_eq!(role.judge(&accesses).is_ok(), allowed, "{target:?} {path} {body}");
    }
}

#[test]
fn a_call_that_names_nothing_is_refused() {
    let role = role(&with(PUT));
    for (operation, body) in [("TransactWriteItems", json!({})), ("BatchGetItem", json!({"RequestItems": {}}))] {
        let accesses = asked(operation, &body);
        assert!(role.judge(&accesses).is_err(), "{operation}");
    }
}

#[test]
fn what_was_used_is_remembered_and_what_was_refused_is_not() {
    let roles = Roles::of(&with(&[PUT, GET].join(",")), "a@b.example").unwrap();
    assert_eq!(roles.unused().len(), 4);
    let judge = |items: &[Value]| {
        let body = json!({"TransactItems": items});
        let accesses = asked("TransactWriteItems", &body);
        roles.get("f").unwrap().judge(&accesses)
    };
    assert!(judge(&[put("CL#1"), put("WA#1")]).is_err());
    assert_eq!(roles.unused().len(), 4);
    assert!(judge(&[put("CL#1")]).is_ok());
    let unused: Vec<String> = roles.unused().iter().map(ToString::to_string).collect();
    let expected = [
        "f: dynamodb:BatchGetItem on Table CL#*",
        "f: dynamodb:GetItem on Table CL#*",
        "f: dynamodb:PutItem on Table EC#*",
    ];
    assert_eq!(unused, expected);
}

#[test]
fn a_right_of_a_shared_policy_is_used_when_anybody_used_it() {
    let roles = Roles::of(&sharing(GET, PUT), "a@b.example").unwrap();
    let get = asked("GetItem", &json!({"TableName": "Table", "Key": key("CL#1")}));
    let unused = || -> Vec<String> { roles.unused().iter().map(ToString::to_string).collect() };
    let shared = "SharedPolicy: dynamodb:GetItem on Table CL#*";
    assert_eq!(unused().iter().filter(|it| *it == shared).count(), 1);
    assert!(roles.get("g").unwrap().judge(&get).is_ok());
    assert!(!unused().contains(&shared.to_owned()));
    assert!(roles.get("f").unwrap().judge(&get).is_ok());
    let put = asked("TransactWriteItems", &json!({"TransactItems": [put("CL#1")]}));
    assert!(roles.get("f").unwrap().judge(&put).is_ok());
    assert!(roles.get("g").unwrap().judge(&put).is_err());
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let role = role(&sharing(NOTE, GET));
    let update = |pk: &str, expression: &str, condition: &str| {
        let aliases = json!({"#s": "seen", "#r": "roles", "#id": "x.y-z"});
        json!({"TableName": "Table", "Key": key(pk), "UpdateExpression": expression,
            "ConditionExpression": condition, "ExpressionAttributeNames": aliases,
            "ExpressionAttributeValues": {":now": {"S": "x"}}, "ReturnConsumedCapacity": "TOTAL"})
    };
    let (note, lasts) = ("SET seen.#id = :now", "attribute_exists(seen.#id)");
    for (pk, expression, condition, allowed) in [
        ("SE#1", note, lasts, true),
        ("SE#1", "set #s.#id=:now", "attribute_exists ( #s.#id )", true),
        ("SE#1", "SET seen.roles[0] = if_not_exists(seen.a, :now) REMOVE #s.b", lasts, true),
        ("SE#1", note, "size(seen) > :now and not seen.#id in (:now, :now)", true),
        ("US#1", note, lasts, false),
        ("SE#1", "SET roles.seen = :now", lasts, false),
        ("SE#1", "SET #r.seen = :now", lasts, false),
        ("SE#1", "SET seen.#id = :now, #r = :now", lasts, false),
        ("SE#1", "SET seen.#id = roles", lasts, false),
        ("SE#1", "SET seen.#id = :now REMOVE roles", lasts, false),
        ("SE#1", "SET #id = :now", lasts, false),
        ("SE#1", note, "attribute_exists(roles.#id)", false),
        ("SE#1", note, "attribute_exists(seen.#id) AND epoch=:now", false),
        // Updates that can't be parsed.
        ("SE#1", "SET seen.#id = :now, #unknown = :now", lasts, false),
        ("SE#1", "SET seen.#id = seen_of(seen)", lasts, false),
        ("SE#1", "SET `seen` = :now", lasts, false),
        ("SE#1", "SET seen.#id = :now;roles", lasts, false),
        ("SE#1", "SET seen. roles = :now", lasts, false),
    ] {
        let body = update(pk, expression, condition);
        let allows = role.judge(&asked("UpdateItem", &body)).is_ok();
        assert_eq!(allows, allowed, "{pk} {expression} {condition}");
        // In a transaction the same update needs the same rights.
        let items = json!({"TransactItems": [{"Update": body}]});
        let allows = role.judge(&asked("TransactWriteItems", &items)).is_ok();
        assert_eq!(allows, allowed, "{pk} {expression} {condition}");
    }
    for (member, value) in [
        ("AttributeUpdates", json!({"roles": {"Value": {"S": "x"}}})),
        ("Expected", json!({})),
        ("ReturnValues", json!("ALL_NEW")),
        ("UpdateExpression", json!(7)),
        ("Key", json!({"pk": {"S": "SE#1"}, "roles": {"S": "."}})),
    ] {
        let mut body = update("SE#1", note, lasts);
        body[member] = value;
        assert!(role.judge(&asked("UpdateItem", &body)).is_err(), "{member}");
    }
}

#[test]
fn a_shared_policy_that_can_not_be_judged_stops_the_start() {
    for (shared, problem) in [
        (NOTE.replace("Allow", "Deny"), "Effect"),
        (NOTE.replace("ForAllValues:StringEquals", "StringEquals"), "not supported"),
        (NOTE.replace("[pk, sk, seen]", "[]"), "not supported"),
        (NOTE.replace("[pk, sk, seen]", "[pk, !Ref Seen]"), "not supported"),
        (NOTE.replace("UpdateItem", "GetItem"), "alone"),
        (NOTE.replace("dynamodb:UpdateItem", "[dynamodb:UpdateItem, dynamodb:PutItem]"), "alone"),
        (format!("{NOTE}], Id: [x"), "`Id`"),
        (format!("{NOTE}]}}, Roles: {{x: [y"), "`Roles`"),
    ] {
        let refused = Roles::of(&sharing(&shared, GET), "a@b.example");
        let error = refused.unwrap_err().to_string();
        let start = "template: SharedPolicy: in its policies, ";
        assert!(error.starts_with(start) && error.contains(problem), "{shared}: {error}");
    }
}

#[test]
fn a_policy_that_can_not_be_judged_stops_the_start() {
    for (statement, problem) in [
        (PUT.replace("Allow", "Deny"), "Effect"),
        (PUT.replace("dynamodb:PutItem", "'dynamodb:*'"), "one action's name"),
        (PUT.replace("!GetAtt Table.Arn", "'*'"), "not understood"),
        (PUT.replace("!GetAtt Table.Arn", "!Sub '${Table.Arn}/index/*/x'"), "not understood"),
        (PUT.replace("!GetAtt Table.Arn", "!If [A, b, c]"), "not understood"),
        (PUT.replace("ForAllValues:StringLike", "StringLike"), "not supported"),
        (PUT.replace("dynamodb:LeadingKeys", "dynamodb:Select"), "not supported"),
        (PUT.replace("{dynamodb:LeadingKeys: ['CL#*', 'EC#*']}", "{}"), "not supported"),
        (PUT.replace("['CL#*', 'EC#*']", "[]"), "not supported"),
        (PUT.replace("Action", "NotAction"), "`NotAction`"),
        (MAIL.replace("!Ref MailFrom", "a@b.example"), "not supported"),
        ("{Effect: Allow, Action: s3:PutObject}".to_owned(), "lacks"),
    ] {
        let error = Roles::of(&with(&statement), "a@b.example").unwrap_err().to_string();
        assert!(error.starts_with("template: F: in its policies, "), "{error}");
        assert!(error.contains(problem), "{statement}: {error}");
    }
}

#[test]
fn a_policy_by_name_stops_the_start() {
    for policy in ["AmazonDynamoDBFullAccess", "!Ref OtherPolicy", "{DynamoDBCrudPolicy: {TableName: !Ref Table}}"] {
        let text = TEMPLATE.replace("{{policies}}", policy).replace("{{shared}}", "");
        let error = Roles::of(&Template::parse(&text).unwrap(), "a@b.example").unwrap_err();
        assert!(error.to_string().contains("is not supported here"), "{policy}: {error}");
    }
}
