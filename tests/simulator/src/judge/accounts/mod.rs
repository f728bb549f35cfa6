//! Judges accounts: what each commit wrote about them, and which answers people got.
//!
//! Invariants: each address belongs to one user, and its guard names the same user; no session has another epoch than
//! its user; a token is used once; a sign-in proves the password that is valid in that very commit; an address is
//! confirmed only by a token that was sent to it by e-mail; each refused sign-in is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use purser_store::engine::secrets::sha256_hex;
use serde_json::Value;

use crate::cloud::{Change, Commit, Mail};
use crate::run::record::{Problem, Record, doc, number, text};
use crate::workload::people::{Ask, Asked};

mod answers;

/// The accounts in the table after some number of commits.
#[derive(Default)]
struct Accounts {
    users: BTreeMap<String, Arc<Value>>,
    /// When each user who is gone was deleted.
    deleted: BTreeMap<String, u64>,
    guards: BTreeMap<String, String>,
    sessions: BTreeMap<String, Arc<Value>>,
    /// The hash that each user's password is checked against.
    passwords: BTreeMap<String, String>,
    /// The password, by its number, behind each hash.
    hashed: BTreeMap<String, usize>,
    /// The epoch in which each session began.
    began_in: BTreeMap<String, u64>,
    used: BTreeSet<String>,
    spans: BTreeMap<String, Span>,
    /// Whom a user's sessions act for after each write: moment, user, reseller.
    members: Vec<(u64, String, String)>,
}

/// The life of a session: the moment of the commit that ended it, if one did.
#[derive(Debug, Clone, Copy)]
struct Span {
    ended: Option<u64>,
}

pub fn judge(record: &Record) -> Result<(), Problem> {
    let asked: BTreeMap<&str, &Asked> = record.asked.iter().map(|it| (it.name.as_str(), it)).collect();
    let mails = record.deployment.cloud.mails();
    let mut accounts = Accounts::default();
    for commit in &record.commits {
        let by = commit.by.as_ref().map_or("nobody", |it| it.name());
        let ask = asked.get(by).map(|it| &it.ask);
        let wrong = |what: String| Problem { what: format!("{by}: {what}"), about: vec![by.to_owned()] };
        accounts.note_hashes(commit, ask);
        let before = accounts.before(commit, ask, &mails);
        before.map_err(wrong)?;
        accounts.apply(commit);
        accounts.after(commit).map_err(wrong)?;
    }
    answers::judge(record, &accounts)
}

/// The noun of a changed item's key, and its id.
fn named(change: &Change) -> (&str, &str) {
    change.key.0.split_once('#').unwrap_or_default()
}

fn of_noun<'a>(commit: &'a Commit, noun: &'a str) -> impl Iterator<Item = (&'a str, &'a Change)> {
    let named = commit.changes.iter().map(|it| (named(it), it));
    named.filter(move |((of, _), _)| *of == noun).map(|((_, id), change)| (id, change))
}

fn is_some(doc: &Value, member: &str) -> bool {
    doc[member]["S"].is_string()
}

/// The sessions that an item lists: the id of each, and the hash of its secret.
fn listed(item: &Value) -> Vec<(&str, &str)> {
    let list = doc(item)["sessions"]["L"].as_array().into_iter().flatten();
    list.map(|it| (text(&it["M"], "id"), text(&it["M"], "secret_sha256"))).collect()
}

impl Accounts {
    /// Notes which password each new hash comes from: the one in the request that wrote the hash.
    fn note_hashes(&mut self, commit: &Commit, ask: Option<&Ask>) {
        let (Some(
            Ask::Confirm { password, .. } | Ask::Reset { password, .. } | Ask::ChangePassword { new: password, .. },
        ),) = (ask,)
        else {
            return;
        };
        for (_, change) in of_noun(commit, "PW") {
            if let Some(new) = change.new.as_deref().map(doc) {
                self.hashed.entry(text(new, "password").to_owned()).or_insert(*password);
            }
        }
    }

    /// Checks a commit against the accounts as they were before it.
    fn before(&self, commit: &Commit, ask: Option<&Ask>, mails: &[Mail]) -> Result<(), String> {
        for noun in ["US", "PW", "SE", "LA"] {
            for (_, change) in of_noun(commit, noun) {
                follows(noun, change)?;
            }
        }
        self.tokens(commit)?;
        for (refid, change) in of_noun(commit, "US") {
            confirmed(commit, refid, change, mails)?;
        }
        for (refid, change) in of_noun(commit, "SE") {
            self.opened(refid, change, ask)?;
        }
        for (refid, change) in of_noun(commit, "PW") {
            let hash = |item: &Option<Arc<Value>>| {
                let hash = item.as_ref().map(|it| text(doc(it), "password").to_owned());
                hash.unwrap_or_default()
            };
            let (old, new) = (hash(&change.old), hash(&change.new));
            if old.is_empty() || new.is_empty() || old == new {
                continue;
            }
            let user = of_noun(commit, "US").find(|(id, _)| *id == refid);
            let began = user.is_some_and(|(_, user)| epoch_of(user.old.as_deref()) != epoch_of(user.new.as_deref()));
            if !began {
                return Err("replaced a password without ending the user's sessions".to_owned());
            }
        }
        Ok(())
    }

    fn tokens(&self, commit: &Commit) -> Result<(), String> {
        let by = commit.by.as_ref().map_or("", |it| it.name());
        for (id, change) in of_noun(commit, "TK") {
            if by.starts_with("erase.") {
                self.erased(change)?;
                continue;
            }
            match (&change.old, &change.new) {
                (Some(_), Some(_)) => return Err("overwrote a token".to_owned()),
                (None, None) => return Err("used a token that does not exist".to_owned()),
                _ if self.used.contains(id) => return Err("used a token again".to_owned()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks that a token which nobody used is deleted only after its user was.
    fn erased(&self, change: &Change) -> Result<(), String> {
        let user = change.old.as_deref().map(|it| text(doc(it), "user"));
        if change.new.is_none() && user.is_none_or(|it| self.deleted.contains_key(it)) {
            return Ok(());
        }
        Err("erased a token of a user who was not deleted".to_owned())
    }

    /// Checks that a new session belongs to the user who has just proved their identity.
    fn opened(&self, refid: &str, change: &Change, ask: Option<&Ask>) -> Result<(), String> {
        let Some(new) = &change.new else {
            return Ok(());
        };
        let known = |(id, _): &(&str, &str)| self.began_in.contains_key(*id);
        if listed(new).iter().all(known) {
            return Ok(());
        }
        let own = self.passwords.get(refid);
        let own = own.and_then(|hash| self.hashed.get(hash));
        let given = match ask {
            Some(Ask::SignIn { email, password, .. }) => {
                let guard = self.guards.get(&crate::workload::people::address(*email));
                if guard.map(String::as_str) != Some(refid) {
                    return Err("signed in a different user".to_owned());
                }
                password
            }
            Some(Ask::ChangePassword { old, .. }) => old,
            _ => return Err("opened a session that nobody asked for".to_owned()),
        };
        let user = self.users.get(refid).map(|it| doc(it));
        if user.is_none_or(|user| text(user, "status") != "active") {
            return Err("signed in a user that is not active".to_owned());
        }
        if own != Some(given) {
            return Err(format!("signed in with password {given}, but the user's password is {own:?}"));
        }
        Ok(())
    }

    fn apply(&mut self, commit: &Commit) {
        for change in &commit.changes {
            let (noun, id) = named(change);
            let id = id.to_owned();
            let new = change.new.clone();
            match noun {
                "US" => {
                    if new.is_none() {
                        self.deleted.insert(id.clone(), commit.at);
                    }
                    put(&mut self.users, id, new);
                }
                "EU" => {
                    let user = new.map(|it| text(doc(&it), "user").to_owned());
                    put(&mut self.guards, id, user);
                }
                "PW" => {
                    let hash = new.map(|it| text(doc(&it), "password").to_owned());
                    put(&mut self.passwords, id, hash);
                }
                "TK" if new.is_none() => drop(self.used.insert(id)),
                "SE" => {
                    self.list(commit.at, &id, new.as_deref());
                    put(&mut self.sessions, id, new);
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, at: u64, user: &str, new: Option<&Value>) {
        let now = new.map(listed).unwrap_or_default();
        let before = self.sessions.get(user).map(|it| listed(it));
        let before = before.unwrap_or_default();
        for (_, secret) in before {
            if !now.iter().any(|(_, other)| *other == secret)
                && let Some(span) = self.spans.get_mut(secret)
            {
                span.ended = span.ended.or(Some(at));
            }
        }
        for (id, secret) in now {
            let began = epoch_of(new);
            self.began_in.entry(id.to_owned()).or_insert(began);
            let span = Span { ended: None };
            self.spans.entry(secret.to_owned()).or_insert(span);
        }
        let reseller = new.map(|it| text(doc(it), "reseller").to_owned());
        let reseller = reseller.unwrap_or_default();
        self.members.push((at, user.to_owned(), reseller));
    }

    fn after(&self, commit: &Commit) -> Result<(), String> {
        let touches = |nouns: &[&str]| commit.changes.iter().any(|it| nouns.contains(&named(it).0));
        if touches(&["US", "EU"]) {
            self.addresses()?;
        }
        if touches(&["US", "SE"]) {
            self.epochs()?;
        }
        Ok(())
    }

    fn addresses(&self) -> Result<(), String> {
        for (refid, user) in &self.users {
            if self.guards.get(text(doc(user), "email")) != Some(refid) {
                return Err("left a user whose address is not reserved for it".to_owned());
            }
        }
        for (email, refid) in &self.guards {
            let user = self.users.get(refid).map(|it| text(doc(it), "email"));
            if user != Some(email) {
                return Err("left an address reserved for a user that has a different one".to_owned());
            }
        }
        Ok(())
    }

    fn epochs(&self) -> Result<(), String> {
        for (refid, sessions) in &self.sessions {
            let user = self.users.get(refid);
            let user = user.ok_or("left sessions without a user")?;
            let (own, epoch) = (doc(sessions), epoch_of(Some(user)));
            if epoch_of(Some(sessions)) != epoch {
                return Err("left sessions whose epoch differs from their user's".to_owned());
            }
            let same = ["reseller", "operator"].iter();
            if same.into_iter().any(|it| own[*it] != doc(user)[*it]) {
                return Err("left sessions with a different role or reseller than their user".to_owned());
            }
            let older = |(id, _): &(&str, &str)| self.began_in.get(*id) != Some(&epoch);
            if listed(sessions).iter().any(older) {
                return Err("let a session outlive the epoch it began in".to_owned());
            }
        }
        Ok(())
    }
}

fn put<T>(map: &mut BTreeMap<String, T>, key: String, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

fn epoch_of(item: Option<&Value>) -> u64 {
    item.map_or(0, |it| number(doc(it), "epoch"))
}

/// Checks that each version of an item directly follows the one before, so that no write was lost. In `SE` items,
/// `seen` alone may change.
fn follows(noun: &str, change: &Change) -> Result<(), String> {
    let Some(new) = &change.new else {
        return Ok(());
    };
    let before = change.old.as_ref().map_or(0, |it| number(doc(it), "version"));
    let noted = change.old.as_deref().is_some_and(|it| doc(it) == doc(new));
    let version = number(doc(new), "version");
    if version == before + 1 || noun == "SE" && noted {
        return Ok(());
    }
    Err(format!("wrote version {version} of a {noun} item after version {before}"))
}

/// Checks that an address is confirmed only in a commit that uses up a token which was sent to it by e-mail.
fn confirmed(commit: &Commit, refid: &str, change: &Change, mails: &[Mail]) -> Result<(), String> {
    let Some(new) = change.new.as_deref().map(doc) else {
        return Ok(());
    };
    let old = change.old.as_deref().map(doc);
    let was = old.is_some_and(|it| is_some(it, "confirmed_at"));
    let moved = old.is_some_and(|it| it["email"] != new["email"]);
    if !is_some(new, "confirmed_at") || was && !moved {
        return Ok(());
    }
    let mailed = |id: &str| {
        let here = |mail: &&Mail| mail.to == text(new, "email");
        let token = |mail: &Mail| crate::workload::people::link_in(&mail.text);
        let tokens = mails.iter().filter(here).filter_map(token);
        tokens.map(|(_, token)| sha256_hex(token.as_bytes())).any(|it| it == id)
    };
    let used = of_noun(commit, "TK").any(|(id, token)| {
        let own = token.old.as_deref().map(|it| text(doc(it), "user"));
        token.new.is_none() && own == Some(refid) && mailed(id)
    });
    if used {
        return Ok(());
    }
    Err("confirmed an address without a token that was sent to it".to_owned())
}
