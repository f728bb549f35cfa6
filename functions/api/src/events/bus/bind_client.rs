//! `bind-client`: binds a client without a user to the confirmed user with its address, whichever came first, if the
//! deployment enables this (rule A7).
//!
//! Invariant: a client has one user and a user one client, however they are bound. A late repeat of the event doesn't
//! bind a client that an operator has since unbound. Most new clients are bound by the commit that creates them. This
//! function binds the clients of a bulk purchase, whose commit has no room for that, and clients that are older than
//! the confirmation of their user.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::basic::ClientRefid;
use purser_domain::event::{Event, EventName};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_store::StoreError;
use serde_json::Value;

pub const TAKES: &[EventName] = &[EventName::ClientCreated, EventName::UserConfirmed];

/// The client to bind: the new client, or the client with the address that a user has just confirmed.
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
            // The user has been bound to another client meanwhile.
            Ok(()) | Err(StoreError::Refused(Refusal::UserBound)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    delivery.once(&app, Box::pin(bind)).await
}
