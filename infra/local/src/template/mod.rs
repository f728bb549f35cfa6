//! What the laptop takes from the SAM template: the table, and what calls which function.
//!
//! Invariant: an event or a setting that would mean something in the cloud and nothing here is an
//! error that names it, never silence. The template stays the only place where these are stated.

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
    /// Not YAML, or YAML that JSON has no word for.
    #[error("template: {0}")]
    Yaml(String),
    /// There must be exactly one table.
    #[error("template: expected one AWS::DynamoDB::Table, found {0}")]
    Tables(usize),
    /// A setting is absent, has the wrong kind, or is computed where a literal is needed.
    #[error("template: {at}: `{setting}` must be {expected}, written out")]
    Setting {
        /// The resource, with the event where there is one.
        at: String,
        /// The setting's name.
        setting: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An event of a kind that the laptop cannot produce.
    #[error("template: {function}: event `{event}` has the type `{kind}`, which is unknown here")]
    UnknownEvent {
        /// The function.
        function: String,
        /// The event's name.
        event: String,
        /// Its type.
        kind: String,
    },
    /// A setting of an event that the laptop does not honour.
    #[error("template: {function}: event `{event}`: `{setting}` is not honoured here")]
    NotHonoured {
        /// The function.
        function: String,
        /// The event's name.
        event: String,
        /// The setting.
        setting: &'static str,
    },
}

/// The parts of a template that the laptop acts on.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The one table.
    pub table: TableSpec,
    /// Every function, in the template's order of names.
    pub functions: Vec<FunctionSpec>,
    /// The properties of managed policies, as written, by logical id.
    pub managed_policies: BTreeMap<String, Value>,
    variables: BTreeMap<String, String>,
}

/// The table as the template states it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSpec {
    /// Its name inside the template.
    pub logical_id: String,
    /// A `CreateTable` request without `TableName`, which the caller fills in.
    pub create: Value,
    /// The attribute that holds an item's expiry in epoch seconds, if any.
    pub ttl_attribute: Option<String>,
}

/// One function as the template states it.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// Its name inside the template.
    pub logical_id: String,
    /// The `Handler`, by which the binary knows which function it is.
    pub handler: String,
    /// What calls it.
    pub events: Vec<EventSpec>,
    /// `Policies` as written, for tests. `Null` if there are none.
    pub policies: Value,
    /// `Environment` as written, for tests. `Null` if there is none.
    pub environment: Value,
    /// Its own `Timeout` in seconds, if it has one.
    pub timeout: Option<u64>,
}

/// One thing that calls a function.
#[derive(Debug, Clone, PartialEq)]
pub enum EventSpec {
    /// An HTTP route.
    HttpApi {
        /// In capitals; `ANY` for all.
        method: String,
        /// Like `/v1/clients/{refid}`; `$default` for whatever no other route takes.
        path: String,
    },
    /// The table's stream.
    DynamoDb(StreamSpec),
    /// A rule on an event bus.
    EventBridgeRule {
        /// The event pattern, unchecked.
        pattern: Value,
        /// The bus's name or logical id; none for the account's own bus.
        bus: Option<String>,
    },
    /// A timetable.
    Schedule {
        /// `rate(…)` or `cron(…)`.
        expression: String,
    },
}

/// A whole template as JSON, its short tags in their long form; for tests of what the laptop does not act on.
pub fn json(text: &str) -> Result<Value, TemplateError> {
    yaml::parse(text)
}

impl Template {
    /// Reads a template from its YAML text.
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

    /// The environment of every function, as a laptop has it: what stands there, the defaults of
    /// parameters, and for a resource its name inside the template. A parameter without a default
    /// leaves its variable out.
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
        // Encryption, recovery and tags mean nothing to the emulator; capacity is never scarce.
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
            // The template takes the section itself for `enabled`; the API wants it said.
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
                // SAM makes an event without either the route of last resort.
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

/// A part of a value, `Null` if it has none of that name.
fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// A list that is absent or written out, with nothing in it left to compute.
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
