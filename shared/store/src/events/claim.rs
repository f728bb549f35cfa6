//! Claims: how a consumer acts only once on an event that is delivered at least once.
//!
//! Items: `EV#consumer#event`. Invariant: of any number of deliveries of an event, one at a time holds the claim. A
//! holder that dies loses the claim when its lease ends. A claim that is marked as done stays done for 30 days.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::SignedDuration;
use purser_domain::basic::Time;
use serde_json::json;

use crate::engine::item::{doc, item, number, part, text};
use crate::engine::table::{classify, describe};
use crate::engine::{Key, Stamp, Table, TableError, Turn};
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

impl Store {
    pub async fn claim(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<Claim, StoreError> {
        let key = Key::alone("EV", format_args!("{consumer}#{event}"));
        let held = json!({"version": 1, "created_at": now, "state": "held", "lease_until": now.plus(LEASE)});
        let mut claim = item(&key, "claim", &held, stamp)?;
        claim.insert("ttl".to_owned(), number(now.plus(KEPT).unix_seconds()));
        let put = self
            .table
            .put(claim)
            .condition_expression("attribute_not_exists(pk) OR (#doc.#state = :held AND #doc.#lease < :now)")
            .expression_attribute_names("#doc", "doc")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#lease", "lease_until")
            .expression_attribute_values(":held", text("held"))
            .expression_attribute_values(":now", text(now))
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            );
        let Err(error) = Table::send(put).await else {
            return Ok(Claim::Held);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let found = failed
                    .item()
                    .ok_or_else(|| StoreError::Unreadable("the claim that exists already was not returned".into()))?;
                let holder: Stamp = part(found, "by")?;
                let state: serde_json::Value = doc(found)?;
                Ok(match state.get("state").and_then(serde_json::Value::as_str) {
                    Some("done") => Claim::Done,
                    // The answer to this claim got lost, and the SDK repeated the call.
                    _ if holder.request == stamp.request => Claim::Held,
                    _ => Claim::Taken,
                })
            }
            _ => Err(StoreError::Failed(format!("claiming an event: {}", describe(&error)))),
        }
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

    /// Replaces a claim if this delivery still holds it. Another delivery's claim is left alone: this call may arrive
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
        let key = Key::alone("EV", format_args!("{consumer}#{event}"));
        let mut claim = item(&key, "claim", doc, stamp)?;
        claim.insert("ttl".to_owned(), number(now.plus(KEPT).unix_seconds()));
        let mut turn = Turn::new();
        loop {
            let put = self
                .table
                .put(claim.clone())
                .condition_expression("#by.#request = :request")
                .expression_attribute_names("#by", "by")
                .expression_attribute_names("#request", "request")
                .expression_attribute_values(":request", text(&stamp.request));
            let Err(error) = Table::send(put).await else {
                return Ok(());
            };
            if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) {
                return Ok(());
            }
            match classify(&error) {
                TableError::Contended(why) => turn.wait(&why).await?,
                error @ TableError::Failed(_) => return Err(error.into()),
            }
        }
    }
}
