//! `erase`: erases the copies of a deleted client's or user's data that are stored elsewhere (rule A9).
//!
//! Invariant: it takes away what it finds, so it may come late, twice, or again after it stopped anywhere.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::event::{Event, EventName};
use purser_domain::people::Subject;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use serde_json::Value;

pub const TAKES: &[EventName] = &[EventName::ErasureDue];

pub async fn erase(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("erase", event)?;
    let subject = match occurrence.event {
        Event::ErasureDue { client: Some(client), .. } => Subject::Client(client),
        Event::ErasureDue { user: Some(user), .. } => Subject::User(user),
        other => return Err(delivery.not_taken(other.name())),
    };
    let erased = app.store.erase(&subject, app.clock.now()).await?;
    tracing::info!(subject = subject.refid(), erased, "erased what was stored of a person elsewhere");
    Ok(())
}
