//! Conditions, and the placeholders by which they and updates name attributes and values.
//!
//! Invariant: names and values go into expressions by placeholders only, so an attribute may have any name.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::item::number;

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// None of its own: the conditions of the transaction's other writes are enough.
    Nothing,
    Absent,
    Version(u64),
    /// The item has the attribute of this name. Here and below, a name with a full stop reaches into a map.
    Has(String),
    Lacks(&'static str),
    Is(&'static str, AttributeValue),
    /// The number attribute of this name is at most this, or missing.
    AtMost(&'static str, u32),
    /// The text attribute of this name comes before this.
    Before(&'static str, AttributeValue),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    /// The condition that the item still has this version or, if `None`, is absent.
    pub(crate) fn of(version: Option<u64>) -> Self {
        version.map_or(Self::Absent, Self::Version)
    }

    pub(super) fn write(&self, into: &mut Expressions) -> String {
        match self {
            Self::Nothing => "attribute_exists(pk) OR attribute_not_exists(pk)".to_owned(),
            Self::Absent => "attribute_not_exists(pk)".to_owned(),
            Self::Version(version) => format!("{} = {}", into.path("doc.version"), into.value(number(*version))),
            Self::Has(name) => format!("attribute_exists({})", into.path(name)),
            Self::Lacks(name) => format!("attribute_not_exists({})", into.path(name)),
            Self::Is(name, value) => format!("{} = {}", into.path(name), into.value(value.clone())),
            Self::AtMost(name, most) => {
                let (name, most) = (into.path(name), into.value(number(*most)));
                format!("(attribute_not_exists({name}) OR {name} <= {most})")
            }
            Self::Before(name, value) => format!("{} < {}", into.path(name), into.value(value.clone())),
            Self::All(all) => all.iter().map(|it| it.write(into)).collect::<Vec<_>>().join(" AND "),
            Self::Any(any) => {
                let any = any.iter().map(|it| it.write(into)).collect::<Vec<_>>().join(") OR (");
                format!("(({any}))")
            }
        }
    }
}

/// The names and values behind the placeholders of the expressions of one write.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expressions {
    pub(super) fn path(&mut self, name: &str) -> String {
        let mut placeholder = |part: &str| {
            let known = self.names.iter().find(|(_, it)| *it == part).map(|(placeholder, _)| placeholder.clone());
            known.unwrap_or_else(|| {
                let placeholder = format!("#n{}", self.names.len());
                self.names.insert(placeholder.clone(), part.to_owned());
                placeholder
            })
        };
        name.split('.').map(&mut placeholder).collect::<Vec<_>>().join(".")
    }

    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// The names and values, each `None` if there are none, because DynamoDB refuses empty ones.
    #[expect(clippy::type_complexity, reason = "the types that the SDK's builders take")]
    pub(super) fn into_parts(self) -> (Option<HashMap<String, String>>, Option<HashMap<String, AttributeValue>>) {
        let Self { names, values } = self;
        (Some(names).filter(|it| !it.is_empty()), Some(values).filter(|it| !it.is_empty()))
    }
}
