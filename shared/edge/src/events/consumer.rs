//! Consumers of events: each acts once on an event, although EventBridge delivers it at least once.
//!
//! Invariant: a consumer claims an event before it acts and settles the claim afterwards. A consumer that fails
//! releases its claim, so that the next delivery may try at once. If a consumer crashes, its claim runs out by itself.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::Time;
use purser_domain::event::{Event, EventName, Occurrence};
use purser_domain::people::Actor;
use purser_store::engine::item::Origin;
use purser_store::engine::table::meter;
use purser_store::engine::{Request, Stamp};
use purser_store::events::claim::Claim;
use purser_store::events::mail_budget::Mailing;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::process::app::App;
use crate::process::mail::{Mail, Share};
use crate::process::metrics::{self, Metric};

#[derive(Debug, Clone)]
pub struct Delivery {
    consumer: &'static str,
    id: String,
    stamp: Stamp,
}

impl Delivery {
    /// The delivery of `event` to `consumer`, and the event itself as a domain value.
    pub fn of(consumer: &'static str, event: EventBridgeEvent<Value>) -> Result<(Self, Occurrence), String> {
        let id = event.detail.get("id").and_then(Value::as_str).ok_or("the event has no id")?.to_owned();
        let time = event.time.ok_or("the event has no time")?.to_rfc3339();
        let time = Time::try_from(time).map_err(ToString::to_string)?;
        let name = event.detail_type;
        let event = Event::read(&name, &event.detail).map_err(|error| format!("{name}: {error}"))?;
        Ok((Self::under(consumer, id.clone()), Occurrence { id, time, event }))
    }

    /// The error for an event that the consumer does not handle: the rules of template.yaml and the code disagree. An
    /// error asks for another delivery, so the event is not lost.
    pub fn not_taken(&self, name: EventName) -> String {
        format!("{} does not handle {name}", self.consumer)
    }

    /// The delivery to `consumer` of an event that AWS itself sends. Its id is that of the envelope.
    pub fn of_aws(consumer: &'static str, event: &EventBridgeEvent<Value>) -> Result<Self, String> {
        let id = event.id.clone().ok_or("the event has no id")?;
        Ok(Self::under(consumer, id))
    }

    /// The delivery to `consumer` of the scheduled event that starts it.
    pub fn of_timetable(consumer: &'static str, event: &EventBridgeEvent<Value>) -> Result<Self, String> {
        if event.detail_type != "Scheduled Event" {
            return Err(format!("{} is not a scheduled event", event.detail_type));
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

    /// The part of this delivery that concerns `whom`. It is claimed separately, so that it is handled once even if
    /// the parts for others fail.
    #[must_use]
    pub fn to(&self, whom: &str) -> Self {
        Self::under(self.consumer, format!("{}#{whom}", self.id))
    }

    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    pub fn request(&self, now: Time) -> Request {
        Request { key: None, stamp: self.stamp.clone(), now }
    }

    /// This delivery, which must hold the claim, as what an e-mail is counted for.
    pub fn mailing(&self, now: Time) -> Mailing<'_> {
        Mailing { consumer: self.consumer, event: &self.id, stamp: &self.stamp, now }
    }

    /// Sends an e-mail for this delivery, which must hold the claim. It sends none to an address that bounced or
    /// complained, nor a notice to one that has received its day's notices. Links were counted when they were made.
    pub async fn mail(&self, app: &App, mail: &Mail) -> Result<(), String> {
        let now = app.clock.now();
        if let Some(reason) = app.store.suppression(&mail.to, now).await? {
            tracing::info!(?reason, "an e-mail was not sent, because its address is suppressed");
            metrics::count(Metric::MailWithheld);
            return Ok(());
        }
        let counted = match mail.share {
            Share::Links | Share::Changes => true,
            Share::Notices => app.store.count_notice(self.mailing(now), &mail.to, mail.reseller.as_ref()).await?,
        };
        if !counted {
            withheld();
            return Ok(());
        }
        app.mailer.send(mail).await.inspect_err(|_| metrics::count(Metric::MailRefused))
    }

    /// Runs `act`, unless an earlier delivery of the event has done so. An error asks for another delivery.
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
            // As far as this consumer knows, nothing was done, so the next delivery may try at once.
            let released = app.store.release(consumer, id, stamp, app.clock.now()).await;
            return Err(released.err().map_or(error, text));
        }
        let settled = app.store.settle(consumer, id, stamp, app.clock.now()).await;
        settled.map_err(text)
    }
}

/// Notes that an e-mail was not sent, because its address, or its reseller, has had its day's e-mails.
pub fn withheld() {
    tracing::info!("an e-mail was not sent, because the day's e-mails have been");
    metrics::count(Metric::MailWithheld);
}

/// Runs a consumer on an event and logs the outcome and the cost.
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

pub fn detail<T: DeserializeOwned>(detail: Value) -> Result<T, String> {
    // The error of serde would be logged, and it can quote an address from the event.
    serde_json::from_value(detail).map_err(|_| "the event's detail does not have the expected form".into())
}
