//! Statements of IAM policies, as the template writes them.
//!
//! Invariant: what is not understood is refused, never taken for a condition that holds or a resource that fits.

use serde_json::Value;

use super::{Access, Right, one_or_more};

/// What a laptop leaves out of an ARN: it is the same for everything here.
const HERE: [&str; 2] = [
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:",
    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:",
];

/// A statement that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    condition: Condition,
}

/// When a statement counts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// Always.
    None,
    /// When every partition key of the call is like one of these.
    LeadingKeys(Vec<String>),
    /// When the mail comes from the deployment's own address.
    FromAddress,
}

impl Statement {
    /// Whether this statement alone allows `access`, where mail comes from `sender`.
    pub fn allows(&self, access: &Access, sender: &str) -> bool {
        self.actions.contains(&access.action)
            && self.resources.iter().any(|it| like(it, &access.resource))
            && match &self.condition {
                Condition::None => true,
                Condition::FromAddress => access.from.as_deref() == Some(sender),
                Condition::LeadingKeys(patterns) => access
                    .keys
                    .iter()
                    .all(|key| patterns.iter().any(|pattern| like(pattern, key))),
            }
    }

    /// The statement as rights, one by one.
    pub fn rights(&self, function: &str) -> Vec<Right> {
        let keys: Vec<Option<String>> = match &self.condition {
            Condition::LeadingKeys(patterns) => patterns.iter().cloned().map(Some).collect(),
            Condition::None | Condition::FromAddress => vec![None],
        };
        let mut rights = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                rights.extend(keys.iter().map(|keys| Right {
                    function: function.to_owned(),
                    action: action.clone(),
                    resource: resource.clone(),
                    keys: keys.clone(),
                }));
            }
        }
        rights
    }
}

/// Whether `text` is like `pattern`, in which a last `*` stands for whatever follows.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// The statements of a function's own policies.
pub(super) fn statements(policies: &Value) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    for policy in one_or_more(policies) {
        // What every function may do to start is another thing here (see `Roles::of`).
        if policy.get("Ref").and_then(Value::as_str) == Some("StartPolicy") {
            continue;
        }
        let Some(own) = policy.get("Statement") else {
            return Err(format!("the policy {policy} is not judged here"));
        };
        for statement in one_or_more(own) {
            statements.push(read(statement)?);
        }
    }
    Ok(statements)
}

fn read(statement: &Value) -> Result<Statement, String> {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let members = statement.as_object().into_iter().flatten();
    for (name, _) in members {
        if !known.contains(&name.as_str()) {
            return Err(format!("`{name}` is not judged here"));
        }
    }
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Err("only `Effect: Allow` is judged here".to_owned());
    }
    let part = |name: &str| one_or_more(statement.get(name).unwrap_or(&Value::Null));
    let action = |value: &Value| match value.as_str() {
        Some(action) if !action.contains('*') => Ok(action.to_owned()),
        _ => Err(format!("the action {value} must be one action's name")),
    };
    let actions: Vec<String> = part("Action")
        .into_iter()
        .map(action)
        .collect::<Result<_, _>>()?;
    let resources: Vec<String> = part("Resource")
        .into_iter()
        .map(resource)
        .collect::<Result<_, _>>()?;
    if actions.is_empty() || resources.is_empty() {
        return Err("a statement lacks `Action` or `Resource`".to_owned());
    }
    Ok(Statement {
        actions,
        resources,
        condition: condition(statement.get("Condition"))?,
    })
}

/// A resource by its name in the template: `!GetAtt Table.Arn` is `Table`.
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

/// `${Table.Arn}/index/gsi1` as `Table/index/gsi1`.
fn substituted(text: &str) -> String {
    let text = HERE
        .iter()
        .fold(text.to_owned(), |text, here| text.replacen(here, "", 1));
    text.replace(".Arn}", "").replace("${", "").replace('}', "")
}

fn condition(condition: Option<&Value>) -> Result<Condition, String> {
    let Some(condition) = condition else {
        return Ok(Condition::None);
    };
    let unclear = || format!("the condition {condition} is not judged here");
    let only = |value: &Value| match value.as_object() {
        Some(members) if members.len() == 1 => members
            .iter()
            .next()
            .map(|(name, value)| (name.clone(), value.clone())),
        _ => None,
    };
    let (operator, about) = only(condition).ok_or_else(unclear)?;
    let (name, values) = only(&about).ok_or_else(unclear)?;
    match (operator.as_str(), name.as_str()) {
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys") => {
            let pattern = |value: &&Value| value.as_str().map(str::to_owned);
            let patterns: Vec<String> = one_or_more(&values).iter().filter_map(pattern).collect();
            // A set of no values is like anything, so an empty list would allow everything.
            if patterns.is_empty() || patterns.len() != one_or_more(&values).len() {
                return Err(unclear());
            }
            Ok(Condition::LeadingKeys(patterns))
        }
        ("StringEquals", "ses:FromAddress") if values.get("Ref").is_some() => {
            Ok(Condition::FromAddress)
        }
        _ => Err(unclear()),
    }
}
