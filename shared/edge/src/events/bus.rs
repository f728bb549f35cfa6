//! The event bus, on EventBridge.
//!
//! Invariant: an event counts as sent only when EventBridge has accepted it. The caller gets the index of each event
//! that EventBridge rejected.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use purser_domain::event::Occurrence;
use purser_store::engine::item::Origin;
use purser_store::engine::table::describe;
use serde_json::json;

pub const SOURCE: &str = "purser";
/// The most entries that one call of `PutEvents` accepts.
pub const MOST_ENTRIES: usize = 10;

/// The client of the bus. Cheap to clone. The SDK's client is created on first use, because most functions send no
/// events.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>,
    name: String,
}

#[derive(Debug, Clone)]
pub struct Announcement {
    pub occurrence: Occurrence,
    /// Where the command that caused the event came from, so that EventBridge rules can exclude imports.
    pub origin: Origin,
}

impl Bus {
    pub fn new(sdk: &SdkConfig, name: impl Into<String>) -> Self {
        let sdk = sdk.clone();
        Self { client: Arc::new(LazyLock::new(Box::new(move || Client::new(&sdk)))), name: name.into() }
    }

    /// Puts at most [`MOST_ENTRIES`] events on the bus, and returns the indexes of those that EventBridge rejected.
    pub async fn put(&self, announcements: &[Announcement]) -> Result<Vec<usize>, String> {
        let entries = announcements.iter().map(|it| self.entry(it)).collect::<Result<_, _>>();
        let entries = entries.map_err(|error| format!("an event can't be serialised: {error}"))?;
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| format!("PutEvents: {}", describe(&error)))?;
        if answer.failed_entry_count() == 0 {
            return Ok(Vec::new());
        }
        let mut failed = Vec::new();
        for (place, entry) in answer.entries().iter().enumerate() {
            if let Some(code) = entry.error_code() {
                tracing::warn!(code, "EventBridge rejected an event");
                failed.push(place);
            }
        }
        if failed.is_empty() {
            return Err("PutEvents rejected an event but does not say which".to_owned());
        }
        Ok(failed)
    }

    fn entry(&self, Announcement { occurrence, origin }: &Announcement) -> serde_json::Result<PutEventsRequestEntry> {
        let mut detail = occurrence.event.detail()?;
        if let Some(members) = detail.as_object_mut() {
            members.insert("id".to_owned(), json!(occurrence.id));
            members.insert("origin".to_owned(), json!(origin));
        }
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(occurrence.event.name().into_str())
            .time(DateTime::from_secs(occurrence.time.unix_seconds()))
            .detail(detail.to_string());
        Ok(entry.build())
    }
}
