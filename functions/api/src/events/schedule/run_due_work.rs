//! `run-due-work`: lets, every minute, whatever waits for this time fall due. What then follows is done by the
//! consumers of the events that come of it.
//!
//! Invariant: an item falls due once, whichever runs try at the same time or again, and a run that ends early loses
//! nothing. A run takes a bounded number of items, oldest first in each shard; the next run goes on.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::SignedDuration;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use serde_json::Value;

/// How far into a run new work may begin. The function's timeout in template.yaml is longer.
const WORKS: SignedDuration = SignedDuration::from_secs(40);

/// Lets items fall due until there are no more or the time is up. An error asks for another run.
pub async fn run_due_work(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    Delivery::of_timetable("run-due-work", &event)?;
    let began = app.clock.now();
    let (mut met, mut late) = (0, 0);
    loop {
        let round = app.store.meet_appointments(app.clock.now()).await?;
        met += round.met;
        let seconds = round.oldest.map_or(0, |oldest| began.unix_seconds().saturating_sub(oldest.unix_seconds()));
        late = late.max(seconds);
        if round.met == 0 || app.clock.now() >= began.plus(WORKS) {
            break;
        }
    }
    metrics::measure(Metric::DueWorkLate, late.unsigned_abs());
    tracing::info!(met, late, "ran due work");
    Ok(())
}
