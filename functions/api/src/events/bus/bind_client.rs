//! `bind-client`: a client without a login is bound to the confirmed one with its address, whichever of the two came
//! first, while the switch is on (rule A7).
//!
//! Invariant: one client, one login, whoever binds; a client that an operator released is not bound again by a late
//! repeat of the event. Most creations bind at once; this is for those of a bulk purchase, whose commit has no room.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::basic::refid::{ClientRefid, UserRefid};
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, detail};
use purser_store::StoreError;
use serde::Deserialize;
use serde_json::Value;

/// What `ClientCreated` carries that matters here.
#[derive(Debug, Deserialize)]
struct ClientCreated {
    client: ClientRefid,
}

/// What `UserConfirmed` carries.
#[derive(Debug, Deserialize)]
struct UserConfirmed {
    user: UserRefid,
}

/// The client to bind: the new one, or the one with the address that was just confirmed.
async fn client_of(app: &App, event: EventBridgeEvent<Value>) -> Result<Option<ClientRefid>, String> {
    match event.detail_type.as_str() {
        "ClientCreated" => {
            let ClientCreated { client } = detail(event.detail)?;
            Ok(Some(client))
        }
        "UserConfirmed" => {
            let UserConfirmed { user } = detail(event.detail)?;
            let Some(user) = app.store.user(&user).await? else {
                return Ok(None);
            };
            let client = app.store.client_by_email(&user.email).await;
            Ok(client?)
        }
        other => Err(format!("no client is bound at {other}")),
    }
}

/// Binds the client that an event is about.
pub async fn bind_client(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of("bind-client", &event)?;
    if !app.config.auto_bind_user {
        return Ok(());
    }
    let bind = async {
        let Some(client) = client_of(&app, event).await? else {
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
