//! `project-timeline`: follows the table's stream, stores in the timeline what each thing adds to which figures, and
//! keeps the rows by which lists of clients and resellers are searched.
//!
//! Invariant: a batch is done once all its things are in the timeline and their hours are marked as dirty, so an hour
//! that still has to be counted is always marked; and once the rows of its clients and resellers say what those are
//! now. A change that arrives late or twice changes nothing.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::analytics::Fact;
use purser_edge::App;
use purser_edge::events::records;
use purser_store::StoreError;
use purser_store::events::change::StampedChange;

pub async fn project_timeline(app: App, event: StreamEvent) -> DynamoDbEventResponse {
    let (changes, unreadable) = records::changes(&event);
    let facts: Vec<(usize, Fact)> =
        changes.iter().filter_map(|(place, changed)| Some((*place, Fact::of(&changed.change)?))).collect();
    let added: Vec<Fact> = facts.iter().map(|(_, fact)| fact.clone()).collect();
    let failed = match project(&app, &changes, &added).await {
        Ok(()) => unreadable,
        Err(error) => {
            tracing::error!(%error, "the timeline, or the rows to search, could not be updated");
            changes.first().map(|(place, _)| *place)
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

async fn project(app: &App, changes: &[(usize, StampedChange)], added: &[Fact]) -> Result<(), StoreError> {
    app.store.project(added).await?;
    app.store.project_search(changes.iter().map(|(_, changed)| &changed.change)).await
}
