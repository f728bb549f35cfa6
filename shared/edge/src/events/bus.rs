//! The event bus.
//!
//! Invariant: an event counts as told only when EventBridge has accepted it; an entry it failed is reported, by
//! its place, to whoever sent it.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use purser_domain::event::Event;
use purser_store::engine::table::describe;
use serde_json::{Value, json};

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

/// An event with the door its cause came through, so that rules can leave imports out.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// `api`, `import` or `demo`.
    pub origin: Value,
}

impl Bus {
    /// The bus `name`.
    pub fn new(sdk: &SdkConfig, name: impl Into<String>) -> Self {
        let sdk = sdk.clone();
        Self { client: Arc::new(LazyLock::new(Box::new(move || Client::new(&sdk)))), name: name.into() }
    }

    /// Puts at most [`MOST_ENTRIES`] events; gives the places of those that failed.
    pub async fn put(&self, events: &[Told]) -> Result<Vec<usize>, String> {
        let entries = events.iter().map(|told| self.entry(told)).collect();
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

    fn entry(&self, told: &Told) -> PutEventsRequestEntry {
        let mut detail = told.event.detail.clone();
        if let Value::Object(members) = &mut detail {
            members.insert("id".into(), json!(told.event.id));
            members.insert("origin".into(), told.origin.clone());
        }
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(told.event.name)
            .time(DateTime::from_secs(told.event.time.unix_seconds()))
            .detail(detail.to_string())
            .build()
    }
}
