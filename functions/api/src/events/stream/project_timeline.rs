//! `project-timeline`: keeps what each thing adds to which figures, as the table's stream tells of it.
//!
//! Invariant: a batch is done when all its things are in the timeline and their hours are marked, so what is not
//! counted yet is known to be. What comes late or twice changes nothing.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::analytics::Fact;
use purser_edge::App;
use purser_edge::events::records;

/// Takes a batch of changes.
pub async fn project_timeline(app: App, event: StreamEvent) -> DynamoDbEventResponse {
    let (changes, unreadable) = records::changes(&app, &event);
    let facts: Vec<(usize, Fact)> =
        changes.iter().filter_map(|(place, changed)| Some((*place, Fact::of(&changed.change)?))).collect();
    let added: Vec<Fact> = facts.iter().map(|(_, fact)| fact.clone()).collect();
    let failed = match app.store.project(&added).await {
        Ok(()) => unreadable,
        Err(error) => {
            tracing::error!(%error, "changes can't be projected");
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
