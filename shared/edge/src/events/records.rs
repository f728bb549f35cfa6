//! Reads batches of records from the table's stream, for the functions that consume it.
//!
//! Invariant: every record of a batch before the one that is reported as failed has been handled; the stream delivers
//! again from the failed one on.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use purser_store::engine::Item;
use purser_store::events::change::{StampedChange, change};

use crate::process::metrics::{self, Metric};

/// The changes in a batch, each with the index of its record, up to the first record that can't be read; and the
/// index of that record, if there is one.
pub fn changes(event: &Event) -> (Vec<(usize, StampedChange)>, Option<usize>) {
    let mut changes = Vec::new();
    for (place, record) in event.records.iter().enumerate() {
        match read(record) {
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

fn read(record: &EventRecord) -> Result<Option<StampedChange>, String> {
    let image = |image: &serde_dynamo::Item| {
        let image = Item::from(image.clone());
        Some(image).filter(|image| !image.is_empty())
    };
    let (old, new) = (image(&record.change.old_image), image(&record.change.new_image));
    Ok(change(old.as_ref(), new.as_ref())?)
}

/// The response to the stream: the whole batch was handled, or everything before the record at index `failed`.
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
