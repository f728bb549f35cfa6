//! `bind-client`: a client without a login is bound to the confirmed one with its address, whichever of the two came
//! first, while the switch is on (rule A7).
//!
//! Invariant: one client, one login, whoever binds; a client that an operator released is not bound again by a late
//! repeat of the event. Most creations bind at once; this is for those of a bulk purchase, whose commit has no room.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::basic::refid::ClientRefid;
use purser_domain::event::{Event, EventName};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_store::StoreError;
use serde_json::Value;

/// The events it takes.
pub const TAKES: &[EventName] = &[EventName::ClientCreated, EventName::UserConfirmed];

/// The client to bind: the new one, or the one with the address that was just confirmed.
async fn client_of(app: &App, delivery: &Delivery, event: Event) -> Result<Option<ClientRefid>, String> {
    match event {
        Event::ClientCreated { client, .. } => Ok(Some(client)),
        Event::UserConfirmed { user } => {
            let Some(user) = app.store.user(&user).await? else {
                return Ok(None);
            };
            let client = app.store.client_by_email(&user.email).await;
            Ok(client?)
        }
        other => Err(delivery.not_taken(other.name())),
    }
}

/// Binds the client that an event is about.
pub async fn bind_client(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("bind-client", event)?;
    if !app.config.auto_bind_user {
        return Ok(());
    }
    let bind = async {
        let Some(client) = client_of(&app, &delivery, occurrence.event).await? else {
            return Ok(());
        };
        let request = delivery.request(app.clock.now());
        match app.store.bind_client_by_address(&client, &request).await {
            // Another client was faster.
            Ok(()) | Err(StoreError::Refused(Refusal::UserBound)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    delivery.once(&app, Box::pin(bind)).await
}
