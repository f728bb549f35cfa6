//! Judges seats: what each commit did to them, and what programs were told.
//!
//! Invariants: a licence counts as many seats as installations hold one, and never more than it has; a seat is given
//! only by a licence that is in use; and each program was told what was true at some moment between question and
//! answer. Whether a lease has ended depends on clocks that are not in step, so that is true or not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloud::{Change, Commit};
use crate::run::record::{Problem, Record, doc, kind, number, text};
use crate::workload::programs::{Act, Heard, fingerprint};

/// A licence and its seats, from one commit on.
#[derive(Debug, Clone, Default)]
struct State {
    status: String,
    /// `None`: any number.
    limit: Option<u64>,
    leased: bool,
    counted: u64,
    holders: BTreeSet<String>,
}

/// Who got a seat by a commit, and who lost one.
#[derive(Debug, Default)]
struct Moved {
    got: BTreeSet<String>,
    lost: BTreeSet<String>,
}

/// The changes of a licence and its seats.
fn changes_of<'a>(commit: &'a Commit, refid: &str) -> impl Iterator<Item = &'a Change> {
    let places = ["LI", "AC"].map(|noun| format!("{noun}#{refid}"));
    commit.changes.iter().filter(move |change| places.contains(&change.key.0))
}

fn noun_of(change: &Change) -> &str {
    change.key.0.split('#').next().unwrap_or_default()
}

impl State {
    fn read(&mut self, item: &Value) {
        let doc = doc(item);
        text(doc, "status").clone_into(&mut self.status);
        self.limit = Some(number(doc, "parallel_uses")).filter(|limit| *limit != u64::MAX);
        self.leased = doc["grants"]["M"]["lease"]["S"].is_string();
        self.counted = item["seats"]["N"].as_str().map_or(0, |it| it.parse().expect("a number"));
    }

    /// Follows what a commit does to this licence. Returns who got a seat, and who lost one.
    fn follow(&mut self, commit: &Commit, refid: &str) -> Moved {
        let mut moved = Moved::default();
        for change in changes_of(commit, refid) {
            let named = |item: &Value| text(doc(item), "fingerprint").to_owned();
            match (noun_of(change), change.old.as_deref(), change.new.as_deref()) {
                ("LI", _, Some(new)) => self.read(new),
                ("AC", None, Some(new)) => {
                    moved.got.insert(named(new));
                    self.holders.insert(named(new));
                }
                ("AC", Some(old), None) => {
                    moved.lost.insert(named(old));
                    self.holders.remove(&named(old));
                }
                _ => {}
            }
        }
        moved
    }

    /// Whether whoever asked this may take the seat of these.
    fn allows(&self, moved: &Moved, heard: &Heard) -> Result<(), String> {
        let own = fingerprint(heard.machine);
        match heard.act {
            Act::Deactivate if moved.lost == BTreeSet::from([own]) => Ok(()),
            // Without a lease nobody lapses.
            Act::Activate { replaces } if moved.lost.is_empty() || replaces || self.leased => Ok(()),
            Act::Heartbeat if moved.lost.is_empty() || self.leased => Ok(()),
            _ if moved.lost.is_empty() && moved.got.is_empty() => Ok(()),
            act => Err(format!("{act:?} took the seats of {:?}", moved.lost)),
        }
    }

    fn must_add_up(&self, moved: &Moved) -> Result<(), String> {
        let held = self.holders.len() as u64;
        if held != self.counted {
            return Err(format!("{} seats are counted, and {held} are held", self.counted));
        }
        if self.limit.is_some_and(|limit| held > limit) {
            return Err(format!("{held} of {:?} seats are held", self.limit));
        }
        if !moved.got.is_empty() && self.status != "active" {
            return Err(format!("a licence that is {} gave a seat", self.status));
        }
        Ok(())
    }

    /// Whether this could be told to a machine.
    fn tells(&self, act: Act, machine: usize, code: &str) -> bool {
        let held = self.holders.contains(&fingerprint(machine));
        match code {
            "valid" => self.status == "active" && held,
            "suspended" | "revoked" => self.status == code,
            "not_yet_active" => self.status == "pending",
            "not_activated" => !held || self.leased || act == Act::Deactivate,
            "too_many_activations" => self.limit.is_some_and(|limit| self.holders.len() as u64 >= limit),
            // A key that was replaced, or a licence that has expired since a clock was turned.
            "not_found" | "expired" => true,
            _ => false,
        }
    }
}

pub fn judge(record: &Record) -> Result<(), Problem> {
    let licences: BTreeSet<&str> = record.heard.iter().map(|it| it.licence.as_str()).collect();
    for licence in licences {
        let mut states = vec![(0, State::default())];
        for commit in &record.commits {
            if changes_of(commit, licence).next().is_none() {
                continue;
            }
            let mut state = states.last().map(|(_, state)| state.clone()).unwrap_or_default();
            let moved = state.follow(commit, licence);
            let by = commit.by.as_ref().map_or("nobody", |it| it.name());
            let wrong = |what| Problem { what: format!("{by}: {what}"), about: vec![by.to_owned(), "g.".to_owned()] };
            state.must_add_up(&moved).map_err(wrong)?;
            if let Some(heard) = record.heard.iter().find(|heard| heard.name == by) {
                state.allows(&moved, heard).map_err(wrong)?;
            }
            states.push((commit.at, state));
        }
        for heard in record.heard.iter().filter(|heard| heard.licence == licence) {
            told(record, &states, heard)?;
        }
    }
    Ok(())
}

fn kind_of(change: &Change) -> &str {
    change.new.as_deref().or(change.old.as_deref()).map_or("", kind)
}

/// Checks that an answer was true at some moment between question and answer.
fn told(record: &Record, states: &[(u64, State)], heard: &Heard) -> Result<(), Problem> {
    let Some(reply) = heard.reply.as_ref().filter(|reply| ![429, 503].contains(&reply.status)) else { return Ok(()) };
    let wrong =
        |what: String| Err(Problem { what: format!("{}: {what}", heard.name), about: vec![heard.name.clone()] });
    if reply.status >= 500 {
        return wrong(format!("was answered with {}", reply.status));
    }
    let by_operator = matches!(heard.act, Act::Suspend | Act::Reinstate | Act::Renew | Act::Rotate | Act::Revoke);
    if by_operator {
        return Ok(());
    }
    let first = states.partition_point(|(at, _)| *at < heard.from).saturating_sub(1);
    let end = states.partition_point(|(at, _)| *at <= heard.until).max(first + 1);
    let code = reply.text("code");
    if !states[first..end].iter().any(|(_, state)| state.tells(heard.act, heard.machine, code)) {
        return wrong(format!("was told {code}, which was true at no moment"));
    }
    let seated = record.commits.iter().filter(|commit| commit.by.as_ref().is_some_and(|it| it.name() == heard.name));
    let new = seated.flat_map(|commit| &commit.changes).any(|it| it.old.is_none() && kind_of(it) == "activation");
    if reply.status == 201 && !new {
        return wrong("was told that it has a new seat, which nothing gave it".to_owned());
    }
    Ok(())
}
