//! What the laptop takes from the SAM template: the table, the functions' rights, and what calls which function.
//!
//! Invariant: an event or a setting that has an effect in the cloud but none here is an error that names it, and is
//! never ignored. So the template stays the only place where these are stated.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

pub mod roles;
mod stream_spec;
mod variables;
mod yaml;

pub use stream_spec::StreamSpec;

/// What is wrong with a template. Names are logical ids.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// Not YAML, or YAML that has no equivalent in JSON.
    #[error("template: {0}")]
    Yaml(String),
    #[error("template: expected one AWS::DynamoDB::Table, found {0}")]
    Tables(usize),
    /// A setting is missing, has the wrong type, or is computed although a literal is needed.
    #[error("template: {at}: `{setting}` must be {expected}, written out")]
    Setting {
        /// The resource, with the event if there is one.
        at: String,
        setting: &'static str,
        expected: &'static str,
    },
    #[error("template: {function}: event `{event}` has the type `{kind}`, which is not supported here")]
    UnknownEvent { function: String, event: String, kind: String },
    #[error("template: {function}: event `{event}`: `{setting}` is not supported here")]
    NotHonoured { function: String, event: String, setting: &'static str },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub table: TableSpec,
    /// Every function, ordered by logical id.
    pub functions: Vec<FunctionSpec>,
    /// The properties of managed policies, as written, by logical id.
    pub managed_policies: BTreeMap<String, Value>,
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableSpec {
    pub logical_id: String,
    /// A `CreateTable` request without `TableName`, which the caller fills in.
    pub create: Value,
    /// The attribute that holds an item's expiry in epoch seconds, if any.
    pub ttl_attribute: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    pub logical_id: String,
    /// The `Handler`, by which a binary knows which function it is.
    pub handler: String,
    pub events: Vec<EventSpec>,
    /// `Policies` as written; `Null` if there are none.
    pub policies: Value,
    /// `Environment` as written, for tests; `Null` if there is none.
    pub environment: Value,
    /// The function's own `Timeout` in seconds, if any.
    pub timeout: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EventSpec {
    HttpApi {
        /// In capitals; `ANY` for every method.
        method: String,
        /// A path such as `/v1/clients/{refid}`; `$default` for requests that match no other route.
        path: String,
    },
    DynamoDb(StreamSpec),
    EventBridgeRule {
        pattern: Value,
        /// The bus's name or logical id; none for the account's default bus.
        bus: Option<String>,
    },
    Schedule {
        /// `rate(…)` or `cron(…)`.
        expression: String,
    },
}

/// A whole template as JSON, with short tags in their long form, for tests of parts that the laptop ignores.
pub fn json(text: &str) -> Result<Value, TemplateError> {
    yaml::parse(text)
}

impl Template {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template = yaml::parse(text)?;
        let empty = Map::new();
        let resources = match template.get("Resources") {
            Some(Value::Object(resources)) => resources,
            _ => &empty,
        };
        let of_type = |wanted: &'static str| {
            resources
                .iter()
                .filter(move |(_, resource)| text_of(resource, "Type") == Some(wanted))
                .map(|(name, resource)| (name.as_str(), part(resource, "Properties")))
        };
        let tables: Vec<_> = of_type("AWS::DynamoDB::Table").collect();
        let [(name, table)] = tables.as_slice() else {
            return Err(TemplateError::Tables(tables.len()));
        };
        Ok(Self {
            table: TableSpec::read(name, table)?,
            functions: of_type("AWS::Serverless::Function")
                .map(|(name, function)| FunctionSpec::read(name, function))
                .collect::<Result<_, _>>()?,
            managed_policies: of_type("AWS::IAM::ManagedPolicy")
                .map(|(name, policy)| (name.to_owned(), policy.clone()))
                .collect(),
            variables: variables::read(&template)?,
        })
    }

    /// The environment of every function, as a laptop resolves it: literals as written, parameters by their defaults,
    /// and resources by their logical ids. A parameter without a default leaves its variable out.
    pub fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }
}

impl TableSpec {
    fn read(name: &str, table: &Value) -> Result<Self, TemplateError> {
        let mut create = Map::new();
        for setting in ["KeySchema", "AttributeDefinitions"] {
            let list = literal_list(name, table, setting)?.ok_or_else(|| TemplateError::Setting {
                at: name.to_owned(),
                setting,
                expected: "a list",
            })?;
            create.insert(setting.to_owned(), list);
        }
        // Encryption, recovery and tags mean nothing to the emulator, and it has no capacity to provision.
        create.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
        for setting in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            if let Some(list) = literal_list(name, table, setting)? {
                create.insert(setting.to_owned(), list);
            }
        }
        if let Some(stream) = table.get("StreamSpecification") {
            let view = text_of(stream, "StreamViewType").ok_or_else(|| TemplateError::Setting {
                at: name.to_owned(),
                setting: "StreamViewType",
                expected: "text",
            })?;
            // In the template this section enables the stream; the API needs an explicit flag.
            create.insert("StreamSpecification".to_owned(), json!({"StreamEnabled": true, "StreamViewType": view}));
        }
        let ttl = part(table, "TimeToLiveSpecification");
        let ttl_attribute = match part(ttl, "Enabled").as_bool() {
            Some(true) => text_of(ttl, "AttributeName").map(str::to_owned),
            _ => None,
        };
        Ok(Self { logical_id: name.to_owned(), create: Value::Object(create), ttl_attribute })
    }
}

impl FunctionSpec {
    fn read(name: &str, function: &Value) -> Result<Self, TemplateError> {
        let handler = text_of(function, "Handler").ok_or_else(|| TemplateError::Setting {
            at: name.to_owned(),
            setting: "Handler",
            expected: "text",
        })?;
        let events = match part(function, "Events") {
            Value::Null => Vec::new(),
            Value::Object(events) => {
                events.iter().map(|(event, spec)| EventSpec::read(name, event, spec)).collect::<Result<_, _>>()?
            }
            _ => {
                return Err(TemplateError::Setting { at: name.to_owned(), setting: "Events", expected: "an object" });
            }
        };
        Ok(Self {
            logical_id: name.to_owned(),
            handler: handler.to_owned(),
            events,
            policies: part(function, "Policies").clone(),
            environment: part(function, "Environment").clone(),
            timeout: part(function, "Timeout").as_u64(),
        })
    }
}

impl EventSpec {
    fn read(function: &str, event: &str, spec: &Value) -> Result<Self, TemplateError> {
        let settings = part(spec, "Properties");
        let refuse = |names: &[&'static str]| {
            let found = names.iter().find(|it| settings.get(**it).is_some());
            found.map_or(Ok(()), |setting| {
                Err(TemplateError::NotHonoured { function: function.to_owned(), event: event.to_owned(), setting })
            })
        };
        let wrong = |setting: &'static str, expected: &'static str| TemplateError::Setting {
            at: format!("{function}.{event}"),
            setting,
            expected,
        };
        match text_of(spec, "Type").unwrap_or_default() {
            "HttpApi" => Ok(Self::HttpApi {
                // For SAM, an event with neither path nor method is the fallback route.
                method: text_of(settings, "Method").unwrap_or("any").to_uppercase(),
                path: text_of(settings, "Path").unwrap_or("$default").to_owned(),
            }),
            "DynamoDB" => {
                refuse(&["MaximumRecordAgeInSeconds", "TumblingWindowInSeconds"])?;
                let spec = StreamSpec::read(settings);
                let spec = spec.map_err(|(setting, expected)| wrong(setting, expected))?;
                Ok(Self::DynamoDb(spec))
            }
            "EventBridgeRule" => {
                refuse(&["Input", "InputPath", "InputTransformer"])?;
                let pattern = part(settings, "Pattern");
                if !pattern.is_object() || is_computed(pattern) {
                    return Err(wrong("Pattern", "an object"));
                }
                let bus = match part(settings, "EventBusName") {
                    Value::Null => None,
                    Value::String(name) => Some(name.clone()),
                    computed => Some(
                        text_of(computed, "Ref").ok_or_else(|| wrong("EventBusName", "a name or a !Ref"))?.to_owned(),
                    ),
                };
                Ok(Self::EventBridgeRule { pattern: pattern.clone(), bus })
            }
            kind @ ("Schedule" | "ScheduleV2") => {
                refuse(&["Input"])?;
                let setting = match kind {
                    "Schedule" => "Schedule",
                    _ => "ScheduleExpression",
                };
                let expression = text_of(settings, setting).ok_or_else(|| wrong(setting, "text"))?;
                Ok(Self::Schedule { expression: expression.to_owned() })
            }
            kind => Err(TemplateError::UnknownEvent {
                function: function.to_owned(),
                event: event.to_owned(),
                kind: kind.to_owned(),
            }),
        }
    }
}

/// A member of a value; `Null` if it has none of that name.
fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// An optional list; one with anything left to compute is an error.
fn literal_list(name: &str, table: &Value, setting: &'static str) -> Result<Option<Value>, TemplateError> {
    match table.get(setting) {
        None => Ok(None),
        Some(list) if list.is_array() && !is_computed(list) => Ok(Some(list.clone())),
        Some(_) => Err(TemplateError::Setting { at: name.to_owned(), setting, expected: "a list" }),
    }
}

/// Whether a value holds anything that only a deployment can compute.
fn is_computed(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_computed),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name == "Ref" || name.starts_with("Fn::") || is_computed(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
