//! Checkpoints: each day is signed once and completely, even if a run is repeated or crashes (rule B11).

use purser_api::events::schedule::checkpoint_ledger::checkpoint_ledger;
use purser_domain::money::PublicKey;
use purser_domain::money::checkpoint::history::Chronicle;
use purser_domain::money::checkpoint::{MOST_WALLETS, Part};
use purser_edge::App;
use purser_edge::process::metrics::Metric;
use purser_store::engine::table::meter::measured;
use purser_tests::faults::{Fault, SDK_TRIES, Script};
use purser_tests::prelude::*;

use crate::http::logs::Log;

const FUNCTION: &str = "checkpoint-ledger";

async fn parts(world: &World, query: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/checkpoints?limit=2{query}{cursor}");
        let page = world.operator.get(&path).await.expect(200).json;
        let data: Vec<Part> = serde_json::from_value(page["data"].clone()).unwrap();
        assert!(data.len() <= 2);
        parts.extend(data);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return parts,
        }
    }
}

fn key(world: &World) -> PublicKey {
    let keys = world.system().app().store.secrets().signing().unwrap();
    PublicKey::from(keys.first().unwrap())
}

/// Runs the function as its schedule does, over `over` or, for `None`, over the world's own `App`.
async fn run(world: &World, over: Option<App>) -> Result<(), String> {
    let own = || world.system().apps().of(FUNCTION).unwrap().clone();
    let event = purser_local::cloud::timetable::event(world.system().clock().timestamp(), "CheckpointLedger");
    let event = serde_json::from_value(event).unwrap();
    checkpoint_ledger(over.unwrap_or_else(own), event).await
}

fn items(world: &World) -> Vec<Value> {
    let mut items = world.items();
    items.retain(|item| item["kind"]["S"] == "checkpoint");
    items
}

/// Asserts that the parts are complete days signed by this world; returns how many wallets they name.
fn assert_whole(world: &World, parts: Vec<Part>, days: usize) -> usize {
    let chronicle = Chronicle::of(parts, &key(world));
    assert_eq!(chronicle.discrepancies, vec![]);
    assert_eq!(chronicle.days.len(), days);
    assert_eq!(chronicle.gaps(), vec![]);
    chronicle.heads.len()
}

/// Adds `count` resellers with empty wallets, as if they had been onboarded.
async fn with_resellers(world: &World, count: usize) {
    let refid = world.partner("standard", 0).await.refid;
    let mut items = world.items();
    items.retain(|item| item["pk"]["S"] == format!("RS#{refid}") || item["pk"]["S"] == format!("WA#{refid}"));
    let text = serde_json::to_string(&items).unwrap();
    let mut all = Vec::new();
    for n in 1..count {
        let copies = text.replace(&refid, &format!("RS-{n:016}"));
        all.extend(serde_json::from_str::<Vec<Value>>(&copies).unwrap());
    }
    world.put_all(&all);
}

#[tokio::test]
async fn a_day_is_signed_once_and_says_where_every_wallet_stands() {
    let world = World::new().await;
    let (rich, empty) = (world.partner("standard", 700).await, world.partner("gold", 0).await);
    world.run_schedule(FUNCTION).await;
    let first = parts(&world, "").await;
    let [part] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!((part.part, part.last), (1, true));
    assert_eq!(part.date, world.system().clock().now().day());
    part.verify(&key(&world)).unwrap();
    let head = world.entries(&rich.refid).await[0]["hash"].clone();
    let expected = json!([
        {"reseller": rich.refid, "sequence": 1, "head": head, "balance": 700},
        {"reseller": empty.refid, "sequence": 0, "head": "0".repeat(64), "balance": 0},
    ]);
    assert_eq!(serde_json::to_value(&part.wallets).unwrap(), expected);

    let before = world.state().await;
    world.top_up(&rich.refid, 1).await;
    world.run_schedule(FUNCTION).await;
    assert_eq!(parts(&world, "").await, first, "a day must not be signed again");
    assert!(world.state().await.len() > before.len(), "the top-up must have been stored");
    assert_eq!(world.count_of_kind("checkpoint"), 1);
}

#[tokio::test]
async fn a_day_without_resellers_is_whole_too() {
    let world = World::new().await;
    world.run_schedule(FUNCTION).await;
    assert_eq!(assert_whole(&world, parts(&world, "").await, 1), 0);
}

#[tokio::test]
async fn many_wallets_are_many_parts_and_what_crashed_goes_on() {
    let world = World::new().await;
    with_resellers(&world, 2 * MOST_WALLETS + 1).await;
    world.run_schedule(FUNCTION).await;
    let whole = parts(&world, "").await;
    let sizes: Vec<usize> = whole.iter().map(|part| part.wallets.len()).collect();
    assert_eq!(sizes, [1, MOST_WALLETS, MOST_WALLETS], "newest first");
    assert_eq!(assert_whole(&world, whole.clone(), 1), 501);

    // As if the run had ended after its first part, and a reseller had joined before the next run.
    let mut behind = items(&world);
    behind.retain(|item| item["sk"]["S"] != "000001");
    assert_eq!(behind.len(), 2);
    for item in &behind {
        world.remove(item);
    }
    let late = world.partner("standard", 5).await.refid;
    world.run_schedule(FUNCTION).await;
    let again = parts(&world, "").await;
    assert_eq!(again.last(), whole.last(), "the first part must stay as it is");
    assert_eq!(assert_whole(&world, again.clone(), 1), 502);
    let named = |part: &Part| part.wallets.iter().any(|it| it.reseller.as_str() == late);
    assert!(again.iter().any(named));
}

#[tokio::test]
async fn a_day_costs_what_its_wallets_cost() {
    let world = World::new().await;
    with_resellers(&world, MOST_WALLETS + 1).await;
    let (done, cost) = Box::pin(measured(run(&world, None))).await;
    done.unwrap();
    // One read for the first part; two pages of resellers; four batches of wallets; two parts written.
    assert_eq!(cost.calls, 9);
    // One unit for each wallet, and what two pages of 250 items of half a kilobyte take.
    assert!(cost.rcu <= 251.0 + 40.0, "{cost:?}");
    // A part is 37 KB, and is written to the table and to one index.
    assert!(cost.wcu <= 2.0 * 40.0 + 4.0, "{cost:?}");
    let whole = parts(&world, "").await;

    // For a complete day, only the parts are read.
    let (done, cost) = Box::pin(measured(run(&world, None))).await;
    done.unwrap();
    assert_eq!((cost.calls, cost.wcu), (2, 0.0));

    // A run that resumes reads no covered wallet: two reads of parts (one is missing); two pages of resellers; a batch
    // with one wallet; one part written.
    let mut last = items(&world);
    last.retain(|item| item["sk"]["S"] == "000002");
    world.remove(&last[0]);
    let (done, cost) = Box::pin(measured(run(&world, None))).await;
    done.unwrap();
    assert_eq!(cost.calls, 2 + 2 + 1 + 1);
    let again = parts(&world, "").await;
    assert_eq!(again[1], whole[1]);
    assert_eq!(assert_whole(&world, again, 1), MOST_WALLETS + 1);
}

/// Puts `item` where today's first part belongs. Asserts that a run does not accept it as a part, and fails with
/// `why`.
async fn assert_not_believed(world: &World, item: &Value, why: &str) {
    let date = world.system().clock().now().day();
    let mut item = item.clone();
    item["pk"] = json!({"S": format!("CP#{date}")});
    item["sk"] = json!({"S": "000001"});
    world.put_all(std::slice::from_ref(&item));
    // Earlier commands cause work that logs its own metrics, so wait for that work first.
    world.system().settle().await;
    let before = items(world);
    let (log, _second, _guard) = Log::start();
    let failed = run(world, None).await.expect_err(why);
    assert!(failed.contains(why), "{failed}");
    assert_eq!(log.metrics(), BTreeSet::from([Metric::LedgerBroken.into_str().to_owned()]));
    assert_eq!(items(world), before, "nothing may be signed beside it");
    world.remove(&item);
}

#[tokio::test]
async fn a_part_that_we_did_not_sign_is_no_part() {
    let (world, other) = (World::new().await, World::new().await);
    let _partner = world.partner("standard", 700).await;
    other.run_schedule(FUNCTION).await;
    assert_not_believed(&world, &items(&other)[0], "another key signed it").await;

    run(&world, None).await.unwrap();
    let genuine = items(&world)[0].clone();
    let mut changed = genuine.clone();
    changed["doc"]["M"]["wallets"] = json!({"L": []});
    let told = "its signature does not match its content";
    assert_not_believed(&world, &changed, told).await;
    let mut unreadable = genuine.clone();
    unreadable["doc"] = json!({"S": "x"});
    assert_not_believed(&world, &unreadable, "can't be read").await;

    // A genuine part, but of another day.
    let date = world.system().clock().now().day();
    let day = json!({"advance": "P1D"});
    let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
    for item in items(&world) {
        world.remove(&item);
    }
    let told = format!("it is part 1 of {date}");
    assert_not_believed(&world, &genuine, &told).await;
    run(&world, None).await.unwrap();
    assert_eq!(assert_whole(&world, parts(&world, "").await, 1), 1);
}

#[tokio::test]
async fn a_part_that_appears_meanwhile_must_be_ours_too() {
    let (world, other) = (World::new().await, World::new().await);
    other.run_schedule(FUNCTION).await;
    world.put_all(&items(&other));
    let script = Script::default();
    script.then(1, "GetItem", &Fault::Answer(200, "{}".into()));
    let app = world.app_over(FUNCTION, &script).await;
    let failed = run(&world, Some(app)).await.unwrap_err();
    assert!(failed.contains("another key signed it"), "{failed}");
    assert!(script.is_played());
}

#[tokio::test]
async fn a_table_that_is_too_busy_is_waited_for() {
    let world = World::new().await;
    let partner = world.partner("standard", 700).await;
    let table = world.system().dynamo().table().to_owned();
    let key = json!({"pk": {"S": format!("WA#{}", partner.refid)}, "sk": {"S": "."}});
    let in_part = json!({"Responses": {&table: []}, "UnprocessedKeys": {&table: {"Keys": [key]}}});
    let throttled = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow down",
    });
    let throttled = Fault::Answer(400, throttled.to_string());
    let script = Script::default();
    script.then(2, "BatchGetItem", &Fault::Answer(200, in_part.to_string()));
    for operation in ["GetItem", "Query", "BatchGetItem", "PutItem"] {
        script.then(SDK_TRIES, operation, &throttled);
    }
    // The write succeeds, but its answer is lost.
    script.then(SDK_TRIES, "PutItem", &Fault::LostAnswer);
    let app = world.app_over(FUNCTION, &script).await;
    run(&world, Some(app)).await.unwrap();
    assert!(script.is_played());
    assert_eq!(assert_whole(&world, parts(&world, "").await, 1), 1);
}

#[tokio::test]
async fn what_no_timetable_sends_signs_nothing() {
    let world = World::new().await;
    let app = world.system().apps().of(FUNCTION).unwrap();
    let now = world.system().clock().timestamp();
    for (member, value) in [("detail-type", json!("CreditsAdded")), ("id", json!(null))] {
        let mut event = purser_local::cloud::timetable::event(now, "CheckpointLedger");
        event[member] = value;
        let event = serde_json::from_value(event).unwrap();
        assert!(checkpoint_ledger(app.clone(), event).await.is_err());
    }
    assert_eq!(world.count_of_kind("checkpoint"), 0);
}

#[tokio::test]
async fn an_exact_number_of_wallets_ends_with_its_last_full_part() {
    let world = World::new().await;
    with_resellers(&world, MOST_WALLETS).await;
    world.run_schedule(FUNCTION).await;
    let whole = parts(&world, "").await;
    assert_eq!((whole.len(), whole[0].last), (1, true));
    assert_eq!(assert_whole(&world, whole, 1), MOST_WALLETS);
}

#[tokio::test]
async fn runs_side_by_side_make_one_whole_day() {
    let world = World::new().await;
    with_resellers(&world, 2 * MOST_WALLETS + 50).await;
    let app = world.system().apps().of(FUNCTION).unwrap();
    let now = world.system().clock().timestamp();
    let runs = (0..4).map(|_| {
        let event = purser_local::cloud::timetable::event(now, "CheckpointLedger");
        tokio::spawn(checkpoint_ledger(app.clone(), serde_json::from_value(event).unwrap()))
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap().unwrap();
    }
    let whole = parts(&world, "").await;
    assert_eq!(whole.len(), 3);
    assert_eq!(assert_whole(&world, whole, 1), 550);
}

#[tokio::test]
async fn days_follow_each_other_by_the_clock_and_are_listed_newest_first() {
    let world = World::new().await;
    let partner = world.partner("standard", 1).await;
    for _ in 0..3 {
        let day = json!({"advance": "P1D"});
        let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
        world.top_up(&partner.refid, 1).await;
    }
    let all = parts(&world, "").await;
    let days: Vec<String> = all.iter().map(|part| part.date.to_string()).collect();
    assert_eq!(days.iter().collect::<BTreeSet<_>>().len(), 3, "{days:?}");
    assert!(days.is_sorted_by(|one, other| one > other), "{days:?}");
    assert_eq!(assert_whole(&world, all.clone(), 3), 1);
    for part in &all {
        let of_day = parts(&world, &format!("&date={}", part.date)).await;
        assert_eq!(of_day, std::slice::from_ref(part));
    }
    assert_eq!(parts(&world, "&date=2020-01-01").await, []);
    assert_eq!(parts(&world, "&date=9999-12-31").await, []);
    for bad in ["2026-02-30", "today", "", "20260101"] {
        let path = format!("/v1/checkpoints?date={bad}");
        let refused = world.operator.get(&path).await;
        let _problem = refused.refused(400, "malformed_request");
    }
    let path = format!("/v1/checkpoints?limit=1&date={}", all[0].date);
    let page = world.operator.get(&path).await.expect(200).json;
    assert_eq!(page["next_cursor"], Value::Null, "parts of other days must not be listed");
}

#[tokio::test]
async fn a_reseller_without_a_wallet_does_not_stop_the_others() {
    let world = World::new().await;
    let (one, other) = (world.partner("standard", 1).await, world.partner("standard", 1).await);
    let mut items = world.items();
    items.retain(|item| item["pk"]["S"] == format!("WA#{}", one.refid));
    world.remove(&items[0]);
    world.run_schedule(FUNCTION).await;
    let whole = parts(&world, "").await;
    let [part] = whole.as_slice() else {
        panic!("{whole:?}");
    };
    let named: Vec<&str> = part.wallets.iter().map(|it| it.reseller.as_str()).collect();
    assert_eq!((named, part.last), (vec![other.refid.as_str()], true));
}

/// A key that is replaced is followed from the one that a reader noted first, and from no other.
#[tokio::test]
async fn a_new_key_signs_from_the_day_after_it_was_announced() {
    let world = World::at("2026-01-05T00:30:00Z").await;
    let _partner = world.partner("standard", 700).await;
    let day = || world.system().clock().advance(jiff::SignedDuration::from_hours(24));
    let noted = key(&world);
    for _ in 0..2 {
        world.run_schedule(FUNCTION).await;
        day();
        world.rotate();
    }
    // The keys of the third and fourth day are those that the second and third announced.
    for _ in 0..3 {
        world.run_schedule(FUNCTION).await;
        world.run_schedule(FUNCTION).await;
        day();
    }
    let mut signed = parts(&world, "").await;
    signed.reverse();
    let keys: Vec<PublicKey> = signed.iter().map(|part| part.public_key).collect();
    let [first, second, third, fourth, fifth] = keys.as_slice() else { panic!("{keys:?}") };
    assert_eq!((first, second, fourth), (&noted, &noted, fifth));
    assert!(third != second && fourth != third);
    let announced: Vec<_> = signed.iter().map(|part| part.successor.as_ref().map(|it| it.public_key)).collect();
    assert_eq!(announced, [None, Some(*third), Some(*fourth), None, None]);
    assert_eq!(Chronicle::of(signed.clone(), &noted).discrepancies, []);
    assert_eq!(Chronicle::of(signed.clone(), third).discrepancies.len(), 2);
    let without: Vec<Part> = signed.into_iter().map(|part| Part { successor: None, ..part }).collect();
    assert_eq!(Chronicle::of(without, &noted).discrepancies.len(), 3);
}
