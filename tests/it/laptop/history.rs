//! Made-up history: every record has its time, everything adds up, and nobody is mailed.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use purser_demo::history::{self, HistoryError, Plan};
use purser_tests::prelude::*;

/// Three months that end in the middle of an afternoon.
fn plan(seed: u64) -> Plan {
    Plan { seed, days: 92, clients: 40, resellers: 4, until: "2026-03-31T15:00:00Z".parse().unwrap() }
}

async fn make(folder: &Path, seed: u64) {
    let mut moments = Vec::new();
    let told = |step: history::Step| moments.push((step.moment, step.clients));
    let made = history::make(folder, BTreeMap::new(), &plan(seed), told).await;
    let made = made.unwrap();
    assert_eq!((made.clients, made.moment), (40, plan(seed).until));
    assert!(moments.is_sorted(), "a history must never go back in time");
}

async fn shown(folder: &Path) -> World {
    World::with(Some(folder.to_owned()), &[]).await
}

async fn all(world: &World, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.operator.get(&format!("{path}?limit=100{cursor}")).await;
        let page = page.expect(200).json;
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// What a history's seed decides: everything except ids, keys and secrets.
async fn facts(folder: &Path) -> BTreeSet<String> {
    let world = shown(folder).await;
    let mut facts = BTreeSet::new();
    let fields = |it: &Value, names: &[&str]| names.iter().map(|name| it[name].to_string()).collect();
    for client in all(&world, "/v1/clients").await {
        let told: Vec<String> =
            fields(&client, &["name", "email", "phone", "status", "metadata", "created_at", "updated_at"]);
        facts.insert(format!("client {told:?}"));
    }
    for reseller in all(&world, "/v1/resellers").await {
        let (company, tier) = (reseller["company_name"].clone(), reseller["tier"].clone());
        let path = format!("/v1/resellers/{}/entries", reseller["refid"].as_str().unwrap());
        for entry in all(&world, &path).await {
            let told: Vec<String> = fields(
                &entry,
                &["sequence", "type", "amount", "balance_after", "reference", "description", "created_at"],
            );
            facts.insert(format!("entry {company} {tier} {told:?}"));
        }
    }
    world.end().await;
    facts
}

#[tokio::test]
async fn a_history_is_spread_over_its_time_whole_and_nobody_is_mailed() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    make(&folder, 1).await;
    let world = shown(&folder).await;
    assert!(world.all_mails().await.is_empty());
    assert!(world.system().dead_letters().is_empty());

    let clients = all(&world, "/v1/clients").await;
    // The demo adds a few clients, and a few were deleted since.
    assert!((36..=44).contains(&clients.len()), "{}", clients.len());
    let first: Timestamp = "2025-12-30T00:00:00Z".parse().unwrap();
    let mut months = BTreeSet::new();
    let mut weekends = 0;
    for client in &clients {
        let created: Timestamp = client["created_at"].as_str().unwrap().parse().unwrap();
        assert!(first <= created && created <= plan(1).until, "{client}");
        let day = created.to_zoned(TimeZone::UTC);
        months.insert(day.month());
        weekends += u32::from([Weekday::Saturday, Weekday::Sunday].contains(&day.weekday()));
        let email = client["email"].as_str().unwrap();
        assert!(email.ends_with("@example.com") || email.ends_with("@example.net"), "{email}");
    }
    assert!(months.is_superset(&[1, 2, 3].into()), "{months:?}");
    assert!(weekends < 10, "{weekends}");
    let statuses: BTreeSet<_> = clients.iter().map(|it| it["status"].to_string()).collect();
    assert!(statuses.len() > 1, "{statuses:?}");

    let resellers = all(&world, "/v1/resellers").await;
    assert_eq!(resellers.len(), 4);
    for reseller in &resellers {
        let refid = reseller["refid"].as_str().unwrap();
        let entries = all(&world, &format!("/v1/resellers/{refid}/entries")).await;
        world.assert_intact(refid, entries.len().try_into().unwrap()).await;
    }
    // Each item says that it was made up, except for checkpoints, which a schedule makes.
    let by = |item: &Value| item["by"]["M"]["origin"]["S"].as_str().map(str::to_owned);
    let made = world.items().into_iter().filter(|it| it["kind"]["S"] != "checkpoint");
    let origins: BTreeSet<_> = made.filter_map(|it| by(&it)).collect();
    assert_eq!(origins, ["demo".to_owned()].into());
    // Some days in between, and the last day, have a checkpoint.
    let checkpoints = world.operator.get("/v1/checkpoints").await.expect(200).json;
    let days: BTreeSet<_> = checkpoints["data"].as_array().unwrap().iter().map(|it| it["date"].to_string()).collect();
    let months = 92 / 28;
    assert!(days.len() >= months && days.contains("\"2026-03-31\""), "{days:?}");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_history() {
    let parent = tempfile::tempdir().unwrap();
    let folder = |name: &str| parent.path().join(name);
    for (name, seed) in [("one", 7), ("same", 7), ("other", 8)] {
        make(&folder(name), seed).await;
    }
    let one = facts(&folder("one")).await;
    assert!(one.len() > 80, "{}", one.len());
    assert_eq!(one, facts(&folder("same")).await);
    assert_ne!(one, facts(&folder("other")).await);
}

#[tokio::test]
async fn a_history_is_not_mixed_with_what_is_there() {
    let parent = tempfile::tempdir().unwrap();
    let world = shown(parent.path()).await;
    let _client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let before = world.state().await;
    world.end().await;
    let refused = history::make(parent.path(), BTreeMap::new(), &plan(1), |_| {}).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, HistoryError::Occupied(_)), "{error}");
    let told = error.to_string();
    assert!(told.contains("holds data already") && told.contains("move the folder away"), "{told}");
    assert_eq!(shown(parent.path()).await.state().await, before);
}

#[tokio::test]
async fn a_history_can_be_as_short_as_today() {
    let parent = tempfile::tempdir().unwrap();
    let short = Plan {
        days: 1,
        clients: 3,
        resellers: 1,
        // Just after midnight on a Saturday, before anybody is up.
        until: "2026-03-28T00:00:01Z".parse().unwrap(),
        ..plan(1)
    };
    let made = history::make(parent.path(), BTreeMap::new(), &short, |_| {}).await;
    assert_eq!(made.unwrap().clients, 3);
    let world = shown(parent.path()).await;
    for client in all(&world, "/v1/clients").await {
        let created: Timestamp = client["created_at"].as_str().unwrap().parse().unwrap();
        assert!(created <= short.until && created > short.until - 24.hours(), "{client}");
    }
}
