//! The event bus.
//!
//! Invariant: an event counts as told only when EventBridge has accepted it; an entry it failed is reported, by
//! its place, to whoever sent it.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use purser_domain::event::Occurrence;
use purser_store::engine::item::Origin;
use purser_store::engine::table::describe;
use serde_json::json;

/// The source of all events.
pub const SOURCE: &str = "purser";
/// The most entries `PutEvents` takes at once.
pub const MOST_ENTRIES: usize = 10;

/// The bus, through the SDK. Cheap to clone, and made by its first use, as most functions tell it nothing.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>,
    name: String,
}

/// What is put on the bus.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// What happened.
    pub occurrence: Occurrence,
    /// Through which door its cause came, so that rules can leave imports out.
    pub origin: Origin,
}

impl Bus {
    /// The bus `name`.
    pub fn new(sdk: &SdkConfig, name: impl Into<String>) -> Self {
        let sdk = sdk.clone();
        Self { client: Arc::new(LazyLock::new(Box::new(move || Client::new(&sdk)))), name: name.into() }
    }

    /// Puts at most [`MOST_ENTRIES`] events; gives the places of those that failed.
    pub async fn put(&self, announcements: &[Announcement]) -> Result<Vec<usize>, String> {
        let entries = announcements.iter().map(|it| self.entry(it)).collect::<Result<_, _>>();
        let entries = entries.map_err(|error| format!("an event can't be written: {error}"))?;
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
                tracing::warn!(code, "the bus failed an event");
                failed.push(place);
            }
        }
        if failed.is_empty() {
            return Err("PutEvents failed an event and doesn't say which".to_owned());
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
            .detail_type(occurrence.event.name().as_str())
            .time(DateTime::from_secs(occurrence.time.unix_seconds()))
            .detail(detail.to_string());
        Ok(entry.build())
    }
}
