//! EventBridge's event patterns, as far as the template uses them. Lambda's event filters have the same syntax.
//!
//! Invariant: a pattern either means the same here as in the cloud or is refused when it is parsed. So the template
//! cannot promise anything that the laptop does not do.

use serde_json::{Map, Value};
use thiserror::Error;

/// Why a pattern was refused. `path` names the field, with dots between levels.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("event pattern at `{path}`: expected an object with at least one field")]
    NotAnObject { path: String },
    /// A field must hold a list of alternatives or a nested object.
    #[error("event pattern at `{path}`: expected a list with at least one alternative")]
    NotAList { path: String },
    /// An operator that is not implemented, or that has an operand of the wrong type.
    #[error("event pattern at `{path}`: `{operator}` is not one of prefix, exists, anything-but")]
    UnknownOperator { path: String, operator: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    fields: Vec<(String, Matcher)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Matcher {
    Nested(Pattern),
    AnyOf(Vec<Alternative>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Alternative {
    Literal(Value),
    Prefix(String),
    Exists(bool),
    AnythingBut(Vec<Value>),
}

impl Pattern {
    /// Parses a pattern, and refuses every operator that [`Pattern::matches`] does not implement.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        Self::parse_at("", pattern)
    }

    fn parse_at(path: &str, pattern: &Value) -> Result<Self, PatternError> {
        let fields = match pattern.as_object() {
            Some(fields) if !fields.is_empty() => fields,
            _ => {
                return Err(PatternError::NotAnObject { path: path.to_owned() });
            }
        };
        let fields = fields
            .iter()
            .map(|(name, value)| {
                let path = match path {
                    "" => name.clone(),
                    outer => format!("{outer}.{name}"),
                };
                Ok((name.clone(), Matcher::parse(path, name, value)?))
            })
            .collect::<Result<_, PatternError>>()?;
        Ok(Self { fields })
    }

    /// Whether the event matches: each field of the pattern by at least one of its alternatives.
    pub fn matches(&self, event: &Value) -> bool {
        match event {
            Value::Object(event) => self.matches_object(event),
            // In a list of objects, at least one must match the whole pattern.
            Value::Array(events) => events.iter().any(|event| self.matches(event)),
            _ => self.matches_object(&Map::new()),
        }
    }

    fn matches_object(&self, event: &Map<String, Value>) -> bool {
        self.fields.iter().all(|(name, matcher)| {
            let value = event.get(name);
            match matcher {
                Matcher::Nested(pattern) => pattern.matches(value.unwrap_or(&Value::Null)),
                Matcher::AnyOf(alternatives) => alternatives.iter().any(|one| one.matches(value)),
            }
        })
    }
}

impl Matcher {
    fn parse(path: String, name: &str, value: &Value) -> Result<Self, PatternError> {
        // A name such as `$or` is an operator and not a field.
        if name.starts_with('$') {
            return Err(PatternError::UnknownOperator { path, operator: name.to_owned() });
        }
        match value {
            Value::Object(_) => Ok(Self::Nested(Pattern::parse_at(&path, value)?)),
            Value::Array(alternatives) if !alternatives.is_empty() => {
                alternatives.iter().map(|one| Alternative::parse(&path, one)).collect::<Result<_, _>>().map(Self::AnyOf)
            }
            _ => Err(PatternError::NotAList { path }),
        }
    }
}

impl Alternative {
    fn parse(path: &str, value: &Value) -> Result<Self, PatternError> {
        let refused = |operator: String| PatternError::UnknownOperator { path: path.to_owned(), operator };
        match value {
            Value::Array(_) => Err(refused(value.to_string())),
            Value::Object(operator) => {
                let mut entries = operator.iter();
                let (Some((name, operand)), None) = (entries.next(), entries.next()) else {
                    return Err(refused(value.to_string()));
                };
                Self::parse_operator(name, operand).ok_or_else(|| match name.as_str() {
                    "prefix" | "exists" | "anything-but" => refused(value.to_string()),
                    _ => refused(name.clone()),
                })
            }
            literal => Ok(Self::Literal(literal.clone())),
        }
    }

    fn parse_operator(name: &str, operand: &Value) -> Option<Self> {
        match name {
            "prefix" => operand.as_str().map(|it| Self::Prefix(it.to_owned())),
            "exists" => operand.as_bool().map(Self::Exists),
            "anything-but" => match operand {
                Value::String(_) | Value::Number(_) => Some(Self::AnythingBut(vec![operand.clone()])),
                Value::Array(values)
                    if !values.is_empty() && values.iter().all(|it| it.is_string() || it.is_number()) =>
                {
                    Some(Self::AnythingBut(values.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => value.is_some() == *wanted,
            (_, None) => false,
            // In a list of values one match is enough, whatever the operator.
            (_, Some(Value::Array(values))) => values.iter().any(|it| self.matches_one(it)),
            (_, Some(value)) => self.matches_one(value),
        }
    }

    fn matches_one(&self, value: &Value) -> bool {
        match self {
            Self::Literal(literal) => literal == value,
            Self::Prefix(prefix) => value.as_str().is_some_and(|it| it.starts_with(prefix)),
            Self::AnythingBut(values) => !values.contains(value),
            Self::Exists(wanted) => *wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "source": "purser",
            "detail-type": "ClientCreated",
            "detail": {
                "status": "pending", "balance": 499, "held": true, "reseller": null,
                "tags": ["new", "import"], "owner": {"tier": "gold"},
                "lines": [{"product": "P-1", "n": 1}, {"product": "P-2", "n": 2}],
            },
        })
    }

    #[test]
    fn matching() {
        let table = [
            (json!({"source": ["purser"]}), true),
            (json!({"source": ["other", "purser"]}), true),
            (json!({"source": ["other"]}), false),
            (json!({"missing": ["x"]}), false),
            (json!({"source": ["purser"], "detail-type": ["X"]}), false),
            (json!({"detail": {"balance": [499]}}), true),
            (json!({"detail": {"balance": ["499"]}}), false),
            (json!({"detail": {"held": [true]}}), true),
            (json!({"detail": {"held": [false]}}), false),
            (json!({"detail": {"reseller": [null]}}), true),
            (json!({"detail": {"missing": [null]}}), false),
            (json!({"detail": {"owner": {"tier": ["gold"]}}}), true),
            (json!({"detail": {"owner": {"tier": ["standard"]}}}), false),
            (json!({"detail": {"tags": ["import"]}}), true),
            (json!({"detail": {"tags": ["demo"]}}), false),
            (json!({"detail-type": [{"prefix": "Client"}]}), true),
            (json!({"detail-type": [{"prefix": "Licence"}]}), false),
            (json!({"detail": {"balance": [{"prefix": "4"}]}}), false),
            (json!({"detail": {"status": [{"exists": true}]}}), true),
            (json!({"detail": {"status": [{"exists": false}]}}), false),
            (json!({"detail": {"missing": [{"exists": false}]}}), true),
            (json!({"other": {"missing": [{"exists": false}]}}), true),
            (json!({"other": {"missing": [{"exists": true}]}}), false),
            (json!({"detail": {"status": [{"anything-but": "active"}]}}), true),
            (json!({"detail": {"status": [{"anything-but": ["pending", "active"]}]}}), false),
            (json!({"detail": {"balance": [{"anything-but": 499}]}}), false),
            (json!({"detail": {"missing": [{"anything-but": "x"}]}}), false),
            (json!({"detail": {"status": ["active", {"prefix": "pend"}]}}), true),
            (json!({"detail": {"lines": {"product": ["P-2"], "n": [2]}}}), true),
            (json!({"detail": {"lines": {"product": ["P-2"], "n": [1]}}}), false),
        ];
        for (pattern, expected) in table {
            let parsed = Pattern::parse(&pattern).unwrap();
            assert_eq!(parsed.matches(&event()), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let operator = |path: &str, operator: &str| PatternError::UnknownOperator {
            path: path.to_owned(),
            operator: operator.to_owned(),
        };
        let object = |path: &str| PatternError::NotAnObject { path: path.to_owned() };
        let list = |path: &str| PatternError::NotAList { path: path.to_owned() };
        let table = [
            (json!([]), object("")),
            (json!({}), object("")),
            (json!({"detail": {}}), object("detail")),
            (json!({"source": "purser"}), list("source")),
            (json!({"source": []}), list("source")),
            (json!({"$or": [{"a": [1]}]}), operator("$or", "$or")),
            (json!({"detail": {"a": [{"suffix": "x"}]}}), operator("detail.a", "suffix")),
            (json!({"a": [{"numeric": [">", 1]}]}), operator("a", "numeric")),
            (json!({"a": [["x"]]}), operator("a", r#"["x"]"#)),
            (json!({"a": [{}]}), operator("a", "{}")),
            (json!({"a": [{"prefix": 1}]}), operator("a", r#"{"prefix":1}"#)),
            (json!({"a": [{"exists": "yes"}]}), operator("a", r#"{"exists":"yes"}"#)),
            (json!({"a": [{"anything-but": {"prefix": "x"}}]}), operator("a", r#"{"anything-but":{"prefix":"x"}}"#)),
        ];
        for (pattern, error) in table {
            assert_eq!(Pattern::parse(&pattern), Err(error), "{pattern}");
        }
    }
}
