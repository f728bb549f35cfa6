//! Hands records to one consumer until each of them is taken or given up on, as Lambda does.
//!
//! Invariant: delivery ends. A failed batch is retried as often as the template says. If the template says so, it is
//! first split until a bad record is alone; splitting does not count as a try. Each record that is given up on becomes
//! a dead letter, and the records after it are delivered.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Consumer, sequence_number};
use crate::cloud::dead_letters::DeadLetters;

/// The pause before the first retry; each further pause is twice as long, up to the seventh.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The reason in a dead letter for a record that the function reported as failed: it gives none.
pub(crate) const NAMED: &str = "named by the function in batchItemFailures";

#[derive(Clone)]
pub(super) struct Terms {
    pub dead_letters: DeadLetters,
    pub stop: watch::Receiver<bool>,
}

struct Failure {
    from: usize,
    reason: String,
}

/// Delivers all records; returns false only if it was stopped between two tries.
pub(super) async fn deliver(consumer: &Consumer, records: &[Value], mut terms: Terms) -> bool {
    let spec = &consumer.spec;
    let size = spec.batch_size.max(1);
    // Records that match no filter are never handed over.
    let records: Vec<&Value> = records.iter().filter(|it| spec.takes(it)).collect();
    // The batches still to be delivered, the next one last, each with its number of failures.
    let mut batches: Vec<(&[&Value], u32)> = records.chunks(size).rev().map(|it| (it, 0)).collect();
    while let Some((batch, failures)) = batches.pop() {
        let Err(Failure { from, reason }) = call(consumer, batch).await else {
            continue;
        };
        let failed = batch.get(from..).unwrap_or(batch);
        let failures = if spec.bisects && batch.len() > 1 {
            // If records before the failed one were taken, go on from it; otherwise split the batch in the middle.
            let parts = if from > 0 { 1 } else { 2 };
            let parts = failed.chunks(failed.len().div_ceil(parts));
            batches.extend(parts.rev().map(|it| (it, 0)));
            0
        } else if spec.retries.is_some_and(|most| failures >= most) {
            give_up(consumer, failed, &reason, &terms.dead_letters);
            continue;
        } else {
            batches.push((failed, failures.saturating_add(1)));
            failures.saturating_add(1)
        };
        if !pause(failures, &mut terms.stop).await {
            return false;
        }
    }
    true
}

async fn call(consumer: &Consumer, batch: &[&Value]) -> Result<(), Failure> {
    let whole = |reason| Failure { from: 0, reason };
    let records: Vec<Value> = batch.iter().map(|it| (*it).clone()).collect();
    let event = json!({ "Records": records });
    // A task of its own, so that a panic fails the call and not the stream.
    let answer =
        tokio::spawn((consumer.handler)(event)).await.map_err(|error| whole(error.to_string()))?.map_err(whole)?;
    let failed = answer.get("batchItemFailures").and_then(Value::as_array);
    let Some(failed) = failed.filter(|_| consumer.spec.reports) else {
        return Ok(());
    };
    let mut lowest = None;
    for failure in failed {
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str);
        let index = batch
            .iter()
            .position(|record| Some(sequence_number(record)) == identifier)
            .ok_or_else(|| whole(format!("no such record in the batch: {failure}")))?;
        lowest = Some(lowest.unwrap_or(index).min(index));
    }
    lowest.map_or(Ok(()), |from| Err(Failure { from, reason: NAMED.to_owned() }))
}

fn give_up(consumer: &Consumer, batch: &[&Value], reason: &str, dead_letters: &DeadLetters) {
    for &record in batch {
        // Log the keys only, because images hold personal data.
        tracing::error!(
            function = %consumer.function,
            event = record.pointer("/eventName").map(tracing::field::display),
            keys = record.pointer("/dynamodb/Keys").map(tracing::field::display),
            sequence_number = sequence_number(record),
            reason,
            "gave up on a stream record"
        );
        dead_letters.bury(&consumer.function, reason, record.clone());
    }
}

/// Waits longer after each failure. Returns false if the pump must end.
async fn pause(failures: u32, stop: &mut watch::Receiver<bool>) -> bool {
    let doublings = failures.saturating_sub(1).min(6);
    let pause = FIRST_PAUSE * 2_u32.pow(doublings);
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}
