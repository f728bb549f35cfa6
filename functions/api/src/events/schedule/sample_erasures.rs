//! `sample-erasures`: looks once a day for what is still stored of people who were deleted, and raises an alarm if
//! there is anything (rule A9).
//!
//! Invariant: what it finds, it erases. It leaves out those whose erasure may still be under way.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::SignedDuration;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use purser_store::engine::Created;
use serde_json::Value;

/// How long ago people were deleted: a little longer than the time from one run to the next.
const SINCE: SignedDuration = SignedDuration::from_hours(25);
/// How long an erasure may take.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);
/// The most people that one run looks for, those deleted last.
const SAMPLE: usize = 200;

/// Looks for what is left of people deleted since the last run. An error asks for another run.
pub async fn sample_erasures(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    Delivery::of_timetable("sample-erasures", &event)?;
    let now = app.clock.now();
    let deleted = Created { after: Some(now.plus(-SINCE)), before: Some(now.plus(-UNDER_WAY)) };
    let erasures = app.store.erasures(deleted, SAMPLE).await?;
    let (looked, mut left) = (erasures.len(), 0);
    for erasure in erasures {
        let refid = erasure.subject.refid();
        let found = app.store.erase(&erasure.subject, now).await?;
        if found > 0 {
            tracing::error!(refid, found, "a deleted person's data was still stored");
        }
        left += found;
    }
    if left > 0 {
        metrics::count(Metric::ErasureMissed);
    }
    tracing::info!(looked, left, "looked for what is left of people who were deleted");
    Ok(())
}
