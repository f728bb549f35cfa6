//! What must be true once everything has settled, whatever happened before.
//!
//! Invariants: each wallet's ledger is intact; there is exactly one licence for each unit paid for; clients'
//! addresses are unique; clients and resellers are found by what they are called now, and nothing names those who were
//! deleted; every event was published and acted on once, and none was published that did not happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use purser_domain::basic::{EmailAddress, Name};
use purser_domain::money::entry::Audit;
use purser_domain::money::{Credits, Entry, Wallet};
use purser_domain::parties::search::found_by;
use purser_domain::parties::{Client, Reseller};
use purser_store::engine::keys::shard;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cloud::{Mail, Process};
use crate::judge::events::{self, fell_due};
use crate::run::deployment::Deployment;
use crate::run::record::{Problem, Record, doc, kind, number, text};

pub fn check(record: &Record) -> Result<(), Problem> {
    let items = &record.items;
    let checks = [
        ledger(&record.deployment, items),
        licences(items),
        addresses(items),
        search(items),
        events::judge(record),
        notices(record, items),
        claims(record, items),
        mails(record, items),
        nothing_left(record),
    ];
    checks.into_iter().collect()
}

pub(super) fn wrong(what: String) -> Result<(), Problem> {
    Err(Problem::general(what))
}

fn entity<T: DeserializeOwned>(item: &Value) -> T {
    let doc: serde_dynamo::AttributeValue = serde_json::from_value(item["doc"].clone()).expect("an attribute");
    serde_dynamo::from_attribute_value(doc).expect("an entity")
}

pub(super) fn of_kind<'a>(items: &'a [Arc<Value>], wanted: &'a str) -> impl Iterator<Item = &'a Value> {
    let items = items.iter().map(|item| &**item);
    items.filter(move |item| kind(item) == wanted)
}

/// Checks each ledger: the entries add up to the balance, their numbers have no gaps, and their hashes form a chain.
pub(crate) fn ledger(deployment: &Deployment, items: &[Arc<Value>]) -> Result<(), Problem> {
    let entries: Vec<Entry> = of_kind(items, "entry").map(entity).collect();
    let mut total: u64 = 0;
    for wallet in of_kind(items, "wallet").map(entity::<Wallet>) {
        let mut own: Vec<&Entry> = entries.iter().filter(|it| it.reseller == wallet.reseller).collect();
        own.sort_by_key(|entry| entry.sequence);
        let mut audit = Audit::of(&wallet.reseller, None);
        for entry in &own {
            audit.entry(entry, false);
        }
        let breaks = audit.finish(wallet.balance, wallet.sequence, wallet.head);
        let place = deployment.names.place(wallet.reseller.as_str());
        if !breaks.is_empty() {
            return wrong(format!("the ledger of wallet {place:?} is broken: {breaks:?}"));
        }
        if own.windows(2).any(|pair| pair[0].created_at > pair[1].created_at) {
            return wrong(format!("time runs backwards in wallet {place:?}"));
        }
        total += wallet.balance.get();
    }
    let sum = |kinds: &[&str]| {
        let of_them = entries.iter().filter(|it| kinds.contains(&it.kind.into_str()));
        of_them.map(|it| it.amount).map(Credits::get).sum::<u64>()
    };
    let moved = (sum(&["transfer_in"]), sum(&["transfer_out"]));
    if moved.0 != moved.1 {
        return wrong(format!("transfers took {} credits out of wallets but put {} in", moved.1, moved.0));
    }
    let expected = sum(&["credit", "refund"]) - sum(&["debit"]);
    if total != expected {
        return wrong(format!("all wallets together hold {total}, but their entries add up to {expected}"));
    }
    Ok(())
}

/// Checks that exactly one purchase paid for each licence, and that each unit paid for has its licence.
pub(crate) fn licences(items: &[Arc<Value>]) -> Result<(), Problem> {
    // What an operator gave has no provision.
    let sold = |it: &&Value| doc(it)["provision"]["S"].is_string();
    let mut minted: BTreeSet<&str> = of_kind(items, "licence").filter(sold).map(|it| text(doc(it), "refid")).collect();
    for entry in of_kind(items, "entry") {
        let sale = &doc(entry)["sale"]["M"];
        // A renewal sells a licence that is there.
        if !sale["renews"].is_null() {
            continue;
        }
        let sold = sale["licences"]["L"].as_array().into_iter().flatten();
        let sold: Vec<&str> = sold.filter_map(|it| it["S"].as_str()).collect();
        if !sale.is_null() && number(sale, "quantity") != sold.len() as u64 {
            return wrong(format!("a purchase of {} units sold {} licences", number(sale, "quantity"), sold.len()));
        }
        if let Some(lost) = sold.into_iter().find(|it| !minted.remove(it)) {
            return wrong(format!("a paid licence is missing, or was sold twice (an id of {} characters)", lost.len()));
        }
    }
    if minted.is_empty() {
        return Ok(());
    }
    wrong(format!("{} licences were never paid for", minted.len()))
}

fn addresses(items: &[Arc<Value>]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    let twice = of_kind(items, "client").map(|it| text(doc(it), "email")).find(|it| !seen.insert(*it));
    twice.map_or(Ok(()), |email| wrong(format!("two clients have the address {email}")))
}

/// Checks that every client and reseller has exactly the rows by which it should be found, and nobody else has any.
fn search(items: &[Arc<Value>]) -> Result<(), Problem> {
    let key = |item: &Value| (text_of(item, "pk"), text_of(item, "sk"));
    let found: BTreeSet<(String, String)> = of_kind(items, "search").map(key).collect();
    let mut expected = BTreeSet::new();
    let mut add = |pks: &[String], refid: &str, name: &Name, email: &EmailAddress| {
        for text in found_by(name, email) {
            let kept: String = text.chars().scan(0, |bytes, c| within(bytes, c, 64)).collect();
            expected.extend(pks.iter().map(|pk| (pk.clone(), format!("{kept}#{refid}"))));
        }
    };
    for client in of_kind(items, "client").map(entity::<Client>) {
        let refid = client.refid.as_str();
        let owner = client.reseller.as_ref().map(|reseller| format!("SQ#{reseller}"));
        let pks: Vec<String> = owner.into_iter().chain([format!("SQ#{}", shard(refid))]).collect();
        add(&pks, refid, &client.name, &client.email);
    }
    for reseller in of_kind(items, "reseller").map(entity::<Reseller>) {
        add(&["SQ#RS".to_owned()], reseller.refid.as_str(), &reseller.company_name, &reseller.email);
    }
    if found == expected {
        return Ok(());
    }
    let (over, missing) = (found.difference(&expected).count(), expected.difference(&found).count());
    let what = format!("{missing} rows to search are missing, and {over} should not be there");
    Err(Problem { what, about: vec!["project-timeline".to_owned()] })
}

/// The character, if it fits within so many bytes together with those before it.
fn within(bytes: &mut usize, c: char, most: usize) -> Option<char> {
    *bytes += c.len_utf8();
    (*bytes <= most).then_some(c)
}

fn text_of(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

/// Checks that clients are told of their last status, and of one change of many at most once an hour.
fn notices(record: &Record, items: &[Arc<Value>]) -> Result<(), Problem> {
    let mut told: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    let mut changed: BTreeMap<String, u64> = BTreeMap::new();
    let mut since: BTreeMap<String, u64> = BTreeMap::new();
    for commit in &record.commits {
        for change in &commit.changes {
            let Some(new) = change.new.as_deref() else { continue };
            let (new_doc, old_doc) = (doc(new), change.old.as_deref().map(doc));
            match (kind(new), fell_due(change)) {
                ("notice", Some((at, _))) => {
                    told.entry(text(new_doc, "client").to_owned()).or_default().push(at);
                    since.insert(text(new_doc, "client").to_owned(), commit.at);
                }
                ("client", _) if old_doc.is_some_and(|old| old["status"] != new_doc["status"]) => {
                    changed.insert(text(new_doc, "refid").to_owned(), commit.at);
                }
                _ => {}
            }
        }
    }
    for (client, at) in changed {
        let is_there = of_kind(items, "client").any(|it| text(doc(it), "refid") == client);
        if is_there && since.get(&client).is_none_or(|told| *told < at) {
            return wrong("a client was never told of its last status".to_owned());
        }
    }
    let hour = SignedDuration::from_hours(1);
    let early = |times: &Vec<Timestamp>| times.windows(2).any(|pair| pair[0].duration_until(pair[1]) < hour);
    if told.values().any(early) {
        return wrong("a client was told of its status twice within an hour".to_owned());
    }
    Ok(())
}

pub(super) fn id_of(event: &Value) -> &str {
    event["detail"]["id"].as_str().unwrap_or_default()
}

fn runs_for<'a>(record: &'a Record, function: &'a str, id: &'a str) -> impl Iterator<Item = &'a Process> + Clone {
    let of_it = move |run: &&Process| run.event() == Some(id) && run.name().starts_with(function);
    record.handled.iter().filter(of_it)
}

fn wrong_of<'a>(what: String, runs: impl Iterator<Item = &'a Process>) -> Problem {
    let about = runs.map(|it| it.name().to_owned()).collect();
    Problem { what, about }
}

const MAILERS: [&str; 2] = ["notify", "mail-links"];

/// Checks that every event that calls for an e-mail was handled to the end.
fn claims(record: &Record, items: &[Arc<Value>]) -> Result<(), Problem> {
    let deployment = &record.deployment;
    for told in deployment.cloud.told(0) {
        let mut consumers = deployment.consumers(&told.event);
        consumers.retain(|it| MAILERS.contains(&it.as_str()));
        let id = id_of(&told.event);
        for function in consumers {
            let pk = format!("EV#{function}#{id}");
            let claim = items.iter().find(|item| item["pk"]["S"] == pk);
            if claim.is_none_or(|claim| text(doc(claim), "state") != "done") {
                let what = format!("a {} was not handled to the end", told.event["detail-type"]);
                return Err(wrong_of(what, runs_for(record, &function, id)));
            }
        }
    }
    Ok(())
}

/// Checks that each event that calls for an e-mail led to one, and to a second one only if the sender could not know
/// whether it sent the first.
fn mails(record: &Record, items: &[Arc<Value>]) -> Result<(), Problem> {
    let deployment = &record.deployment;
    let sent = deployment.cloud.mails();
    let mut kinds: BTreeMap<String, Value> = BTreeMap::new();
    for told in deployment.cloud.told(0) {
        kinds.insert(id_of(&told.event).to_owned(), told.event);
    }
    for (id, event) in kinds {
        let client = match event["detail-type"].as_str().unwrap_or_default() {
            "CreditsRanLow" => None,
            "ClientCreated" | "ClientNoticeFellDue" => event["detail"]["client"].as_str(),
            _ => continue,
        };
        let is_there = |refid: &str| of_kind(items, "client").any(|it| text(doc(it), "refid") == refid);
        let of_it = |mail: &&Mail| mail.event.as_deref() == Some(id.as_str());
        let count = sent.iter().filter(of_it).count();
        let runs = runs_for(record, "notify", &id);
        let kind = &event["detail-type"];
        if count == 0 && client.is_none_or(is_there) {
            return Err(wrong_of(format!("no e-mail was sent for a {kind}"), runs));
        }
        let certain = !deployment.cloud.were_clocks_turned() && runs.clone().all(Process::was_spared);
        if count > 1 && certain {
            return Err(wrong_of(format!("{count} e-mails were sent for one {kind}"), runs));
        }
    }
    Ok(())
}

/// Checks that only unreadable records were given up on for good.
fn nothing_left(record: &Record) -> Result<(), Problem> {
    let Record { left, poisoned, .. } = record;
    if left == poisoned {
        return Ok(());
    }
    wrong(format!("{left} records and events are left over, but only {poisoned} of them are unreadable"))
}
