//! `project-timeline`: follows the table's stream, and stores in the timeline what each thing adds to which figures.
//!
//! Invariant: a batch is done once all its things are in the timeline and their hours are marked as dirty, so an hour
//! that still has to be counted is always marked. A change that arrives late or twice changes nothing.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::analytics::Fact;
use purser_edge::App;
use purser_edge::events::records;

pub async fn project_timeline(app: App, event: StreamEvent) -> DynamoDbEventResponse {
    let (changes, unreadable) = records::changes(&app, &event);
    let facts: Vec<(usize, Fact)> =
        changes.iter().filter_map(|(place, changed)| Some((*place, Fact::of(&changed.change)?))).collect();
    let added: Vec<Fact> = facts.iter().map(|(_, fact)| fact.clone()).collect();
    let failed = match app.store.project(&added).await {
        Ok(()) => unreadable,
        Err(error) => {
            tracing::error!(%error, "the timeline could not be updated");
            facts.first().map(|(place, _)| *place)
        }
    };
    tracing::info!(
        function = "project-timeline",
        records = event.records.len(),
        facts = added.len(),
        done = failed.is_none(),
        "projected"
    );
    records::answer(&event, failed)
}
