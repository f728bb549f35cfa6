//! `link-licences`: gives a licence that waits to the client that it is for: the one with its external id, or the one
//! whose user has confirmed its address (rule C7).
//!
//! Invariant: it links what still waits, so it may come late, twice, or again after it stopped anywhere.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::event::{Event, EventName};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use serde_json::Value;

pub const TAKES: &[EventName] = &[
    EventName::ClientCreated,
    EventName::ClientChanged,
    EventName::UserConfirmed,
    EventName::EmailChanged,
    EventName::LicenceMinted,
];

pub async fn link_licences(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("link-licences", event)?;
    let request = delivery.request(app.clock.now());
    let linked = match occurrence.event {
        Event::ClientCreated { client, .. } | Event::ClientChanged { client, .. } => {
            app.store.link_licences(&client, &request).await?
        }
        Event::UserConfirmed { user } | Event::EmailChanged { user } => {
            let user = app.store.user(&user).await?;
            match user.and_then(|user| user.client) {
                Some(client) => app.store.link_licences(&client, &request).await?,
                None => 0,
            }
        }
        Event::LicenceMinted { about } => usize::from(app.store.link_licence(&about.licence, &request).await?),
        other => return Err(delivery.not_taken(other.name())),
    };
    if linked > 0 {
        tracing::info!(linked, "linked licences to the client that they waited for");
    }
    Ok(())
}
