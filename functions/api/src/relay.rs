//! `relay`: the table's stream is the outbox; this tells the bus what changed.
//!
//! Invariant: a record is done when the bus has accepted all its events. The first one that is not is reported,
//! and the stream delivers from there again; what was told twice carries the same id twice.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use purser_domain::event::events_of;
use purser_edge::App;
use purser_edge::bus::{MOST_ENTRIES, Told};
use purser_edge::metrics::{self, Metric};
use purser_store::change::change;
use purser_store::item::Item;
use serde_json::json;

/// Tells the bus of a batch of changes.
pub async fn relay(app: App, event: StreamEvent) -> DynamoDbEventResponse {
    let mut outbox: Vec<(usize, Told)> = Vec::new();
    let mut failed = None;
    for (place, record) in event.records.iter().enumerate() {
        match told(&app, record) {
            Ok(events) => outbox.extend(events.into_iter().map(|event| (place, event))),
            Err(error) => {
                tracing::error!(
                    error,
                    record = record.event_id,
                    "a stream record can't be told"
                );
                metrics::count(Metric::RecordUnreadable);
                failed = Some(place);
                break;
            }
        }
    }
    for chunk in outbox.chunks(MOST_ENTRIES) {
        let events: Vec<Told> = chunk.iter().map(|(_, told)| told.clone()).collect();
        let refused = match app.bus.put(&events).await {
            Ok(refused) => refused.first().and_then(|entry| chunk.get(*entry)),
            Err(error) => {
                tracing::error!(error, "the bus can't be told");
                chunk.first()
            }
        };
        if let Some((place, _)) = refused {
            // Records are in order, so this one comes before any that could not be read.
            metrics::count(Metric::EventRefused);
            failed = Some(*place);
            break;
        }
    }
    note(&event, &outbox, failed);
    let failure = failed
        .and_then(|place| event.records.get(place))
        .map(|record| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure
                .item_identifier
                .clone_from(&record.change.sequence_number);
            failure
        });
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = failure.into_iter().collect();
    response
}

/// Counts what the bus was told, by name; what was told beside a failure is told, and counted, again.
fn note(event: &StreamEvent, outbox: &[(usize, Told)], failed: Option<usize>) {
    let before = failed.unwrap_or(event.records.len());
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (_, told) in outbox.iter().filter(|(place, _)| *place < before) {
        *counts.entry(told.event.name).or_default() += 1;
    }
    tracing::info!(
        function = "relay",
        records = event.records.len(),
        done = before,
        events = counts.values().sum::<u64>(),
        "relayed"
    );
    for (name, times) in counts {
        metrics::told(name, times);
    }
}

/// The events of one record.
fn told(app: &App, record: &EventRecord) -> Result<Vec<Told>, String> {
    let image = |image: &serde_dynamo::Item| Item::from(image.clone());
    let old = Some(&record.change.old_image)
        .filter(|image| !image.is_empty())
        .map(image);
    let new = Some(&record.change.new_image)
        .filter(|image| !image.is_empty())
        .map(image);
    let changed = change(old.as_ref(), new.as_ref(), app.store.secrets())
        .map_err(|error| error.to_string())?;
    let Some(changed) = changed else {
        return Ok(Vec::new());
    };
    let tell = |event| Told {
        event,
        origin: json!(changed.origin),
    };
    Ok(events_of(&changed.change).into_iter().map(tell).collect())
}
