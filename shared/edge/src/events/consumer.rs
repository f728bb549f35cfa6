//! Consumers of events: each acts once on what arrives at least once.
//!
//! Invariant: an event is claimed before it is acted on and settled after; what failed gives its claim back, so the
//! next delivery may try at once, and what died loses it when its lease ends.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::time::Time;
use purser_domain::event::{Event, EventName, Occurrence};
use purser_domain::people::caller::Actor;
use purser_store::engine::command::Request;
use purser_store::engine::item::{Origin, Stamp};
use purser_store::engine::table::meter;
use purser_store::events::claim::Claim;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::process::app::App;

/// One delivery of an event to a consumer.
#[derive(Debug, Clone)]
pub struct Delivery {
    consumer: &'static str,
    id: String,
    stamp: Stamp,
}

impl Delivery {
    /// The delivery of `event` to `consumer`, and what happened.
    pub fn of(consumer: &'static str, event: EventBridgeEvent<Value>) -> Result<(Self, Occurrence), String> {
        let id = event.detail.get("id").and_then(Value::as_str).ok_or("an event without an id")?.to_owned();
        let time = event.time.ok_or("an event without a time")?.to_rfc3339();
        let time = Time::try_from(time).map_err(|error| error.to_string())?;
        let name = event.detail_type;
        let event = Event::read(&name, &event.detail).map_err(|error| format!("{name}: {error}"))?;
        Ok((Self::under(consumer, id.clone()), Occurrence { id, time, event }))
    }

    /// Why an event that the consumer doesn't take asks for another delivery: rules and code have parted.
    pub fn not_taken(&self, name: EventName) -> String {
        format!("{} doesn't take {name}", self.consumer)
    }

    /// The delivery to `consumer` of an event that AWS itself tells; its id is the envelope's.
    pub fn of_aws(consumer: &'static str, event: &EventBridgeEvent<Value>) -> Result<Self, String> {
        let id = event.id.clone().ok_or("an event without an id")?;
        Ok(Self::under(consumer, id))
    }

    /// The delivery to `consumer` of the event by which the timetable starts it.
    pub fn of_timetable(consumer: &'static str, event: &EventBridgeEvent<Value>) -> Result<Self, String> {
        if event.detail_type != "Scheduled Event" {
            return Err(format!("no timetable tells of {}", event.detail_type));
        }
        Self::of_aws(consumer, event)
    }

    fn under(consumer: &'static str, id: String) -> Self {
        Self {
            consumer,
            stamp: Stamp {
                actor: Actor::new(consumer),
                request: uuid::Uuid::new_v4().to_string(),
                origin: Origin::Api,
                cause: id.clone(),
            },
            id,
        }
    }

    /// The part of it that concerns `whom`, which is done once whatever becomes of the others.
    #[must_use]
    pub fn to(&self, whom: &str) -> Self {
        Self::under(self.consumer, format!("{}#{whom}", self.id))
    }

    /// The stamp of what this delivery changes.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// This delivery as a command needs to know it.
    pub fn request(&self, now: Time) -> Request {
        Request { key: None, stamp: self.stamp.clone(), now }
    }

    /// Runs `act`, unless an earlier delivery of the event has. An error asks for another delivery.
    pub async fn once(&self, app: &App, act: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        let Self { consumer, id, stamp } = self;
        let text = |error: purser_store::StoreError| error.to_string();
        let claimed = app.store.claim(consumer, id, stamp, app.clock.now()).await;
        match claimed.map_err(text)? {
            Claim::Held => {}
            Claim::Done => return Ok(()),
            Claim::Taken => return Err(format!("{id} is being handled by another delivery")),
        }
        if let Err(error) = act.await {
            // As far as is known nothing was done, so the next delivery may try at once.
            let released = app.store.release(consumer, id, stamp, app.clock.now()).await;
            return Err(released.err().map_or(error, text));
        }
        let settled = app.store.settle(consumer, id, stamp, app.clock.now()).await;
        settled.map_err(text)
    }
}

/// Runs a consumer on an event, and logs how it ended.
pub async fn observed(
    function: &str,
    event: EventBridgeEvent<Value>,
    consume: impl AsyncFnOnce(EventBridgeEvent<Value>) -> Result<(), String>,
) -> Result<(), String> {
    let (kind, envelope) = (event.detail_type.clone(), event.id.clone());
    let id = event.detail.get("id").and_then(Value::as_str);
    let id = id.map(str::to_owned).or(envelope);
    let (done, cost) = meter::measured(consume(event)).await;
    let (calls, rcu, wcu) = (cost.calls, cost.rcu, cost.wcu);
    match &done {
        Ok(()) => tracing::info!(function, kind, id, calls, rcu, wcu, "handled"),
        Err(reason) => tracing::error!(function, kind, id, calls, reason, "an event failed"),
    }
    done
}

/// Reads what an event carries.
pub fn detail<T: DeserializeOwned>(detail: Value) -> Result<T, String> {
    // What the reader says quotes what it read, which can be an address; this is logged.
    serde_json::from_value(detail).map_err(|_| "an event's detail is not what it should be".into())
}
