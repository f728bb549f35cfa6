//! Finds the attributes that an update names, as IAM's `dynamodb:Attributes` counts them.
//!
//! Invariant: nothing is known of an update that can't be parsed, so it fulfils no condition on attributes.

use std::collections::BTreeSet;

use serde_json::Value;

/// The members that an update may have. Other members could name attributes, too, or return them.
const MEMBERS: [&str; 7] = [
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "Key",
    "ReturnConsumedCapacity",
    "TableName",
    "UpdateExpression",
];

/// The keywords of expressions. DynamoDB accepts them in any case, and never as an attribute's name.
const WORDS: [&str; 9] = ["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"];

const FUNCTIONS: [&str; 8] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
];

/// The top-level attributes that an update names in its key, its expression and its condition; for `seen.#id` that is
/// `seen`. None if the update can't be parsed.
pub(super) fn of_update(update: &Value) -> Option<BTreeSet<String>> {
    let members = update.as_object()?;
    if members.keys().any(|it| !MEMBERS.contains(&it.as_str())) {
        return None;
    }
    let mut names: BTreeSet<String> = members.get("Key")?.as_object()?.keys().cloned().collect();
    for expression in ["UpdateExpression", "ConditionExpression"] {
        if let Some(expression) = members.get(expression) {
            let aliases = members.get("ExpressionAttributeNames");
            collect(expression.as_str()?, aliases, &mut names)?;
        }
    }
    Some(names)
}

/// Adds to `names` the attributes that an expression names; none if the expression can't be parsed.
fn collect(expression: &str, aliases: Option<&Value>, names: &mut BTreeSet<String>) -> Option<()> {
    let mut rest = expression.trim_start_matches(parts_terms);
    while !rest.is_empty() {
        let (term, after) = rest.split_at(rest.find(parts_terms).unwrap_or(rest.len()));
        let is_called = after.trim_start().starts_with('(');
        rest = after.trim_start_matches(parts_terms);
        if let Some(value) = term.strip_prefix(':') {
            is_name(value).then_some(())?;
            continue;
        }
        let is_word = WORDS.contains(&term.to_ascii_uppercase().as_str());
        let is_function = is_called && FUNCTIONS.contains(&term);
        if !is_word && !is_function {
            names.insert(top_of(term, aliases)?);
        }
    }
    Some(())
}

/// Whether a character separates names, values, keywords and functions.
fn parts_terms(character: char) -> bool {
    character.is_whitespace() || "(),=<>+-".contains(character)
}

/// The attribute that a path such as `seen.#id` or `#a[0].b` begins with.
fn top_of(path: &str, aliases: Option<&Value>) -> Option<String> {
    let (top, _within) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    if let Some(alias) = top.strip_prefix('#') {
        is_name(alias).then_some(())?;
        return aliases?.get(top)?.as_str().map(str::to_owned);
    }
    is_name(top).then(|| top.to_owned())
}

fn is_name(text: &str) -> bool {
    let fits = |it: char| it.is_ascii_alphanumeric() || it == '_';
    !text.is_empty() && text.chars().all(fits)
}
