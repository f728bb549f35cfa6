//! Parses the statements of IAM policies in the template.
//!
//! Invariant: anything that is not supported is refused, and never taken for a condition that holds or a resource
//! that matches.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Access, PolicyError, Right, one_or_more};
use crate::template::FunctionSpec;

/// The ARN prefixes to leave out, because they are the same for everything on a laptop.
const HERE: [&str; 2] = [
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:",
    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:",
];

/// What the ARNs of the deployment's secrets begin with, and what follows their names: characters that AWS adds.
const SECRETS: (&str, &str) =
    ("arn:*:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/", "-??????");

/// Reads several secrets in one call, each of which needs a right of its own. It is the only action that names no
/// resource.
const BATCH: &str = "secretsmanager:BatchGetSecretValue";

/// A statement with the effect `Allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    holder: String,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// Every partition key of the call matches one of these patterns.
    LeadingKeys(Vec<String>),
    /// The call names no attributes except these.
    Attributes(Vec<String>),
    /// The e-mail comes from the deployment's own address.
    FromAddress,
}

impl Statement {
    /// Whether this statement alone allows `access`; `sender` is the deployment's own e-mail address.
    pub fn allows(&self, access: &Access, sender: &str) -> bool {
        self.actions.contains(&access.action)
            && self.resources.iter().any(|it| like(it, &access.resource))
            && self.conditions.iter().all(|it| it.holds(access, sender))
    }

    pub fn rights(&self) -> Vec<Right> {
        let patterns = self.conditions.iter().find_map(|it| match it {
            Condition::LeadingKeys(patterns) => Some(patterns),
            Condition::Attributes(_) | Condition::FromAddress => None,
        });
        let keys: Vec<Option<String>> = match patterns {
            Some(patterns) => patterns.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        let mut rights = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                rights.extend(keys.iter().map(|keys| Right {
                    holder: self.holder.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    keys: keys.clone(),
                }));
            }
        }
        rights
    }
}

impl Condition {
    fn holds(&self, access: &Access, sender: &str) -> bool {
        match self {
            Self::FromAddress => access.from.as_deref() == Some(sender),
            Self::LeadingKeys(patterns) => {
                access.keys.iter().all(|key| patterns.iter().any(|pattern| like(pattern, key)))
            }
            Self::Attributes(allowed) => {
                access.attributes.as_ref().is_some_and(|named| named.iter().all(|it| allowed.contains(it)))
            }
        }
    }
}

/// What the names of secrets begin with here.
pub(super) const SECRET: &str = "Secret/";

/// Whether `text` matches `pattern`, in which a final `*` matches any rest.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// The statements of the template's managed policies, by logical id.
pub(super) type Managed = BTreeMap<String, Vec<Statement>>;

pub(super) fn managed(policies: &BTreeMap<String, Value>) -> Result<Managed, PolicyError> {
    let read = |(name, properties): (&String, &Value)| {
        let statements = known_only(properties, &["Description", "PolicyDocument"])
            .and_then(|()| document(name, part(properties, "PolicyDocument")));
        let statements = statements.map_err(|problem| PolicyError::new(name, problem))?;
        Ok((name.clone(), statements))
    };
    policies.iter().map(read).collect()
}

pub(super) fn of_function(function: &FunctionSpec, managed: &Managed) -> Result<Vec<Statement>, PolicyError> {
    let mut statements = Vec::new();
    for policy in one_or_more(&function.policies) {
        let shared = policy.get("Ref").and_then(Value::as_str);
        if let Some(shared) = shared.and_then(|name| managed.get(name)) {
            statements.extend(shared.iter().cloned());
            continue;
        }
        let own = document(&function.handler, policy);
        statements.extend(own.map_err(|problem| PolicyError::new(&function.logical_id, problem))?);
    }
    Ok(statements)
}

fn document(holder: &str, document: &Value) -> Result<Vec<Statement>, String> {
    let Some(statements) = document.get("Statement") else {
        return Err(format!("the policy {document} is not supported here"));
    };
    known_only(document, &["Version", "Statement"])?;
    let statements = one_or_more(statements).into_iter();
    statements.map(|it| read(holder, it)).collect()
}

fn known_only(value: &Value, known: &[&str]) -> Result<(), String> {
    let mut names = value.as_object().into_iter().flatten().map(|(name, _)| name);
    match names.find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("`{name}` is not supported here")),
        None => Ok(()),
    }
}

fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn read(holder: &str, statement: &Value) -> Result<Statement, String> {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    known_only(statement, &known)?;
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Err("only `Effect: Allow` is supported here".to_owned());
    }
    let action = |value: &Value| match value.as_str() {
        Some(action) if !action.contains('*') => Ok(action.to_owned()),
        _ => Err(format!("the action {value} must be one action's name")),
    };
    let actions: Vec<String> =
        one_or_more(part(statement, "Action")).into_iter().map(action).collect::<Result<_, _>>()?;
    let written = one_or_more(part(statement, "Resource"));
    let resources: Vec<String> = match written.as_slice() {
        [all] if actions == [BATCH] && *all == "*" => vec!["*".to_owned()],
        written => written.iter().copied().map(resource).collect::<Result<_, _>>()?,
    };
    if actions.is_empty() || resources.is_empty() {
        return Err("a statement lacks `Action` or `Resource`".to_owned());
    }
    let conditions = conditions(part(statement, "Condition"))?;
    // Only an update's attributes are known.
    let named = |it: &Condition| matches!(it, Condition::Attributes(_));
    if conditions.iter().any(named) && actions != ["dynamodb:UpdateItem"] {
        return Err("a condition on attributes is supported for `dynamodb:UpdateItem` alone".to_owned());
    }
    Ok(Statement { holder: holder.to_owned(), actions, resources, conditions })
}

/// The name of a resource in the template: `!GetAtt Table.Arn` is `Table`.
fn resource(value: &Value) -> Result<String, String> {
    let unclear = || format!("the resource {value} is not understood here");
    let name = match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => {
            let attribute = value.pointer("/Fn::GetAtt/0").and_then(Value::as_str);
            let name = value.get("Ref").and_then(Value::as_str).or(attribute);
            let text = value.get("Fn::Sub").and_then(Value::as_str);
            name.map(str::to_owned).or_else(|| text.map(substituted))
        }
        _ => None,
    };
    let name = name.ok_or_else(unclear)?;
    let inner = name.strip_suffix('*').unwrap_or(&name);
    if inner.contains(['*', '?', '$']) || name == "*" {
        return Err(unclear());
    }
    Ok(name)
}

/// Turns `${Table.Arn}/index/gsi1` into `Table/index/gsi1`.
fn substituted(text: &str) -> String {
    let secret = text.strip_prefix(SECRETS.0).and_then(|rest| rest.strip_suffix(SECRETS.1));
    if let Some(purpose) = secret {
        return format!("{SECRET}{purpose}");
    }
    let text = HERE.iter().fold(text.to_owned(), |text, here| text.replacen(here, "", 1));
    text.replace(".Arn}", "").replace("${", "").replace('}', "")
}

/// Reads the conditions of a statement, all of which must hold.
fn conditions(written: &Value) -> Result<Vec<Condition>, String> {
    let unclear = || format!("the condition {written} is not supported here");
    if written.is_null() {
        return Ok(Vec::new());
    }
    let mut conditions = Vec::new();
    for (operator, about) in written.as_object().ok_or_else(unclear)? {
        for (name, values) in about.as_object().ok_or_else(unclear)? {
            conditions.push(condition(operator, name, values).ok_or_else(unclear)?);
        }
    }
    // An empty condition is a mistake.
    if conditions.is_empty() {
        return Err(unclear());
    }
    Ok(conditions)
}

/// Reads one condition; none if it is not supported.
fn condition(operator: &str, name: &str, values: &Value) -> Option<Condition> {
    match (operator, name) {
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys") => texts(values).map(Condition::LeadingKeys),
        ("ForAllValues:StringEquals", "dynamodb:Attributes") => texts(values).map(Condition::Attributes),
        ("StringEquals", "ses:FromAddress") if values.get("Ref").is_some() => Some(Condition::FromAddress),
        _ => None,
    }
}

/// One string or more, as literals. An empty list is refused, because an empty condition would allow everything.
fn texts(values: &Value) -> Option<Vec<String>> {
    let values = one_or_more(values).into_iter();
    let texts: Vec<String> = values.map(|it| it.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(texts).filter(|it| !it.is_empty())
}
