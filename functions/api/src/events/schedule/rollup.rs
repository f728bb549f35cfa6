//! `rollup`: counts again, every minute, the figures that have changed, so that they are ready when somebody asks.
//!
//! Invariant: only one run writes at a time, and its cost depends on how much has changed. A run stops before its
//! time is up. The hours that it leaves stay marked as dirty for the next run.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::Time;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_store::StoreError;
use purser_store::analytics::{Lease, MOST_HOURS};
use serde_json::Value;

/// Counts the dirty hours. An error asks for another run.
pub async fn rollup(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_timetable("rollup", &event)?;
    let run = &delivery.stamp().request;
    let lease = app.store.lease_rollup(run, app.clock.now()).await?;
    let Some(mut lease) = lease else {
        tracing::info!("another run is rolling up");
        return Ok(());
    };
    let (hours, oldest) = roll_up(&app, &mut lease).await?;
    let as_of = app.store.end_rollup(&lease, oldest, app.clock.now()).await?;
    tracing::info!(hours, %as_of, whole = oldest.is_none(), "rolled up");
    Ok(())
}

/// Recounts marked hours until it finds no more or the time is up. Returns how many it recounted, and when the oldest
/// remaining one was marked.
async fn roll_up(app: &App, lease: &mut Lease) -> Result<(usize, Option<Time>), StoreError> {
    let most = i32::try_from(MOST_HOURS).unwrap_or(i32::MAX);
    let mut hours = 0;
    loop {
        let dirty = app.store.dirty(most).await?;
        let oldest = dirty.iter().map(|it| it.since).min();
        if dirty.is_empty() || !lease.works(app.clock.now()) {
            return Ok((hours, oldest));
        }
        let counted = app.store.roll_up(lease, &dirty).await?;
        hours += counted;
        if counted == 0 {
            // The index lags behind the table: none of the listed hours is dirty any more, and others don't show yet.
            return Ok((hours, oldest));
        }
    }
}
