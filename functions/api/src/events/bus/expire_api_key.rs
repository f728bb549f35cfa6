//! `expire-api-key`: ends an API key that has expired, and the keys that it owns, as if they had been revoked.
//!
//! Invariant: an expired key is refused from the moment on which it expires, whether or not it has ended. So this may
//! come late, and twice.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::event::{Event, EventName};
use purser_domain::people::ApiKey;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_store::StoreError;
use serde_json::Value;

pub const TAKES: &[EventName] = &[EventName::ApiKeyExpired];

pub async fn expire_api_key(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("expire-api-key", event)?;
    let Event::ApiKeyExpired { key, .. } = &occurrence.event else {
        return Err(delivery.not_taken(occurrence.event.name()));
    };
    let now = app.clock.now();
    let expired = |key: &ApiKey| key.expires_at <= now;
    match app.store.revoke_api_key(key, &delivery.request(now), expired).await {
        Ok(()) | Err(StoreError::Refused(Refusal::NotFound(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
