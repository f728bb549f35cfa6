//! Figures stay right when something changes long after it was counted, and when the stream or a rollup is late,
//! repeated or out of order.

use purser_tests::prelude::*;

use super::{clients, figure, turn_to, values};

#[tokio::test]
async fn a_client_of_january_suspended_in_november_is_one_of_januarys_suspended() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let refids = clients(&world, &world.operator, 3).await;
    let path = |step: &str| format!("/v1/clients/{}/{step}", refids[0]);
    let _active = world.operator.act(&path("activate")).await.expect(200);
    let query = "clients/status?start=2023-01-01&end=2023-01-31";
    let before = figure(&world, &world.operator, query).await;
    assert_eq!(before, json!({"active": 1, "pending": 2, "suspended": 0, "inactive": 0}));
    turn_to(&world, "2023-11-15T09:00:00Z");
    let _suspended = world.operator.act(&path("suspend")).await.expect(200);
    let after = figure(&world, &world.operator, query).await;
    assert_eq!(after, json!({"active": 0, "pending": 2, "suspended": 1, "inactive": 0}));
    let november = "clients/status?start=2023-11-01&end=2023-11-30";
    let november = figure(&world, &world.operator, november).await;
    assert_eq!(november, json!({"active": 0, "pending": 0, "suspended": 0, "inactive": 0}));
    // A deleted client stays counted where it was (rule A9).
    let _deleted = world.operator.delete(&format!("/v1/clients/{}", refids[0])).await.expect(204);
    assert_eq!(figure(&world, &world.operator, query).await, after);
}

#[tokio::test]
async fn a_client_that_moves_is_counted_where_it_is() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let refids = clients(&world, &a.caller, 2).await;
    let owned = async || {
        let growth = async |caller| figure(&world, caller, "clients/growth").await["count"].as_u64().unwrap();
        (growth(&a.caller).await, growth(&b.caller).await, growth(&world.operator).await)
    };
    assert_eq!(owned().await, (2, 0, 2));
    turn_to(&world, "2023-02-15T09:00:00Z");
    let path = format!("/v1/clients/{}/transfer", refids[0]);
    let moved = world.operator.post(&path, &json!({"reseller": b.refid})).await;
    let _moved = moved.expect(200);
    assert_eq!(owned().await, (1, 1, 2));
    let _free = world.operator.post(&path, &json!({"reseller": null})).await.expect(200);
    assert_eq!(owned().await, (1, 0, 2));
    let trend = figure(&world, &a.caller, "clients/signups?start=2023-01-01&end=2023-02-28").await;
    assert_eq!(values(&trend), [("2023-01".to_owned(), 1)]);
    let tops = figure(&world, &world.operator, "clients/top-owners").await;
    assert_eq!(tops["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn as_of_is_never_more_than_two_minutes_behind_when_all_goes_well() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let _client = clients(&world, &world.operator, 1).await;
    let trend = figure(&world, &world.operator, "clients/signups").await;
    assert_eq!(trend["as_of"], "2023-01-15T08:59:30.000Z");
    // A run that died holds the lease for a minute; the next run then does what the dead run left.
    let store = &world.system().app().store;
    let now = world.system().clock().now();
    let lease = store.lease_rollup("a run that dies", now).await.unwrap();
    assert!(lease.is_some());
    turn_to(&world, "2023-01-15T09:00:58Z");
    let _client = clients(&world, &world.operator, 1).await;
    let trend = figure(&world, &world.operator, "clients/signups").await;
    assert_eq!((&trend["as_of"], values(&trend)[0].1), (&json!("2023-01-15T08:59:30.000Z"), 1));
    turn_to(&world, "2023-01-15T09:00:59Z");
    let trend = figure(&world, &world.operator, "clients/signups").await;
    assert_eq!((&trend["as_of"], values(&trend)[0].1), (&json!("2023-01-15T09:00:29.000Z"), 2));
    // The dead run can no longer write what it left undone.
    let mut lease = lease.unwrap();
    let dirty =
        purser_store::analytics::Dirty { kind: purser_domain::analytics::Kind::Client, hour: now.hour(), since: now };
    assert_eq!(store.roll_up(&mut lease, &[dirty]).await.unwrap(), 0, "the hour is not dirty any more");
    let _client = clients(&world, &world.operator, 1).await;
    world.system().settle().await;
    assert!(store.roll_up(&mut lease, &[dirty]).await.is_err());
    let ended = store.end_rollup(&lease, None, now).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_run_whose_lease_was_taken_over_neither_writes_what_the_next_one_wrote_nor_clears_a_mark() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let (store, clock) = (&world.system().app().store, world.system().clock());
    let lease = async |run: &str| store.lease_rollup(run, clock.now()).await.unwrap().unwrap();
    let growth = async || {
        let growth = world.operator.get("/v1/analytics/clients/growth").await;
        growth.expect(200).json["count"].as_u64().unwrap()
    };
    let mut first = lease("first").await;
    turn_to(&world, "2023-01-15T09:00:59Z");
    let mut second = lease("second").await;
    // No run has written these figures yet, so the first run can still write them; only the holder of the lease
    // clears the mark.
    let _client = clients(&world, &world.operator, 1).await;
    world.system().settle().await;
    let dirty = store.dirty(10).await.unwrap();
    assert!(!dirty.is_empty());
    assert!(store.roll_up(&mut first, &dirty).await.is_err());
    assert_eq!(store.dirty(10).await.unwrap(), dirty);
    assert_eq!(store.roll_up(&mut second, &dirty).await.unwrap(), dirty.len());
    assert_eq!((growth().await, store.dirty(10).await.unwrap()), (1, Vec::new()));
    // The second run has written these figures, so the first one can't.
    let _client = clients(&world, &world.operator, 1).await;
    world.system().settle().await;
    let dirty = store.dirty(10).await.unwrap();
    assert!(store.roll_up(&mut first, &dirty).await.is_err());
    assert_eq!((growth().await, store.dirty(10).await.unwrap()), (1, dirty));
}

#[tokio::test]
async fn a_stream_that_comes_again_and_backwards_changes_no_figure() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let (a, b) = (world.partner("standard", 700).await, world.partner("gold", 0).await);
    let refids = clients(&world, &a.caller, 3).await;
    for step in ["activate", "suspend", "deactivate"] {
        let path = format!("/v1/clients/{}/{step}", refids[0]);
        let _changed = world.operator.act(&path).await.expect(200);
    }
    for to in [&b.refid, &a.refid, &b.refid] {
        let path = format!("/v1/clients/{}/transfer", refids[1]);
        let moved = world.operator.post(&path, &json!({"reseller": to})).await;
        let _moved = moved.expect(200);
    }
    let figures = async || {
        let mut figures = Vec::new();
        for caller in [&world.operator, &a.caller, &b.caller] {
            for path in ["clients/status", "clients/segmentation", "credits/outstanding"] {
                figures.push(figure(&world, caller, path).await);
            }
        }
        figures
    };
    let before = figures().await;
    assert_eq!(before[0], json!({"active": 0, "pending": 2, "suspended": 0, "inactive": 1}));
    let mut records = world.stream_records();
    records.reverse();
    let again = json!({"Records": records});
    let app = world.system().app().clone();
    let event = serde_json::from_value(again).unwrap();
    let answer = Box::pin(purser_api::events::stream::project_timeline::project_timeline(app, event)).await;
    assert!(answer.batch_item_failures.is_empty());
    // Each hour is dirty again, and counting it again gives the same figures.
    assert!(!world.system().app().store.dirty(10).await.unwrap().is_empty());
    assert_eq!(figures().await, before);
}
