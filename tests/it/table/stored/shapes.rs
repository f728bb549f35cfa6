//! The shapes of items and events: their members and spellings, without what differs from one filling of a folder to
//! the next.

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

/// Adds the path to each leaf, with the leaf if it is text; the items of an array share one path.
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
        // Numbers and bytes differ from one filling to the next, so only their path counts.
        Value::String(_) if ["/N", "/B", "/key_hint/S"].iter().any(|end| path.ends_with(end)) => {
            members.push(path.to_owned());
        }
        Value::String(text) => members.push(format!("{path} {}", generic(text))),
        Value::Number(_) => members.push(format!("{path} number")),
        other => members.push(format!("{path} {other}")),
    }
}

/// Whether this is the name of a member, and not an id that serves as the key of a map.
fn is_name(name: &str) -> bool {
    name.len() < 26 && name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_' || it.is_ascii_digit())
        || matches!(name, "S" | "N" | "M" | "L" | "B" | "SS" | "BOOL" | "NULL")
}

/// The text with … in place of everything that comes from chance, time or counting.
fn generic(text: &str) -> String {
    if text.starts_with('$') {
        return "a hash".to_owned();
    }
    let parts = text.split_inclusive(['#', ':', '@', ' ', '!']);
    let generic = |part: &str| {
        let end = part.len() - usize::from(part.ends_with(['#', ':', '@', ' ', '!']));
        let (part, end) = part.split_at(end);
        // An id in base 32 may happen to have no digit.
        let is_base32 = part.len() > 11 && part.bytes().all(|it| it.is_ascii_uppercase() || it == b'-');
        let made = part.bytes().any(|it| it.is_ascii_digit()) || part.len() > 26 || is_base32;
        match part.split_once('-') {
            Some((prefix, rest)) if made && is_prefix(prefix, rest) => format!("{prefix}-…{end}"),
            _ if made => format!("…{end}"),
            _ => format!("{part}{end}"),
        }
    };
    let text: String = parts.map(generic).collect();
    // A time consists of three such parts.
    text.replace("…:…:…", "…")
}

/// Whether refids, or names that tests make up, begin with this prefix.
fn is_prefix(prefix: &str, rest: &str) -> bool {
    let upper = |text: &str| text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    let is_refid = prefix.len() == 2 && upper(prefix) && upper(rest);
    is_refid
        || ["PROD", "client", "fresh", "partner", "person", "below", "invited", "unconfirmed", "stranger"]
            .contains(&prefix)
}
