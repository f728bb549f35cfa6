//! Checks that each credit is where the answers said it went.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Found, Wallet, Wrong, general};
use crate::history::{Reported, Wanted, licences, revoked};

/// All entries, each with its wallet's reseller. The key is the description, which is the command's id.
pub type Traces<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a Value)>>;

pub fn traces(found: &Found) -> Traces<'_> {
    let mut traces = Traces::new();
    for (reseller, wallet) in &found.wallets {
        for entry in &wallet.entries {
            let id = entry["description"].as_str().unwrap_or_default();
            traces.entry(id).or_default().push((reseller, entry));
        }
    }
    traces
}

/// Checks that a command had exactly once the effect that its answer shows, or none if it was refused.
pub fn effect(one: &Reported, traces: &Traces<'_>, found: &Found, say: &mut impl FnMut(String)) {
    let command = &one.command;
    if !found.wallets.contains_key(&command.reseller) {
        return say(format!("its wallet {} is missing", command.reseller));
    }
    let left = traces.get(command.id.as_str()).into_iter().flatten();
    let (own, others): (Vec<_>, Vec<_>) = left.partition(|(wallet, _)| *wallet == command.reseller.as_str());
    match (one.entry(), own.as_slice()) {
        (None, []) => {}
        (Some(told), [(_, found)]) if told == *found => {}
        (Some(told), [(_, found)]) => {
            say(format!("its entry is {found}, but the answer showed {told}"));
        }
        (Some(_), []) => say("the command was acknowledged, but its entry is missing".to_owned()),
        (Some(_), many) => say(format!("the command has {} entries", many.len())),
        (None, many) => say(format!("the command was refused, but has {} entries", many.len())),
    }
    other_half(one, &others, say);
    let minted = one.licences();
    if one.entry().is_some() && minted.len() != one.units() {
        let (units, told) = (one.units(), minted.len());
        say(format!("the command paid for {units} licences, but the answer lists {told}"));
    }
    if let (Some(kept), Some(told)) = (found.provisions.get(&command.id), one.done()) {
        let told = &told.json;
        if licences(kept) != licences(told) || kept["entry"] != told["entry"] {
            say(format!("its provision is now {kept}"));
        }
    }
    if let (Some(again), Some(first)) = (found.repeats.get(&command.id), &one.answer)
        && (again.status, &again.bytes) != (first.status, &first.bytes)
    {
        let said = String::from_utf8_lossy(&again.bytes);
        say(format!("a repeat was answered with {} {said}", again.status));
    }
}

/// Checks that a transfer arrived in the right wallet, once and in full, and that nothing else arrived anywhere.
fn other_half(one: &Reported, others: &[(&str, &Value)], say: &mut impl FnMut(String)) {
    let sent = match &one.command.wanted {
        Wanted::TransferTo(to) => one.entry().map(|sent| (to.as_str(), sent)),
        _ => None,
    };
    match (sent, others) {
        (None, []) => {}
        (None, many) => say(format!("the command has {} entries in other wallets", many.len())),
        (Some(_), []) => say("the transfer was sent, but did not arrive".to_owned()),
        (Some((to, sent)), [(wallet, arrived)]) => {
            let back = json!({"reseller": one.command.reseller, "entry": sent["refid"]});
            let there = json!({"reseller": to, "entry": arrived["refid"]});
            if *wallet != to
                || arrived["type"] != "transfer_in"
                || arrived["amount"] != sent["amount"]
                || arrived["counterparty"] != back
                || sent["counterparty"] != there
            {
                say(format!("the transfer arrived at {wallet} as {arrived}, but was sent as {sent}"));
            }
        }
        (Some(_), many) => say(format!("the transfer arrived {} times", many.len())),
    }
}

/// How the entry in a command's answer differs from what was ordered, if it does.
pub fn misplaced(one: &Reported) -> Option<String> {
    let entry = one.entry()?;
    let told = (&entry["type"], &entry["amount"]);
    let right = match &one.command.wanted {
        Wanted::TransferTo(to) => {
            told == (&json!("transfer_out"), &one.command.body["amount"])
                && entry["counterparty"]["reseller"] == to.as_str()
        }
        Wanted::Refund(refund) => {
            let ended = revoked(&one.done()?.json);
            told == (&json!("refund"), &json!(refund.amount))
                && entry["provision"] == refund.provision.as_str()
                && refund.licences.iter().all(|it| ended.contains(&it.as_str()))
        }
        _ => true,
    };
    (!right).then(|| format!("the answer is wrong: {}", one.answer.as_ref().map_or(&Value::Null, |it| &it.json)))
}

/// Checks that each provision read again shows the refunded licences, and no others, as revoked, and the right refunds.
pub fn refunds(told: &[Reported], found: &Found, wrong: &mut Vec<Wrong>) {
    let mut done: BTreeMap<&str, Vec<&Reported>> = BTreeMap::new();
    for one in told {
        if let Some(refund) = one.refund() {
            done.entry(&refund.provision).or_default().push(one);
        }
    }
    for (id, provision) in &found.provisions {
        let mut say = |what: String| {
            wrong.push(Wrong { command: Some(id.clone()), what });
        };
        let refid = provision["refid"].as_str().unwrap_or_default();
        let done = done.get(refid).map_or(&[][..], Vec::as_slice);
        let refunds = || done.iter().filter_map(|one| one.refund());
        let ended: BTreeSet<&str> = revoked(provision).into_iter().collect();
        let units = refunds().flat_map(|it| &it.licences).map(String::as_str);
        let units: BTreeSet<&str> = units.collect();
        if ended != units {
            say(format!("the licences {units:?} were refunded, but {ended:?} are revoked"));
        }
        let returned: u64 = refunds().map(|it| it.amount).sum();
        if provision["refunded"] != returned {
            let says = &provision["refunded"];
            say(format!("{returned} credits were refunded, but the provision says {says}"));
        }
        let entries: Vec<&Value> = done.iter().filter_map(|one| one.entry()).collect();
        if provision["refunds"] != json!(entries) {
            let says = &provision["refunds"];
            say(format!("its refunds are {says} instead of {}", json!(entries)));
        }
    }
}

/// Checks that the wallets together hold what came in minus what went out. Transfers do not change the sum.
pub fn sum(told: &[Reported], found: &Found, wrong: &mut Vec<Wrong>) {
    let change = |entry: &Value| {
        let amount = i128::from(entry["amount"].as_u64().unwrap_or_default());
        match entry["type"].as_str() {
            Some("credit" | "refund") => amount,
            Some("debit") => -amount,
            _ => 0,
        }
    };
    let told: i128 = told.iter().filter_map(Reported::entry).map(change).sum();
    let balances = found.wallets.values().map(|it| i128::from(it.balance));
    let held: i128 = balances.sum();
    if told != held {
        let what = format!("credits and refunds minus debits are {told}, but the wallets hold {held}");
        general(wrong, what);
    }
}

/// Checks that the wallet's entries form a chain and add up to its balance, that the API verifies it as intact, and
/// that every entry was ordered by a command.
pub fn ledger(reseller: &str, wallet: &Wallet, told: &[Reported], wrong: &mut Vec<Wrong>) {
    let ordered: BTreeSet<&str> = told.iter().map(|told| told.command.id.as_str()).collect();
    let mut balance: u64 = 0;
    let mut head = Value::from("0".repeat(64));
    for (place, entry) in (1_u64..).zip(&wallet.entries) {
        let amount = entry["amount"].as_u64().unwrap_or_default();
        let after = match entry["type"].as_str() {
            Some("credit" | "refund" | "transfer_in") => balance.checked_add(amount),
            _ => balance.checked_sub(amount),
        };
        if entry["sequence"] != place
            || entry["previous_hash"] != head
            || after.is_none_or(|after| entry["balance_after"] != after)
        {
            let what = format!("{reseller}: entry {place} does not continue a balance of {balance}: {entry}");
            general(wrong, what);
        }
        if !ordered.contains(entry["description"].as_str().unwrap_or_default()) {
            general(wrong, format!("{reseller}: no command ordered {entry}"));
        }
        balance = after.unwrap_or_default();
        head = entry["hash"].clone();
    }
    if balance != wallet.balance {
        let held = wallet.balance;
        general(wrong, format!("{reseller}: the entries add up to {balance}, but the balance is {held}"));
    }
    let intact = &wallet.verified;
    if intact["intact"] != true || intact["entries"] != wallet.entries.len() {
        general(wrong, format!("{reseller}: the wallet's verification says {intact}"));
    }
}

#[cfg(test)]
mod tests;
