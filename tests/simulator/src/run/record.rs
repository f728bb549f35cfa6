//! The record of a finished run, for the judges.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use crate::cloud::{Commit, Process};
use crate::run::callers::Attempt;
use crate::run::deployment::Deployment;
use crate::workload::command::Command;
use crate::workload::people::Asked;
use crate::workload::programs::Heard;

#[derive(Debug)]
pub struct Record {
    pub deployment: Rc<Deployment>,
    pub commands: Vec<Command>,
    pub attempts: Vec<Attempt>,
    pub asked: Vec<Asked>,
    pub heard: Vec<Heard>,
    /// The items in the table at the end.
    pub items: Vec<Arc<Value>>,
    pub commits: Vec<Commit>,
    /// The index of the first commit after the set-up.
    pub from: usize,
    /// Every run of a function that received an event.
    pub handled: Vec<Process>,
    /// How many records and events were given up on for good.
    pub left: usize,
    /// How many unreadable records were put into the stream.
    pub poisoned: usize,
}

#[derive(Debug)]
pub struct Problem {
    pub what: String,
    /// The words that select the relevant lines of the history.
    pub about: Vec<String>,
}

impl Problem {
    pub fn of(command: &Command, what: &str) -> Self {
        let name = crate::run::callers::name(command);
        let about = [Some(name.clone()), command.key.clone()];
        Self { what: format!("{name}: {what}"), about: about.into_iter().flatten().collect() }
    }

    /// A problem that does not concern a single command.
    pub fn general(what: String) -> Self {
        Self { what, about: vec!["weather".to_owned()] }
    }
}

pub fn doc(item: &Value) -> &Value {
    &item["doc"]["M"]
}

/// A string in a document; empty if it is missing.
pub fn text<'a>(doc: &'a Value, member: &str) -> &'a str {
    doc[member]["S"].as_str().unwrap_or_default()
}

/// A number in a document; `u64::MAX` if it is missing.
pub fn number(doc: &Value, member: &str) -> u64 {
    doc[member]["N"].as_str().and_then(|it| it.parse().ok()).unwrap_or(u64::MAX)
}

pub fn kind(item: &Value) -> &str {
    item["kind"]["S"].as_str().unwrap_or_default()
}
