//! Connects the functions in the code with the events that the template gives them.
//!
//! Invariant: template and code name the same functions, and each function gets only the kind of event that its code
//! handles; otherwise nothing starts. Each function is called with the JSON that Lambda would pass it.

use std::collections::BTreeSet;
use std::sync::Arc;

use purser_api::{Entry, Function};
use purser_edge::events::consumer::observed;
use purser_lambda::{function, functions};
use serde_json::{Value, json};
use thiserror::Error;

use crate::cloud::bus::{On, Rule};
use crate::cloud::pattern::{Pattern, PatternError};
use crate::cloud::stream::{Consumer, NAMED};
use crate::run::apps::Apps;
use crate::template::{EventSpec, FunctionSpec, Template};
use crate::{BoxFuture, Target};

#[derive(Debug, Error, PartialEq, Eq)]
pub enum Mismatch {
    #[error("template.yaml and the code name different functions:{}", told(no_code, no_template))]
    Names { no_code: Vec<String>, no_template: Vec<String> },
    #[error("template: {function}: its code does not handle {kind} events")]
    Kind { function: String, kind: &'static str },
    #[error(
        "template: {function}: a rule must be on the bus `{bus}`, where the events are put, or on the account's own"
    )]
    OtherBus { function: String, bus: String },
    #[error("template: {function}: {error}")]
    Pattern { function: String, error: PatternError },
}

fn told(no_code: &[String], no_template: &[String]) -> String {
    let one_side = |names: &[String], what: &str| match names {
        [] => String::new(),
        names => format!(" {what}: {}.", names.join(", ")),
    };
    let no_code = one_side(no_code, "no code for");
    no_code + &one_side(no_template, "not in the template")
}

pub fn same_names<'a>(
    template: impl IntoIterator<Item = &'a str>,
    code: impl IntoIterator<Item = &'a str>,
) -> Result<(), Mismatch> {
    let template: BTreeSet<_> = template.into_iter().collect();
    let code: BTreeSet<_> = code.into_iter().collect();
    if template == code {
        return Ok(());
    }
    let only = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| one.difference(other).map(|&it| it.to_owned()).collect();
    Err(Mismatch::Names { no_code: only(&template, &code), no_template: only(&code, &template) })
}

pub fn check(template: &Template) -> Result<(), Mismatch> {
    same_names(template.functions.iter().map(|it| it.handler.as_str()), functions().map(|it| it.name))?;
    for spec in &template.functions {
        let entry = function(&spec.handler).map(|it| it.entry);
        for event in &spec.events {
            let (kind, fits) = match event {
                EventSpec::HttpApi { .. } => ("HttpApi", matches!(entry, Some(Entry::Http(_)))),
                EventSpec::DynamoDb { .. } => ("DynamoDB", matches!(entry, Some(Entry::Stream(_)))),
                EventSpec::EventBridgeRule { .. } => ("EventBridgeRule", matches!(entry, Some(Entry::Event(_)))),
                EventSpec::Schedule { .. } => ("Schedule", matches!(entry, Some(Entry::Event(_)))),
            };
            if !fits {
                return Err(Mismatch::Kind { function: spec.logical_id.clone(), kind });
            }
        }
    }
    Ok(())
}

/// The rules by which events on `bus`, or on the account's default bus, call functions.
pub fn rules(template: &Template, bus: &str) -> Result<Vec<Rule>, Mismatch> {
    let mut rules = Vec::new();
    for spec in &template.functions {
        for event in &spec.events {
            let EventSpec::EventBridgeRule { pattern, bus: on } = event else {
                continue;
            };
            let on = match on.as_deref() {
                None => On::Account,
                Some(named) if named == bus => On::Own,
                Some(_) => {
                    return Err(Mismatch::OtherBus { function: spec.logical_id.clone(), bus: bus.to_owned() });
                }
            };
            let pattern = Pattern::parse(pattern)
                .map_err(|error| Mismatch::Pattern { function: spec.logical_id.clone(), error })?;
            rules.push(Rule { on, function: spec.handler.clone(), pattern });
        }
    }
    Ok(rules)
}

pub fn consumers(template: &Template, apps: &Apps) -> Vec<Consumer> {
    let mut consumers = Vec::new();
    for spec in &template.functions {
        for event in &spec.events {
            if let EventSpec::DynamoDb(stream) = event {
                let (apps, name) = (apps.clone(), spec.handler.clone());
                consumers.push(Consumer {
                    function: spec.handler.clone(),
                    spec: stream.clone(),
                    handler: Arc::new(move |event| on_stream(apps.clone(), name.clone(), event)),
                });
            }
        }
    }
    consumers
}

fn on_stream(apps: Apps, name: String, event: Value) -> BoxFuture<'static, Result<Value, String>> {
    Box::pin(async move {
        let entry = function(&name).map(|it| it.entry);
        let (Some(Entry::Stream(run)), Some(app)) = (entry, apps.of(&name)) else {
            return Err(format!("{name} takes no stream records"));
        };
        let event = serde_json::from_value(event).map_err(|error| error.to_string())?;
        app.keeper.refresh().await;
        let response = run(app.clone(), event).await;
        serde_json::to_value(response).map_err(|error| error.to_string())
    })
}

pub fn target(apps: &Apps) -> Target {
    let apps = apps.clone();
    Arc::new(move |name, event| {
        let apps = apps.clone();
        Box::pin(async move { on_event(&apps, &name, event).await })
    })
}

/// Calls a function with an event in EventBridge's envelope.
pub async fn on_event(apps: &Apps, name: &str, event: Value) -> Result<(), String> {
    let entry = function(name).map(|it| it.entry);
    let (Some(Entry::Event(run)), Some(app)) = (entry, apps.of(name)) else {
        return Err(format!("{name} takes no events"));
    };
    let event = serde_json::from_value(event).map_err(|error| error.to_string())?;
    app.keeper.refresh().await;
    observed(name, event, async |event| run(app.clone(), event).await).await
}

/// Calls a function as an operator does who holds rights in the account.
pub async fn call(apps: &Apps, name: &str, asked: Value) -> Result<Value, String> {
    let entry = function(name).map(|it| it.entry);
    let (Some(Entry::Call(run)), Some(app)) = (entry, apps.of(name)) else {
        return Err(format!("{name} takes no calls"));
    };
    app.keeper.refresh().await;
    run(app.clone(), asked).await
}

/// The way to redrive a dead letter: calls its function with the one record or event.
pub fn redrive(apps: &Apps) -> Target {
    let apps = apps.clone();
    Arc::new(move |name, work| {
        let apps = apps.clone();
        Box::pin(async move {
            let Some(Entry::Stream(_)) = function(&name).map(|it| it.entry) else {
                return on_event(&apps, &name, work).await;
            };
            let answer = on_stream(apps, name, json!({"Records": [work]})).await?;
            match answer.get("batchItemFailures").and_then(Value::as_array) {
                Some(failed) if !failed.is_empty() => Err(NAMED.to_owned()),
                _ => Ok(()),
            }
        })
    })
}

/// A function's own router; none if the function does not handle requests.
pub fn router(apps: &Apps, name: &str) -> Option<axum::Router> {
    let app = apps.of(name)?;
    function(name).and_then(|it: &Function| purser_lambda::router(it, app))
}

/// The function whose handler or logical id is `name`; none if it has no schedule.
pub fn scheduled<'a>(template: &'a Template, name: &str) -> Option<&'a FunctionSpec> {
    let on_time = |it: &EventSpec| matches!(it, EventSpec::Schedule { .. });
    template
        .functions
        .iter()
        .find(|it| it.handler == name || it.logical_id == name)
        .filter(|it| it.events.iter().any(on_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_must_name_the_same_functions() {
        assert_eq!(same_names(["a", "b"], ["b", "a"]), Ok(()));
        let error = same_names(["a", "b", "c"], ["b", "d"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "template.yaml and the code name different functions: no code for: a, c. not in the template: d."
        );
        let error = same_names([], ["d"]).unwrap_err();
        let expected = "template.yaml and the code name different functions: not in the template: d.";
        assert_eq!(error.to_string(), expected);
    }

    const TABLE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
";

    /// A template with every function of the code; the one with this handler gets these events.
    fn with(handler: &str, event: &str) -> Template {
        let functions = functions().map(|function| {
            let name = function.name;
            let events = if name == handler { event } else { "" };
            format!(
                "  F-{name}: {{Type: 'AWS::Serverless::Function', Properties: {{Handler: {name}, \
                 Events: {{{events}}}}}}}\n"
            )
        });
        let text = TABLE.to_owned() + &functions.collect::<String>();
        Template::parse(&text).unwrap()
    }

    #[test]
    fn what_calls_a_function_must_be_what_it_is_written_for() {
        let rule = "E: {Type: EventBridgeRule, Properties: {Pattern: {source: [x]}}}";
        for (handler, event, fits) in [
            ("relay", "E: {Type: DynamoDB}", true),
            ("relay", "E: {Type: HttpApi}", false),
            ("notify", rule, true),
            ("front", rule, false),
            ("front", "E: {Type: HttpApi}", true),
            ("front", "E: {Type: DynamoDB}", false),
            ("notify", "E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}", true),
            ("relay", "E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}", false),
        ] {
            assert_eq!(check(&with(handler, event)).is_ok(), fits, "{handler} {event}");
        }
    }

    #[test]
    fn a_rule_must_be_on_our_bus_and_be_understood() {
        let rule = |rest: &str| format!("E: {{Type: EventBridgeRule, Properties: {{{rest}}}}}");
        let ours = rule("EventBusName: !Ref Bus, Pattern: {source: [purser]}");
        assert_eq!(rules(&with("notify", &ours), "Bus").unwrap().len(), 1);
        let error = rules(&with("notify", &ours), "Other").unwrap_err();
        assert!(error.to_string().contains("`Other`, where the events are put"));
        let default = rule("Pattern: {source: [aws.ses]}");
        let on = |event: &str| rules(&with("notify", event), "Bus").unwrap().first().unwrap().on;
        assert_eq!((on(&ours), on(&default)), (On::Own, On::Account));
        let odd = rule("EventBusName: !Ref Bus, Pattern: {source: [{suffix: x}]}");
        let error = rules(&with("notify", &odd), "Bus").unwrap_err();
        assert!(error.to_string().contains("`suffix`"), "{error}");
    }

    #[test]
    fn a_timetable_is_found_by_either_name() {
        let template = with("notify", "E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}");
        assert!(scheduled(&template, "notify").is_some());
        assert!(scheduled(&template, "F-notify").is_some());
        assert!(scheduled(&template, "relay").is_none());
        assert!(scheduled(&template, "nobody").is_none());
    }
}
