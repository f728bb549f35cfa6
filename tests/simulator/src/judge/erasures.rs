//! What must be erased once everything has settled: no stored answer names a client who was deleted, and nothing names
//! a user who was.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::judge::checks::{of_kind, wrong};
use crate::run::record::{Problem, Record, doc, kind, text};
use crate::workload::command::Action;

/// The items that belong to one user.
const OF_A_USER: [&str; 6] = ["US#", "PW#", "SE#", "AV#", "LH#", "TK#"];

pub fn judge(record: &Record) -> Result<(), Problem> {
    clients(record)?;
    users(record)
}

/// Checks that no item and no stored answer is left of a user who was deleted.
fn users(record: &Record) -> Result<(), Problem> {
    let gone: BTreeSet<&str> = of_kind(&record.items, "erasure").filter_map(|it| deleted_user(it)).collect();
    for item in &record.items {
        let pk = item["pk"]["S"].as_str().unwrap_or_default();
        let own = OF_A_USER.iter().find_map(|noun| pk.strip_prefix(noun));
        let named = own.is_some_and(|id| gone.contains(id) || gone.contains(text(doc(item), "user")));
        let answer = record.deployment.names.answer_in(item);
        if named || gone.iter().any(|refid| answer.contains(refid)) {
            let what = format!("an item of kind {} is left of a user who was deleted", kind(item));
            return Err(Problem { what, about: vec!["erase".to_owned()] });
        }
    }
    Ok(())
}

fn deleted_user(erasure: &Value) -> Option<&str> {
    doc(erasure)["subject"]["M"]["user"]["S"].as_str()
}

/// Checks that no stored answer names a client who was deleted, and that only answers which did are gone.
fn clients(record: &Record) -> Result<(), Problem> {
    let items = &record.items;
    let names = &record.deployment.names;
    let gone: BTreeSet<&str> = of_kind(items, "deleted_client").map(|it| text(doc(it), "refid")).collect();
    let labels = record.commands.iter().filter_map(|it| match &it.action {
        Action::DeleteClient { client } => Some(client),
        _ => None,
    });
    let deleted = labels.filter(|label| gone.contains(names.client(label).as_str()));
    let marks: BTreeSet<String> = deleted.map(|label| format!("\"name\":\"{label}\"")).collect();
    for item in items {
        let answer = names.answer_in(item);
        if marks.iter().any(|mark| answer.contains(mark)) {
            let what = format!("the answer in an item of kind {} still names a client who was deleted", kind(item));
            return Err(Problem { what, about: vec!["erase".to_owned()] });
        }
    }
    let sold = |entry: &Value| {
        let clients = doc(entry)["sale"]["M"]["clients"]["L"].as_array().cloned().unwrap_or_default();
        clients.iter().any(|it| it["S"].as_str().is_some_and(|it| gone.contains(it)))
    };
    let erased = |it: &&Value| text(doc(it), "type") == "debit" && !it["erased"].is_null();
    if of_kind(items, "entry").filter(erased).all(sold) {
        return Ok(());
    }
    wrong("the answer to a purchase was erased although no client of it was deleted".to_owned())
}
