//! `rollup`: every minute counts again what has changed, so that figures are there when they are asked for.
//!
//! Invariant: one run writes at a time, and what it costs depends on what has changed. It stops before its time is up;
//! what is left is dirty still, and the next run's.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::SignedDuration;
use purser_domain::time::Time;
use purser_edge::App;
use purser_edge::consumer::Delivery;
use purser_store::StoreError;
use purser_store::analytics::{Lease, MOST_HOURS};
use serde_json::Value;

/// How long a run has the lease: longer than Lambda lets it go on.
const LEASE: SignedDuration = SignedDuration::from_secs(58);
/// How long a run begins new work.
const WORKS: SignedDuration = SignedDuration::from_secs(40);
/// How long it may take until a commit has come through the stream, and shows in the list of what is dirty.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(30);

/// Counts what is dirty. An error asks for another run.
pub async fn rollup(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_aws("rollup", &event)?;
    if event.detail_type != "Scheduled Event" {
        return Err(format!("no timetable tells of {}", event.detail_type));
    }
    let began = app.clock.now();
    let run = &delivery.stamp().request;
    let lease = app.store.lease_rollup(run, began, began.plus(LEASE)).await?;
    let Some(mut lease) = lease else {
        tracing::info!("another run is rolling up");
        return Ok(());
    };
    let (hours, oldest) = roll_up(&app, &mut lease, began).await?;
    let settled = began.plus(-UNDER_WAY);
    // What happened at that very moment is not counted.
    let before = |since: Time| since.plus(SignedDuration::from_millis(-1));
    let as_of = oldest.map_or(settled, |since| settled.min(before(since)));
    let ended = app.store.end_rollup(&lease, as_of, app.clock.now()).await;
    tracing::info!(hours, %as_of, whole = oldest.is_none(), "rolled up");
    Ok(ended?)
}

/// Counts what is dirty, as long as there is time. Says how many hours were counted, and since when what is left is
/// dirty.
async fn roll_up(
    app: &App,
    lease: &mut Lease,
    began: Time,
) -> Result<(usize, Option<Time>), StoreError> {
    let most = i32::try_from(MOST_HOURS).unwrap_or(i32::MAX);
    let mut hours = 0;
    loop {
        let dirty = app.store.dirty(most).await?;
        let oldest = dirty.iter().map(|it| it.since).min();
        if dirty.is_empty() || app.clock.now() >= began.plus(WORKS) {
            return Ok((hours, oldest));
        }
        let counted = app.store.roll_up(lease, &dirty).await?;
        hours += counted;
        if counted == 0 {
            // The list is behind: none of these is dirty any more, and what else is does not show.
            return Ok((hours, oldest));
        }
    }
}
