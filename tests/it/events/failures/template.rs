//! How template.yaml treats failures: work is retried a limited number of times, then kept whole in a place the role
//! may write.

use purser_local::template::{EventSpec, Template, json};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The functions with events of this type: name, properties, and those events.
fn functions_with(kind: &str) -> Vec<(String, Value, Vec<Value>)> {
    let template = json(TEMPLATE).unwrap();
    let mut found = Vec::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let function = &resource["Properties"];
        // A function that an operator calls has none.
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        let events: Vec<Value> = events.filter(|event| event["Type"] == kind).cloned().collect();
        if !events.is_empty() {
            found.push((name.clone(), function.clone(), events));
        }
    }
    assert!(!found.is_empty(), "{kind}");
    found
}

fn attribute(resource: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": [resource, name]})
}

fn allows(function: &Value, action: &str, resource: &Value) -> bool {
    let policies = function["Policies"].as_array().unwrap().iter();
    let mut statements = policies.filter_map(|policy| policy["Statement"].as_array()).flatten();
    statements.any(|it| it["Effect"] == "Allow" && it["Action"] == action && it["Resource"] == *resource)
}

#[test]
fn a_stream_record_is_tried_finitely_ends_up_alone_and_is_kept_whole() {
    let template = Template::parse(TEMPLATE).unwrap();
    let events = template.functions.iter().flat_map(|function| &function.events);
    for event in events {
        if let EventSpec::DynamoDb(stream) = event {
            assert!(stream.bisects && stream.reports, "{stream:?}");
            assert!(stream.retries.is_some_and(|retries| retries > 0), "{stream:?}");
        }
    }
    let bucket = attribute("FailedRecords", "Arn");
    for (name, function, events) in functions_with("DynamoDB") {
        for event in events {
            let kept = &event["Properties"]["DestinationConfig"]["OnFailure"];
            // Only a bucket gets the records themselves; a queue would get positions in the stream, whose records
            // expire.
            assert_eq!(*kept, json!({"Type": "S3", "Destination": bucket}), "{name}");
        }
        let objects = json!({"Fn::Sub": "${FailedRecords.Arn}/*"});
        assert!(allows(&function, "s3:PutObject", &objects), "{name}");
        assert!(allows(&function, "s3:ListBucket", &bucket), "{name}");
        let key = attribute("Key", "Arn");
        assert!(allows(&function, "kms:GenerateDataKey", &key), "{name}");
    }
}

#[test]
fn an_event_is_tried_finitely_and_kept_whole_whoever_fails() {
    let queue = attribute("FailedEvents", "Arn");
    let rules = functions_with("EventBridgeRule").into_iter();
    for (name, function, rules) in rules.chain(functions_with("Schedule")) {
        // The rule's dead-letter queue gets what could not be delivered; the function's destination gets what the
        // function failed on.
        for rule in rules {
            assert_eq!(rule["Properties"]["DeadLetterConfig"], json!({"Arn": queue}), "{name}");
        }
        let asynchronous = &function["EventInvokeConfig"];
        let kept = &asynchronous["DestinationConfig"]["OnFailure"];
        assert_eq!(*kept, json!({"Type": "SQS", "Destination": queue}), "{name}");
        let within = |setting: &str, least, most| {
            let value = asynchronous[setting].as_u64();
            assert!(value.is_some_and(|it| (least..=most).contains(&it)), "{name}: {setting}");
        };
        within("MaximumRetryAttempts", 1, 2);
        within("MaximumEventAgeInSeconds", 60, 21_600);
    }
}

#[test]
fn the_bus_may_leave_events_in_the_queue() {
    let template = json(TEMPLATE).unwrap();
    let policy = &template["Resources"]["FailedEventsPolicy"]["Properties"];
    assert_eq!(policy["Queues"], json!([{"Ref": "FailedEvents"}]));
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Effect"], "Allow");
    assert_eq!(statement["Principal"], json!({"Service": "events.amazonaws.com"}));
    assert_eq!(statement["Action"], "sqs:SendMessage");
    assert_eq!(statement["Resource"], attribute("FailedEvents", "Arn"));
}
