//! Checks the state of the system against what the callers know.
//!
//! Invariant: the check is pure, so that it can be tested on made-up histories. It makes no allowances: each entry,
//! licence and client must come from exactly one command.

mod money;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::history::{Answer, Reported, Wanted};
use super::kinds::POOR;

#[derive(Debug, Clone, Default)]
pub struct Wallet {
    /// The address that warnings about the wallet go to.
    pub email: String,
    pub threshold: u64,
    pub balance: u64,
    /// Oldest first.
    pub entries: Vec<Value>,
    /// The answer of `…/verify`.
    pub verified: Value,
    pub clients: Vec<Value>,
}

/// The state of the system, as it was read.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By the refid of the reseller.
    pub wallets: BTreeMap<String, Wallet>,
    /// Provisions that were read again, by the id of their command.
    pub provisions: BTreeMap<String, Value>,
    /// The answers to repeated commands, by the id of the command.
    pub repeats: BTreeMap<String, Answer>,
    /// The e-mails (address, subject); `None` while work that the commands caused goes on.
    pub mails: Option<Vec<(String, String)>>,
    pub dead_letters: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The id of the command concerned, if there is a single one.
    pub command: Option<String>,
    pub what: String,
}

pub fn check(told: &[Reported], found: &Found) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let traces = money::traces(found);
    for one in told {
        let mut say = |what: String| {
            wrong.push(Wrong { command: Some(one.command.id.clone()), what });
        };
        answer(one, told, &mut say);
        money::effect(one, &traces, found, &mut say);
    }
    for (reseller, wallet) in &found.wallets {
        money::ledger(reseller, wallet, told, &mut wrong);
        clients(reseller, wallet, told, &mut wrong);
    }
    money::refunds(told, found, &mut wrong);
    money::sum(told, found, &mut wrong);
    each_once("licence", told.iter().flat_map(Reported::licences), &mut wrong);
    let all = found.wallets.values().flat_map(|wallet| &wallet.clients);
    let addresses = all.filter_map(|client| client["email"].as_str());
    each_once("client with the address", addresses, &mut wrong);
    if let Some(mails) = &found.mails {
        consequences(told, found, mails, &mut wrong);
    }
    if found.dead_letters > 0 {
        general(&mut wrong, format!("{} dead letters", found.dead_letters));
    }
    wrong
}

fn general(wrong: &mut Vec<Wrong>, what: String) {
    wrong.push(Wrong { command: None, what });
}

fn answer(one: &Reported, told: &[Reported], say: &mut impl FnMut(String)) {
    let Some(answer) = &one.answer else {
        return say("the command has no final answer".to_owned());
    };
    let code = answer.json["code"].as_str().unwrap_or_default();
    let given = (answer.status, code);
    let right = match &one.command.wanted {
        Wanted::Entry | Wanted::TransferTo(_) => answer.status == 201 || given == POOR,
        Wanted::EntryOf(first) => {
            let first = told.iter().find(|it| it.command.id == *first);
            let first = first.and_then(|first| first.answer.as_ref());
            first.is_some_and(|first| first.bytes == answer.bytes)
        }
        Wanted::Client => answer.status == 201,
        Wanted::Change | Wanted::Refund(_) => answer.status == 200,
        Wanted::Refusal(refusals) => refusals.contains(&given),
    };
    if !right {
        return say(format!("{} {code} is not a valid answer to the command", answer.status));
    }
    if let Some(what) = money::misplaced(one) {
        say(what);
    }
}

/// Checks that the clients are exactly those that answers showed, each as the newest answer showed it.
fn clients(reseller: &str, wallet: &Wallet, told: &[Reported], wrong: &mut Vec<Wrong>) {
    let mut last: BTreeMap<&str, (&Reported, &Value)> = BTreeMap::new();
    for one in told.iter().filter(|it| it.command.reseller == reseller) {
        for client in one.clients() {
            let newer = |known: &(&Reported, &Value)| known.1["version"].as_u64() <= client["version"].as_u64();
            let refid = client["refid"].as_str().unwrap_or_default();
            if last.get(refid).is_none_or(newer) {
                last.insert(refid, (one, client));
            }
        }
    }
    for client in &wallet.clients {
        let refid = client["refid"].as_str().unwrap_or_default();
        match last.remove(refid) {
            None => general(wrong, format!("{reseller}: no command created the client {client}")),
            Some((_, known)) if known == client => {}
            Some((one, known)) => wrong.push(Wrong {
                command: Some(one.command.id.clone()),
                what: format!("its client is {client}, but the answer showed {known}"),
            }),
        }
    }
    for (one, client) in last.values() {
        wrong.push(Wrong {
            command: Some(one.command.id.clone()),
            what: format!("its client {} is missing", client["refid"]),
        });
    }
}

fn each_once<'a>(what: &str, all: impl Iterator<Item = &'a str>, wrong: &mut Vec<Wrong>) {
    let mut known = BTreeSet::new();
    for one in all.filter(|one| !known.insert(*one)) {
        general(wrong, format!("the {what} {one} exists twice"));
    }
}

/// Checks that each event led to at least one e-mail. Notices of a status wait for a minute, and up to an hour, so they
/// are left to the simulator, which has a clock to turn.
fn consequences(told: &[Reported], found: &Found, mails: &[(String, String)], wrong: &mut Vec<Wrong>) {
    let sent = |address: &str, fits: &dyn Fn(&str) -> bool| {
        let fitting = |mail: &&(String, String)| mail.0 == address && fits(&mail.1);
        mails.iter().filter(fitting).count()
    };
    for one in told {
        let mut say = |what: String| {
            wrong.push(Wrong { command: Some(one.command.id.clone()), what });
        };
        for address in one.new_addresses() {
            if sent(address, &|subject| subject.starts_with("Welcome to ")) == 0 {
                say(format!("no welcome e-mail was sent to {address}"));
            }
        }
    }
    for (reseller, wallet) in &found.wallets {
        let mut crossings: BTreeMap<u64, usize> = BTreeMap::new();
        let mut before = 0;
        for entry in &wallet.entries {
            let after = entry["balance_after"].as_u64().unwrap_or_default();
            if before >= wallet.threshold && after < wallet.threshold {
                *crossings.entry(after).or_default() += 1;
            }
            before = after;
        }
        for (left, times) in crossings {
            let credits = if left == 1 { "credit" } else { "credits" };
            let subject = format!("Your credit is low: {left} {credits} left");
            let warned = sent(&wallet.email, &|known| known == subject);
            if warned < times {
                general(wrong, format!("{reseller}: {times} falls below its threshold to {left}, {warned} warnings"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
