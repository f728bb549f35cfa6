//! Checks what was written and what was answered against the model.
//!
//! Invariants: each write is what the model does at the same point in the order of writes; no idempotency key has two
//! effects; each answer is one that a consistent reader would have given at some moment between question and answer.

pub mod accounts;
pub mod checks;
pub mod erasures;
mod events;
pub mod figures;
pub mod model;
pub mod seats;

use std::collections::BTreeMap;

use serde_json::Value;

use self::model::{Model, Verdict, Wallet};
use crate::cloud::{Change, Commit};
use crate::run::callers::{Attempt, only_reads};
use crate::run::deployment::Names;
use crate::run::record::{Problem, Record, doc, kind, number, text};
use crate::workload::command::{Action, Command};
use crate::workload::market::{RESELLER_STATUSES, TIERS};

/// The states that the model went through, each with the moment it began.
struct States(Vec<(u64, Model)>);

impl States {
    fn last(&self) -> &Model {
        let (_, last) = self.0.last().expect("a state");
        last
    }

    /// The states that were current at some moment of this span. If two began in the same millisecond, both count.
    fn between(&self, from: u64, until: u64) -> &[(u64, Model)] {
        let first = self.0.partition_point(|(at, _)| *at < from).saturating_sub(1);
        let end = self.0.partition_point(|(at, _)| *at <= until).max(first + 1);
        self.0.get(first..end).unwrap_or_default()
    }
}

pub fn judge(record: &Record) -> Result<(), Problem> {
    let mut states = States(vec![(0, Model::at_the_start())]);
    // The index of the state that each attempt's write led to.
    let mut written: BTreeMap<u32, usize> = BTreeMap::new();
    for commit in record.commits.get(record.from..).unwrap_or_default() {
        let by = commit.by.as_ref();
        // Programs and their operator: `seats` judges them.
        if of_the_model(commit).next().is_none() || by.is_some_and(|it| it.name().starts_with("g.")) {
            continue;
        }
        let next = match by.and_then(crate::cloud::Process::attempt) {
            Some(number) => {
                let attempt = &record.attempts[number as usize];
                let command = &record.commands[attempt.command as usize];
                written.insert(number, states.0.len());
                commanded(record, &states, command, attempt, commit)?
            }
            None => ruled(record, &states, commit)?,
        };
        states.0.push((commit.at, next));
    }
    for (number, attempt) in record.attempts.iter().enumerate() {
        let number = u32::try_from(number).expect("few attempts");
        let led_to = written.get(&number).map(|place| &states.0[*place].1);
        answered(record, &states, attempt, led_to)?;
    }
    same_answers(record)
}

/// The nouns that the model does not know: claims of events, the use of API keys, what guesses and mails cost, accounts
/// (judged by [`self::accounts`]), roll-ups (judged by [`self::figures`]), rows to search, notices and erasures (judged
/// by [`self::checks`]).
const BESIDE: [&str; 21] = [
    "EV", "AK", "GB", "MB", "UP", "AQ", "AP", "TK", "US", "EU", "PW", "SE", "LA", "LH", "TL", "DM", "RU", "RL", "SQ",
    "NO", "ER",
];

/// The changes that the model knows. The record of an invitation belongs to the user that it creates.
fn of_the_model(commit: &Commit) -> impl Iterator<Item = &Change> {
    let invites = commit.changes.iter().any(|it| noun_of(it) == "US");
    let beside = move |noun: &str| BESIDE.contains(&noun) || invites && noun == "IK";
    commit.changes.iter().filter(move |it| !beside(noun_of(it)) && !only_erases(it))
}

/// Whether a change takes away a stored answer, and nothing else.
fn only_erases(change: &Change) -> bool {
    let without = |item: &Value| {
        let mut item = item.clone();
        let members = item.as_object_mut().expect("an item");
        members.retain(|name, _| !["answer", "erased"].contains(&name.as_str()));
        item
    };
    let (Some(old), Some(new)) = (change.old.as_deref(), change.new.as_deref()) else {
        return false;
    };
    !new["erased"].is_null() && new["answer"].is_null() && without(old) == without(new)
}

fn noun_of(change: &Change) -> &str {
    change.key.0.split('#').next().unwrap_or_default()
}

/// The state that a command's write leads to, or how that write disagrees with the model.
fn commanded(
    record: &Record,
    states: &States,
    command: &Command,
    attempt: &Attempt,
    commit: &Commit,
) -> Result<Model, Problem> {
    let now = states.last();
    // Items that a command only reads may have been read some time before its commit.
    let lag = record.deployment.cloud.longest_lag();
    let earlier =
        if command.only_reads_some() { states.between(attempt.from.saturating_sub(lag), commit.at) } else { &[] };
    let mut problem = None;
    for (_, then) in std::iter::once(&(0, now.clone())).chain(earlier.iter().rev()) {
        let seen = now.with_what_is_read(command, then);
        let found = match seen.judge(command) {
            Verdict::Done(next) => {
                let next = next.without_what_was_read(&seen, now);
                match agrees(record, now, &next, commit) {
                    Ok(()) => return Ok(next),
                    Err(what) => what,
                }
            }
            Verdict::Replay => "its idempotency key had a second effect".to_owned(),
            Verdict::Unchanged => "wrote something although the command changes nothing".to_owned(),
            Verdict::Refused(codes) => format!("succeeded although it had to be refused: {codes:?}"),
        };
        problem.get_or_insert(found);
    }
    Err(Problem::of(command, &problem.unwrap_or_default()))
}

/// The state that the write of a rule leads to, or how that write disagrees with the model.
fn ruled(record: &Record, states: &States, commit: &Commit) -> Result<Model, Problem> {
    let by = commit.by.as_ref().map_or("nobody", |it| it.name());
    let wrong = |what: &str| Problem {
        what: format!("{by}: {what}"),
        about: vec![by.split('.').next().unwrap_or_default().to_owned()],
    };
    let wallets = commit.changes.iter().filter_map(|it| it.new.as_deref()).filter(|it| kind(it) == "wallet");
    let refid = wallets.map(|it| text(doc(it), "reseller")).next();
    let place = refid.and_then(|it| record.deployment.names.place(it));
    let nouns: Vec<&str> = of_the_model(commit).map(noun_of).collect();
    let place = place.ok_or_else(|| wrong(&format!("wrote {nouns:?}, which no rule covers")))?;
    let next = states.last().hold_by_rule(place);
    let next = next.ok_or_else(|| wrong("held or released a reseller that the rule does not apply to"))?;
    agrees(record, states.last(), &next, commit).map_err(|what| wrong(&what))?;
    Ok(next)
}

fn agrees(record: &Record, before: &Model, after: &Model, commit: &Commit) -> Result<(), String> {
    let names = &record.deployment.names;
    wallets_agree(names, before, after, commit)?;
    let new = |wanted: &str| {
        let new = commit.changes.iter().filter(|it| it.old.is_none());
        new.filter_map(|it| it.new.as_deref()).filter(|it| kind(it) == wanted).count()
    };
    let is_revoked = |item: &Value| kind(item) == "licence" && text(doc(item), "status") == "revoked";
    let revoked =
        |it: &&Change| it.new.as_deref().is_some_and(is_revoked) && !it.old.as_deref().is_some_and(is_revoked);
    for (what, found, expected) in [
        ("wrote entries", new("entry"), after.posted() - before.posted()),
        ("minted licences", new("licence"), after.minted() - before.minted()),
        ("revoked licences", commit.changes.iter().filter(revoked).count(), after.revoked() - before.revoked()),
    ] {
        if found != expected {
            return Err(format!("{what}: {found} instead of {expected}"));
        }
    }
    terms_agree(names, before, after, commit)?;
    clients_agree(names, before, after, commit)
}

/// Checks that a licence has one term for each renewal that was not refunded, besides its first.
fn terms_agree(names: &Names, before: &Model, after: &Model, commit: &Commit) -> Result<(), String> {
    for ((wallet, key), new) in &after.purchases {
        let Some(old) = before.purchases.get(&(*wallet, key.clone())).filter(|old| old.terms != new.terms) else {
            continue;
        };
        let changed = (0..new.terms.len()).filter(|place| old.terms[*place] != new.terms[*place]);
        for place in changed {
            let licence = names.licences(&names.purchase(*wallet, key), &[place]).remove(0);
            let found = became(commit, "LI", &licence).map(|item| {
                let runs = doc(item)["tenure"]["M"]["runs"]["L"].as_array().into_iter().flatten();
                runs.map(|run| number(&run["M"], "terms")).sum::<u64>()
            });
            if found != Some(u64::from(new.terms[place])) {
                return Err(format!("left a licence with {found:?} terms instead of {}", new.terms[place]));
            }
        }
    }
    Ok(())
}

fn became<'a>(commit: &'a Commit, noun: &str, id: &str) -> Option<&'a Value> {
    let pk = format!("{noun}#{id}");
    commit.changes.iter().find(|change| change.key.0 == pk)?.new.as_deref()
}

fn wallets_agree(names: &Names, before: &Model, after: &Model, commit: &Commit) -> Result<(), String> {
    let shown = |it: &Wallet| {
        let (tier, status) = (TIERS[it.tier], RESELLER_STATUSES[it.status]);
        (it.balance, it.sequence, tier, status, it.hold, it.threshold)
    };
    for (place, (old, new)) in before.wallets.iter().zip(&after.wallets).enumerate() {
        let (old, new) = (shown(old), shown(new));
        match became(commit, "WA", names.wallet(place)).map(|item| wallet_of(doc(item))) {
            Some(found) if found != new => {
                return Err(format!("wallet {place} became {found:?} instead of {new:?}"));
            }
            None if old != new => {
                return Err(format!("wallet {place} was not written and should have become {new:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn clients_agree(names: &Names, before: &Model, after: &Model, commit: &Commit) -> Result<(), String> {
    for (label, new) in &after.clients {
        let Some(item) = became(commit, "CL", names.client(label).as_str()) else {
            if before.clients.get(label) == Some(new) {
                continue;
            }
            return Err(format!("did not write {label}, which should have become {new:?}"));
        };
        let same = if new.deleted {
            kind(item) == "deleted_client"
        } else {
            let owner = doc(item)["reseller"]["S"].as_str().and_then(|it| names.place(it));
            let (email, status) = (text(doc(item), "email"), text(doc(item), "status"));
            (email, status, owner) == (&new.email, new.status, new.owner)
        };
        if !same {
            return Err(format!("wrote {label} differently from {new:?}"));
        }
    }
    Ok(())
}

fn wallet_of(doc: &Value) -> (u64, u64, &str, &str, bool, u64) {
    (
        number(doc, "balance"),
        number(doc, "sequence"),
        text(doc, "tier"),
        text(doc, "status"),
        doc["hold_provisioning"]["BOOL"] == true,
        number(doc, "low_credit_threshold"),
    )
}

/// Checks that a consistent reader could have answered an attempt as it was answered.
fn answered(record: &Record, states: &States, attempt: &Attempt, led_to: Option<&Model>) -> Result<(), Problem> {
    let command = &record.commands[attempt.command as usize];
    let Some(reply) = &attempt.reply else {
        return Ok(());
    };
    let wrong = |what: String| Err(Problem::of(command, &what));
    let code = reply.text("code");
    let seen = states.between(attempt.from, attempt.until);
    let mut verdicts = seen.iter().map(|(_, state)| (state, state.judge(command)));
    let mut suspended = seen.iter().map(|(_, state)| state.is_suspended(command.by));
    match reply.status {
        429 | 503 => Ok(()),
        200..300 => {
            if only_reads(&command.action) {
                return read(command, seen, &reply.json);
            }
            if suspended.all(|it| it) {
                return wrong("was done for a reseller that was suspended all the time".to_owned());
            }
            let justified = |(_, verdict): &(&Model, Verdict)| matches!(verdict, Verdict::Replay | Verdict::Unchanged);
            if let Some(state) = led_to {
                return balance(command, state, &reply.json);
            }
            if verdicts.any(|it| justified(&it)) {
                return Ok(());
            }
            wrong(format!("was answered with {} although nothing was written", reply.status))
        }
        // The standing of a reseller is judged at the door, also for repeats.
        409 if code == "reseller_suspended" && !only_reads(&command.action) && suspended.any(|it| it) => Ok(()),
        // The answer of the first request named a client who has been deleted since.
        409 if code == "answer_erased" => {
            let erased =
                |(state, verdict): (&Model, Verdict)| verdict == Verdict::Replay && state.answer_may_be_erased(command);
            if verdicts.any(erased) {
                return Ok(());
            }
            wrong("was told that its answer was erased, which could be right at no moment".to_owned())
        }
        400..500 => {
            let fits = |(state, verdict): (&Model, Verdict)| {
                let Verdict::Refused(codes) = verdict else {
                    return false;
                };
                codes.contains(code) && (code != "insufficient_credits" || told_balance(command, state, &reply.json))
            };
            if verdicts.any(fits) {
                return Ok(());
            }
            wrong(format!("was refused with {code}, which was right at no moment"))
        }
        status => wrong(format!("was answered with {status} {code}")),
    }
}

/// Whether the balance in a refusal is true.
fn told_balance(command: &Command, state: &Model, json: &Value) -> bool {
    let balance = json["balance"].as_u64();
    let wallet = command.payer().map(|it| &state.wallets[it]);
    balance == wallet.map(|it| it.balance) && json["required"].as_u64() > balance
}

/// Checks that the balance in an answer is the one that the command left.
fn balance(command: &Command, after: &Model, json: &Value) -> Result<(), Problem> {
    let told = match command.action {
        Action::TopUp { .. } | Action::Transfer { .. } => json["balance_after"].as_u64(),
        Action::Spend { .. } | Action::Buy { .. } | Action::BuyForMany { .. } => json["balance"].as_u64(),
        _ => return Ok(()),
    };
    let left = command.payer().map(|it| after.wallets[it].balance);
    // A top-up with a known reference is answered with the balance after the first one.
    if told == left || matches!(&command.action, Action::TopUp { reference: Some(_), .. }) {
        return Ok(());
    }
    Err(Problem::of(command, &format!("was answered with a balance of {told:?}, but left {left:?}")))
}

/// Checks that what was read was true at some moment.
fn read(command: &Command, seen: &[(u64, Model)], json: &Value) -> Result<(), Problem> {
    let fits = |(_, state): &(u64, Model)| match command.action {
        Action::ReadWallet { wallet } => {
            let wallet = &state.wallets[wallet];
            json["balance"] == wallet.balance && json["sequence"] == wallet.sequence
        }
        _ => json["intact"] == true,
    };
    if seen.iter().any(fits) {
        return Ok(());
    }
    Err(Problem::of(command, &format!("was answered with {json}, which was true at no moment")))
}

/// Checks that all successful answers to one idempotency key are equal, byte for byte.
fn same_answers(record: &Record) -> Result<(), Problem> {
    let mut first: BTreeMap<u32, &[u8]> = BTreeMap::new();
    for attempt in &record.attempts {
        let command = &record.commands[attempt.command as usize];
        let reply = attempt.reply.as_ref().filter(|it| it.status < 300);
        if let (Some(reply), Some(_)) = (reply, &command.key) {
            let known = first.entry(attempt.command).or_insert(&reply.bytes);
            if *known != reply.bytes {
                return Err(Problem::of(command, "two answers to one idempotency key differ"));
            }
        }
    }
    Ok(())
}
