//! Handing a batch to one consumer until every record of it is taken or given up on.
//!
//! Invariant: delivery ends. A record is tried at most `retries` times again, alone if need be,
//! and then goes to the dead letters; the records behind it go on.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Consumer, sequence_number};
use crate::dead_letters::DeadLetters;

/// The pause before the first retry; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The reason for giving up on a record that a function named without one.
const NAMED: &str = "named by the function in batchItemFailures";

/// What governs every delivery of a pump.
#[derive(Clone)]
pub(super) struct Terms {
    /// How often a record is tried again.
    pub retries: u32,
    pub dead_letters: DeadLetters,
    /// True once the pump is to end.
    pub stop: watch::Receiver<bool>,
}

/// How a call went wrong.
enum Failure {
    /// As a whole: any of the records can be the cause.
    Batch(String),
    /// From the record at this index on.
    From(usize),
}

/// Returns whether all of it was delivered; false only when stopped between two tries.
pub(super) async fn deliver(consumer: &Consumer, records: &[Value], mut terms: Terms) -> bool {
    let mut rest = records;
    let mut size = consumer.batch_size.max(1);
    let mut failures = 0;
    while !rest.is_empty() {
        let (batch, behind) = rest.split_at(size.min(rest.len()));
        let (index, reason) = match call(consumer, batch).await {
            Ok(()) => {
                rest = behind;
                size = consumer.batch_size.max(1);
                failures = 0;
                continue;
            }
            // Half as many next time, which costs no retry: so a bad record ends up alone.
            Err(Failure::Batch(_)) if batch.len() > 1 => {
                size = batch.len() / 2;
                if !pause(0, &mut terms.stop).await {
                    return false;
                }
                continue;
            }
            Err(Failure::Batch(reason)) => (0, reason),
            Err(Failure::From(index)) => (index, NAMED.to_owned()),
        };
        if index > 0 {
            rest = rest.get(index..).unwrap_or_default();
            failures = 0;
        }
        failures += 1;
        if failures <= terms.retries {
            if !pause(failures, &mut terms.stop).await {
                return false;
            }
        } else if let Some((record, behind)) = rest.split_first() {
            give_up(consumer, record, &reason, &terms.dead_letters);
            rest = behind;
            failures = 0;
        }
    }
    true
}

async fn call(consumer: &Consumer, batch: &[Value]) -> Result<(), Failure> {
    let event = json!({ "Records": batch });
    // In a task of its own, so that a panic is a failed call and not the end of the stream.
    let answer = tokio::spawn((consumer.handler)(event))
        .await
        .map_err(|error| Failure::Batch(error.to_string()))?
        .map_err(Failure::Batch)?;
    let failed = answer.get("batchItemFailures").and_then(Value::as_array);
    let Some(failed) = failed else {
        return Ok(());
    };
    let mut lowest = None;
    for failure in failed {
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str);
        let index = batch
            .iter()
            .position(|record| Some(sequence_number(record)) == identifier)
            .ok_or_else(|| Failure::Batch(format!("no such record in the batch: {failure}")))?;
        lowest = Some(lowest.unwrap_or(index).min(index));
    }
    lowest.map_or(Ok(()), |index| Err(Failure::From(index)))
}

fn give_up(consumer: &Consumer, record: &Value, reason: &str, dead_letters: &DeadLetters) {
    // Keys only: images hold personal facts.
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

/// Waits longer the more often it failed. False if the pump is to end.
async fn pause(failures: u32, stop: &mut watch::Receiver<bool>) -> bool {
    let doublings = failures.saturating_sub(1).min(6);
    let pause = FIRST_PAUSE * 2_u32.pow(doublings);
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}
