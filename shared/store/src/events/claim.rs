//! Claims: how a consumer acts only once on an event that is delivered at least once.
//!
//! Items: `EV#consumer#event`. Invariant: of any number of deliveries of an event, one at a time holds the claim. A
//! holder that dies loses the claim when its lease ends. A claim that is marked as done stays done for 30 days.

use jiff::SignedDuration;
use purser_domain::basic::Time;
use serde_json::json;

use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, number, part, text};
use crate::engine::table::Changed;
use crate::engine::{Condition, Key, Stamp, TableError, Update};
use crate::{Store, StoreError};

/// How long a consumer may take to act before another delivery may claim the event.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a claim is remembered. The bus delivers an event for a day at most.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This delivery holds the lease: act, then call [`Store::settle`].
    Held,
    /// An earlier delivery has acted on the event.
    Done,
    /// Another delivery is acting on the event now. Try again later.
    Taken,
}

pub(crate) fn key(consumer: &str, event: &str) -> Key {
    Key::alone("EV", format_args!("{consumer}#{event}"))
}

/// The update that writes a claim. What else its item notes stays.
fn update(key: Key, doc: &serde_json::Value, stamp: &Stamp, now: Time) -> Result<Update, StoreError> {
    Ok(Update::of(key)
        .set("kind", text("claim"))
        .set("doc", attribute(doc)?)
        .set("by", attribute(stamp)?)
        .set("ttl", number(now.plus(KEPT).unix_seconds())))
}

impl Store {
    pub async fn claim(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<Claim, StoreError> {
        let held = json!({"version": 1, "created_at": now, "state": "held", "lease_until": now.plus(LEASE)});
        let claim = update(key(consumer, event), &held, stamp, now)?;
        let free = Condition::Any(vec![
            Condition::Absent,
            Condition::All(vec![
                Condition::Is("doc.state", text("held")),
                Condition::Before("doc.lease_until", text(now)),
            ]),
        ]);
        let outcome = self.table.change_or_show(&claim, &free).await.map_err(|error| match error {
            TableError::Contended(why) | TableError::Failed(why) => {
                StoreError::Failed(format!("claiming an event: {why}"))
            }
        })?;
        let Changed::No(found) = outcome else {
            return Ok(Claim::Held);
        };
        let found = found.ok_or_else(|| StoreError::Unreadable("the claim that exists was not returned".into()))?;
        let holder: Stamp = part(&found, "by")?;
        let state: serde_json::Value = doc(&found)?;
        Ok(match state.get("state").and_then(serde_json::Value::as_str) {
            Some("done") => Claim::Done,
            // The answer to this claim got lost, and the SDK repeated the call.
            _ if holder.request == stamp.request => Claim::Held,
            _ => Claim::Taken,
        })
    }

    /// Marks a claim that this delivery holds as done.
    pub async fn settle(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<(), StoreError> {
        let done = json!({"version": 2, "created_at": now, "state": "done"});
        self.keep_claim(consumer, event, &done, stamp, now).await
    }

    /// Gives back a claim that this delivery holds, so that the next delivery need not wait for the lease to end.
    pub async fn release(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<(), StoreError> {
        let past = now.plus(SignedDuration::from_millis(-1));
        let free = json!({"version": 2, "created_at": now, "state": "held", "lease_until": past});
        self.keep_claim(consumer, event, &free, stamp, now).await
    }

    /// Changes a claim if this delivery still holds it. Another delivery's claim is left alone: this call may arrive
    /// after that delivery has acted. The call is retried while the table is too busy, because a claim that is not
    /// marked as done leads to a second e-mail or action.
    async fn keep_claim(
        &self,
        consumer: &str,
        event: &str,
        doc: &serde_json::Value,
        stamp: &Stamp,
        now: Time,
    ) -> Result<(), StoreError> {
        let claim = update(key(consumer, event), doc, stamp, now)?;
        let ours = Condition::Is("by.request", text(&stamp.request));
        patiently(|| self.table.change(&claim, &ours)).await.map(|_| ())
    }
}
