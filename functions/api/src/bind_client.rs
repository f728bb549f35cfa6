//! `bind-client`: a new client that was created without a login is bound to the confirmed one with its address, while
//! the switch is on (SPEC A7).
//!
//! Invariant: one client, one login, whoever binds; a client that an operator released is not bound again by a late
//! repeat of the event. Most creations bind at once; this is for those of a bulk purchase, whose commit has no room.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::refid::ClientRefid;
use purser_edge::App;
use purser_edge::consumer::{Delivery, detail};
use purser_store::StoreError;
use serde::Deserialize;
use serde_json::Value;

/// What `ClientCreated` carries that matters here.
#[derive(Debug, Deserialize)]
struct ClientCreated {
    client: ClientRefid,
}

/// Binds the client that an event is about.
pub async fn bind_client(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of("bind-client", &event)?;
    if event.detail_type != "ClientCreated" {
        return Err(format!("no client is bound at {}", event.detail_type));
    }
    let ClientCreated { client } = detail(event.detail)?;
    if !app.config.auto_bind_user {
        return Ok(());
    }
    let bind = async {
        let (stamp, now) = (delivery.stamp(), app.clock.now());
        match app.store.bind_client_by_address(&client, stamp, now).await {
            // Another client was faster.
            Ok(()) | Err(StoreError::Refused(Refusal::UserBound)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    delivery.once(&app, Box::pin(bind)).await
}
