//! What is left of a run when it is over, for those who judge it.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use crate::cloud::{Commit, Process};
use crate::run::callers::Attempt;
use crate::run::deployment::Deployment;
use crate::workload::command::Command;
use crate::workload::people::Asked;

/// A run that is over.
#[derive(Debug)]
pub struct Record {
    /// Where it ran.
    pub deployment: Rc<Deployment>,
    /// What was asked for.
    pub commands: Vec<Command>,
    /// How often, and what was answered.
    pub attempts: Vec<Attempt>,
    /// What people asked for, and were answered.
    pub asked: Vec<Asked>,
    /// What there is in the end.
    pub items: Vec<Arc<Value>>,
    /// What was written, in order.
    pub commits: Vec<Commit>,
    /// Where the set-up ends in it.
    pub from: usize,
    /// Every run of a function that was handed an event.
    pub handled: Vec<Process>,
    /// What stream and bus hold that nobody takes.
    pub left: usize,
    /// How much of that nobody can take.
    pub poisoned: usize,
}

/// What is wrong, and whom it is about.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// Words by which the history tells of it.
    pub about: Vec<String>,
}

impl Problem {
    /// A problem with a command.
    pub fn of(command: &Command, what: &str) -> Self {
        let name = crate::run::callers::name(command);
        let about = [Some(name.clone()), command.key.clone()];
        Self { what: format!("{name}: {what}"), about: about.into_iter().flatten().collect() }
    }

    /// A problem that is no single command's.
    pub fn general(what: String) -> Self {
        Self { what, about: vec!["weather".to_owned()] }
    }
}

/// The document of an item.
pub fn doc(item: &Value) -> &Value {
    &item["doc"]["M"]
}

/// A text in a document.
pub fn text<'a>(doc: &'a Value, member: &str) -> &'a str {
    doc[member]["S"].as_str().unwrap_or_default()
}

/// A number in a document.
pub fn number(doc: &Value, member: &str) -> u64 {
    doc[member]["N"].as_str().and_then(|it| it.parse().ok()).unwrap_or(u64::MAX)
}

/// What kind of item it is.
pub fn kind(item: &Value) -> &str {
    item["kind"]["S"].as_str().unwrap_or_default()
}
