//! The shapes of items and events: their members and spellings, without what differs from one filling to the next.

use std::collections::BTreeSet;

use serde_json::Value;

/// One line for each member of each shape of item, sorted.
pub fn of_items(items: &[Value]) -> String {
    let mut lines = BTreeSet::new();
    for item in items {
        let kind = item["kind"]["S"].as_str().unwrap_or("-");
        let key = generic(item["pk"]["S"].as_str().unwrap_or_default());
        let mut members = Vec::new();
        walk(item, "", &mut members);
        lines.extend(members.into_iter().map(|member| format!("{kind} {key} {member}")));
    }
    text(lines)
}

/// One line for each member of each event, sorted.
pub fn of_events(events: &[Value]) -> String {
    let mut lines = BTreeSet::new();
    for event in events {
        let name = event["detail-type"].as_str().unwrap_or("-");
        let mut members = Vec::new();
        walk(event, "", &mut members);
        lines.extend(members.into_iter().map(|member| format!("{name} {member}")));
    }
    text(lines)
}

fn text(lines: BTreeSet<String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Each leaf with the path to it. Members of an array are one.
fn walk(value: &Value, path: &str, members: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let name = if is_name(name) { name.clone() } else { generic(name) };
                walk(value, &format!("{path}/{name}"), members);
            }
        }
        Value::Array(array) => {
            for value in array {
                walk(value, &format!("{path}/*"), members);
            }
        }
        // What differs are numbers and bytes; what they mean is said by the path.
        Value::String(_) if path.ends_with("/N") || path.ends_with("/B") => members.push(path.to_owned()),
        Value::String(text) => members.push(format!("{path} {}", generic(text))),
        Value::Number(_) => members.push(format!("{path} number")),
        other => members.push(format!("{path} {other}")),
    }
}

/// Whether this is what a member of a document is called, and no id that a map is kept by.
fn is_name(name: &str) -> bool {
    name.len() < 26 && name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_' || it.is_ascii_digit())
        || matches!(name, "S" | "N" | "M" | "L" | "B" | "SS" | "BOOL" | "NULL")
}

/// The text with … in place of what is made of chance, time or counting.
fn generic(text: &str) -> String {
    if text.starts_with('$') {
        return "a hash".to_owned();
    }
    let parts = text.split_inclusive(['#', ':', '@', ' ', '!']);
    let generic = |part: &str| {
        let end = part.len() - usize::from(part.ends_with(['#', ':', '@', ' ', '!']));
        let (part, end) = part.split_at(end);
        // Base 32 happens to hold no digit now and then.
        let is_base32 = part.len() > 11 && part.bytes().all(|it| it.is_ascii_uppercase() || it == b'-');
        let made = part.bytes().any(|it| it.is_ascii_digit()) || part.len() > 26 || is_base32;
        match part.split_once('-') {
            Some((prefix, rest)) if made && is_prefix(prefix, rest) => format!("{prefix}-…{end}"),
            _ if made => format!("…{end}"),
            _ => format!("{part}{end}"),
        }
    };
    let text: String = parts.map(generic).collect();
    // A time is made of several such parts.
    text.replace("…:…:…", "…")
}

/// Whether refids or names of tests begin so.
fn is_prefix(prefix: &str, rest: &str) -> bool {
    let upper = |text: &str| text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    let is_refid = prefix.len() == 2 && upper(prefix) && upper(rest);
    is_refid
        || ["PROD", "client", "fresh", "partner", "person", "below", "invited", "unconfirmed", "stranger"]
            .contains(&prefix)
}
