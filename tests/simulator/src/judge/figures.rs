//! Checks the figures that were rolled up against a plain recount of what exists in the end.
//!
//! Invariants: each figure is the sum of what was created in its period, none is missing, and each is in the rankings
//! it belongs to. No run declared everything counted up to a moment while the list had a mark from before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use purser_store::engine::keys::shard;
use serde_json::Value;

use crate::cloud::{Change, Commit};
use crate::run::record::{Problem, Record, doc, kind, number, text};

/// Counts by name. A missing name means 0.
type Counts = BTreeMap<String, i64>;
/// Counts by noun and scope (as in the figure's key) and by period.
type Figures = BTreeMap<(String, String), Counts>;

pub fn judge(record: &Record) -> Result<(), Problem> {
    let (recounted, rolled_up) = (recount(&record.items), rolled_up(&record.items)?);
    let nothing = Counts::new();
    for key in recounted.keys().chain(rolled_up.keys()) {
        let right = recounted.get(key).unwrap_or(&nothing);
        let found = rolled_up.get(key).unwrap_or(&nothing);
        if right != found {
            let place = place(record, &key.0);
            return wrong(format!("{place} of {} is {found:?} instead of {right:?}", key.1));
        }
    }
    claims(record)
}

fn wrong(what: String) -> Result<(), Problem> {
    let about = ["rollup", "project-timeline", "clock"];
    let about = about.map(str::to_owned).to_vec();
    Err(Problem { what, about })
}

/// Names a figure, with its wallet by number, since refids differ between runs.
fn place(record: &Record, of: &str) -> String {
    let (noun, scope) = of.split_once('#').unwrap_or_default();
    let (owner, client) = scope.split_once('@').unwrap_or((scope, ""));
    let owner = match record.deployment.names.place(owner) {
        Some(place) => format!("wallet {place}"),
        None => "all".to_owned(),
    };
    let client = if client.is_empty() { "" } else { " with a client" };
    format!("the figure {noun} of {owner}{client}")
}

fn recount(items: &[Arc<Value>]) -> Figures {
    let mut figures = Figures::new();
    for item in items {
        let Some((noun, counts)) = adds(item) else {
            continue;
        };
        let made = text(doc(item), "created_at");
        for scope in scopes(item) {
            for period in periods(made, &scope) {
                let figure = (format!("{noun}#{scope}"), period);
                let sums = figures.entry(figure).or_default();
                for (name, count) in &counts {
                    *sums.entry(name.clone()).or_default() += count;
                }
            }
        }
    }
    for sums in figures.values_mut() {
        sums.retain(|_, sum| *sum != 0);
    }
    figures.retain(|_, sums| !sums.is_empty());
    figures
}

/// The scopes in which a thing is counted: everybody, its reseller, and for a licence both of these again for its
/// client.
fn scopes(item: &Value) -> Vec<String> {
    let named = |member: &str| doc(item)[member]["S"].as_str();
    let owners = ["-"].into_iter().chain(named("reseller"));
    let owners: Vec<String> = owners.map(str::to_owned).collect();
    let client = named("client").filter(|_| kind(item) == "licence");
    let of_client = owners.iter().filter_map(|owner| client.map(|client| format!("{owner}@{client}")));
    let of_client: Vec<String> = of_client.collect();
    [owners, of_client].concat()
}

/// The noun of the figures that count a thing, and what it adds to them.
fn adds(item: &Value) -> Option<(&'static str, Vec<(String, i64)>)> {
    let doc = doc(item);
    let status = text(doc, "status").to_owned();
    let named = |name: &str, count: i64| (name.to_owned(), count);
    let added = match kind(item) {
        "client" | "deleted_client" => {
            let is_resold = doc["reseller"]["S"].is_string();
            let owned = if is_resold { "resold" } else { "standalone" };
            ("CL", vec![named("clients", 1), (status, 1), named(owned, 1)])
        }
        "entry" => {
            let amount = i64::try_from(number(doc, "amount")).expect("a small amount");
            let (distributed, spent, outstanding) = match text(doc, "type") {
                "credit" => (amount, 0, amount),
                "debit" => (0, amount, -amount),
                "refund" => (0, -amount, amount),
                "transfer_in" => (0, 0, amount),
                _ => (0, 0, -amount),
            };
            let counts = [("distributed", distributed), ("spent", spent), ("outstanding", outstanding)];
            let counts = counts.map(|(name, count)| named(name, count));
            ("EN", counts.to_vec())
        }
        "licence" => {
            let (active, counted) = (status == "active", status != "revoked");
            let product = format!("product:{}", text(doc, "product"));
            let counts =
                vec![named("minted", 1), named("active_licences", i64::from(active)), (product, i64::from(counted))];
            ("LI", counts)
        }
        "reseller" => {
            let tier = format!("tier:{}", text(doc, "tier"));
            ("RS", vec![(tier, i64::from(status != "pending"))])
        }
        _ => return None,
    };
    Some(added)
}

/// The keys of the periods that contain a moment: `2026-01-31T09:30:00.000Z` belongs to an hour, a day, a month, a
/// year and to all time. No days or years are kept for a client.
fn periods(moment: &str, scope: &str) -> Vec<String> {
    let levels = [("H#", 13), ("D#", 10), ("M#", 7), ("Y#", 4), ("A", 0)];
    let kept = |(level, _): &(&str, usize)| !scope.contains('@') || !["D#", "Y#"].contains(level);
    let key = |(level, length): (&str, usize)| format!("{level}{}", &moment[..length]);
    levels.into_iter().filter(kept).map(key).collect()
}

/// The keys under which a figure is listed in the first three indexes.
fn listed(noun: &str, scope: &str, period: &str, counts: &Counts) -> [Option<(String, String)>; 3] {
    if scope == "-" || period.starts_with("H#") {
        return [None, None, None];
    }
    let client = scope.split_once('@');
    let list = client.map_or("RK", |_| "RC");
    let among = Some((format!("{list}#{noun}#{period}"), scope.to_owned()));
    let Some((owner, client)) = client.filter(|_| period == "A") else {
        return [None, among, None];
    };
    let owner = match owner {
        "-" => format!("-#{}", shard(client)),
        reseller => reseller.to_owned(),
    };
    let held = counts.iter().filter(|(name, _)| name.starts_with("product:"));
    let held: Vec<i64> = held.map(|(_, count)| *count).filter(|it| *it > 0).collect();
    let place = |ranking: &str, amount: i64| {
        let place = (format!("TC@{ranking}#{owner}"), format!("{amount:020}#{client}"));
        (amount > 0).then_some(place)
    };
    let products = i64::try_from(held.len()).expect("few products");
    let licences = place("licences", held.iter().sum());
    [licences, among, place("products", products)]
}

/// The figures in the table. Fails if one of them has the wrong keys in the indexes.
fn rolled_up(items: &[Arc<Value>]) -> Result<Figures, Problem> {
    let mut figures = Figures::new();
    for item in items.iter().filter(|it| kind(it) == "figure") {
        let (pk, period) = (attribute(item, "pk"), attribute(item, "sk"));
        let of = pk.strip_prefix("RU#").unwrap_or_default();
        let (noun, scope) = of.split_once('#').unwrap_or_default();
        let counts = doc(item)["counts"]["M"].as_object().into_iter().flatten();
        let count = |value: &Value| value["N"].as_str().and_then(|it| it.parse().ok());
        let counts = counts.map(|(name, value)| (name.clone(), count(value).expect("a count")));
        let counts: Counts = counts.filter(|(_, count)| *count != 0).collect();
        let found = [1, 2, 3].map(|index| {
            let part = |name: &str| item[format!("gsi{index}{name}")]["S"].as_str();
            Some((part("pk")?.to_owned(), part("sk")?.to_owned()))
        });
        if found != listed(noun, scope, period, &counts) {
            wrong(format!("the figure {noun} of {period} has the wrong keys in the indexes"))?;
        }
        figures.insert((of.to_owned(), period.to_owned()), counts);
    }
    Ok(figures)
}

fn attribute<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

/// Checks the moment up to which each run declared everything counted: it must be earlier than the time of every mark
/// that was in the list when the run began.
fn claims(record: &Record) -> Result<(), Problem> {
    let lag = record.deployment.cloud.longest_lag();
    // The marks in the list: when each was listed, and since when its hour has been dirty.
    let mut listed: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    let mut began: BTreeMap<&str, u64> = BTreeMap::new();
    for (commit, change) in changes(record) {
        let Some(new) = &change.new else { continue };
        let pk = change.key.0.as_str();
        if pk.starts_with("DM#") {
            let place = attribute(new, "gsi4sk");
            match place.split_once('#') {
                None => drop(listed.remove(pk)),
                Some((since, _)) => drop(listed.entry(pk).or_insert((commit.at, since))),
            }
        }
        if pk != "RL#rollup" {
            continue;
        }
        let by = commit.by.as_ref().map_or("nobody", |it| it.name());
        let began = *began.entry(by).or_insert(commit.at);
        let said = text(doc(new), "as_of");
        let is_new = change.old.as_deref().is_none_or(|old| doc(old) != doc(new));
        let overlooked = |(at, since): &&(u64, &str)| at + lag < began && *since <= said;
        if is_new && listed.values().any(|it| overlooked(&it)) {
            return wrong(format!("{by} declared everything counted up to {said}, which overlooks a mark"));
        }
    }
    Ok(())
}

fn changes(record: &Record) -> impl Iterator<Item = (&Commit, &Change)> {
    let commits = record.commits.iter();
    commits.flat_map(|commit| commit.changes.iter().map(move |it| (commit, it)))
}
