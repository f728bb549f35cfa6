//! Claims: how a consumer of events acts once on what arrives at least once.
//!
//! Items: `EV#consumer#event`. Invariant: of any number of deliveries of an event, one holds the claim at a
//! time; a holder that dies loses it when its lease ends; a claim that is done stays done for a month.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::SignedDuration;
use purser_domain::basic::time::Time;
use serde_json::json;

use crate::engine::command::turn::Turn;
use crate::engine::item::{Stamp, doc, item, number, part, text};
use crate::engine::keys::Key;
use crate::engine::table::{Table, TableError, classify, describe};
use crate::{Store, StoreError};

/// How long a consumer may take to act before another delivery may try.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a claim is remembered; the bus delivers for a day at most.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether a delivery may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It holds the lease: act, then mark it done.
    Held,
    /// An earlier delivery has acted.
    Done,
    /// Another delivery is acting now; come back later.
    Taken,
}

impl Store {
    /// Claims `event` for `consumer`.
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
                let found = failed.item().ok_or_else(|| StoreError::Unreadable("no claim".into()))?;
                let holder: Stamp = part(found, "by")?;
                let state: serde_json::Value = doc(found)?;
                Ok(match state.get("state").and_then(serde_json::Value::as_str) {
                    Some("done") => Claim::Done,
                    // The answer to this very claim got lost, and the SDK sent it again.
                    _ if holder.request == stamp.request => Claim::Held,
                    _ => Claim::Taken,
                })
            }
            _ => Err(StoreError::Failed(format!("claiming: {}", describe(&error)))),
        }
    }

    /// Marks a claim that is held as done.
    pub async fn settle(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<(), StoreError> {
        let done = json!({"version": 2, "created_at": now, "state": "done"});
        self.keep_claim(consumer, event, &done, stamp, now).await
    }

    /// Gives a claim that is held back, so that the next delivery need not wait for the lease to end.
    pub async fn release(&self, consumer: &str, event: &str, stamp: &Stamp, now: Time) -> Result<(), StoreError> {
        let past = now.plus(SignedDuration::from_millis(-1));
        let free = json!({"version": 2, "created_at": now, "state": "held", "lease_until": past});
        self.keep_claim(consumer, event, &free, stamp, now).await
    }

    /// Replaces a claim that this very delivery holds. Somebody else's is left alone: a call may arrive so late that
    /// another delivery has acted since. A table that is too busy is asked again, because what is not noted is done
    /// again.
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
