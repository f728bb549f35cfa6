//! `relay`: the table's stream is the outbox, from which this function publishes events to the bus.
//!
//! Invariant: a record is done once the bus has accepted all its events. The first record that is not done is
//! reported, and the stream delivers again from there. An event that is published twice has the same id both times.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::event::events_of;
use purser_edge::App;
use purser_edge::events::bus::{Announcement, MOST_ENTRIES};
use purser_edge::events::records;
use purser_edge::process::metrics::{self, Metric};

pub async fn relay(app: App, event: StreamEvent) -> DynamoDbEventResponse {
    let (changes, mut failed) = records::changes(&event);
    let mut outbox: Vec<(usize, Announcement)> = Vec::new();
    for (place, changed) in changes {
        let origin = changed.origin;
        let occurrences = events_of(&changed.change).into_iter();
        outbox.extend(occurrences.map(|occurrence| (place, Announcement { occurrence, origin })));
    }
    for chunk in outbox.chunks(MOST_ENTRIES) {
        let events: Vec<Announcement> = chunk.iter().map(|(_, announcement)| announcement.clone()).collect();
        let refused = match app.bus.put(&events).await {
            Ok(refused) => refused.first().and_then(|entry| chunk.get(*entry)),
            Err(error) => {
                tracing::error!(error, "events could not be published to the bus");
                chunk.first()
            }
        };
        if let Some((place, _)) = refused {
            // `changes` ends before the first unreadable record, so the refused record is the earlier failure.
            metrics::count(Metric::EventRefused);
            failed = Some(*place);
            break;
        }
    }
    note(&event, &outbox, failed);
    records::answer(&event, failed)
}

/// Counts the published events by name, but only those of records that are done: the others are published again, and
/// counted then.
fn note(event: &StreamEvent, outbox: &[(usize, Announcement)], failed: Option<usize>) {
    let before = failed.unwrap_or(event.records.len());
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (_, announcement) in outbox.iter().filter(|(place, _)| *place < before) {
        *counts.entry(announcement.occurrence.event.name().into_str()).or_default() += 1;
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
