//! Records of the table's stream, as the functions that read it take them.
//!
//! Invariant: a batch is done up to the first record that is named as failed; the stream delivers from there again.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use purser_store::engine::item::Item;
use purser_store::events::change::{StampedChange, change};

use crate::process::app::App;
use crate::process::metrics::{self, Metric};

/// The changes of the records of a batch, each with its place, up to the first that can't be read; and the place of
/// that one.
pub fn changes(app: &App, event: &Event) -> (Vec<(usize, StampedChange)>, Option<usize>) {
    let mut changes = Vec::new();
    for (place, record) in event.records.iter().enumerate() {
        match read(app, record) {
            Ok(change) => changes.extend(change.map(|change| (place, change))),
            Err(error) => {
                let record = &record.event_id;
                tracing::error!(error, record, "a stream record can't be read");
                metrics::count(Metric::RecordUnreadable);
                return (changes, Some(place));
            }
        }
    }
    (changes, None)
}

fn read(app: &App, record: &EventRecord) -> Result<Option<StampedChange>, String> {
    let image = |image: &serde_dynamo::Item| {
        let image = Item::from(image.clone());
        Some(image).filter(|image| !image.is_empty())
    };
    let (old, new) = (image(&record.change.old_image), image(&record.change.new_image));
    Ok(change(old.as_ref(), new.as_ref(), app.store.secrets())?)
}

/// The answer that all of a batch is done, or what comes before the record at `failed`.
pub fn answer(event: &Event, failed: Option<usize>) -> DynamoDbEventResponse {
    let record = failed.and_then(|place| event.records.get(place));
    let failure = record.map(|record| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier.clone_from(&record.change.sequence_number);
        failure
    });
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = failure.into_iter().collect();
    response
}
