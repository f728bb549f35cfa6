//! Budgets: what somebody may do only so often in a day, or in an hour.
//!
//! Invariant: what is done has been charged first, by one conditional addition, so concurrent requests can't share a
//! place in the budget.

use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::basic::Time;

use super::Table;
use crate::StoreError;
use crate::engine::Key;
use crate::engine::item::{number, text};

/// What may be spent in a window of time.
pub(crate) struct Budget {
    /// Names who spends and the window.
    pub key: Key,
    pub kind: &'static str,
    pub most: u32,
    /// The windows follow each other from the beginning of 1970, in UTC.
    pub window: SignedDuration,
}

impl Table {
    /// Charges a budget. Refused, for the rest of the window, if that is more than is left.
    pub(crate) async fn charge(&self, budget: Budget, amount: u32, now: Time) -> Result<(), StoreError> {
        let Budget { key, kind, most, window } = budget;
        let left = window.as_secs() - now.unix_seconds().rem_euclid(window.as_secs());
        let too_many = Refusal::TooManyAttempts { seconds: left.unsigned_abs() };
        let Some(left) = most.checked_sub(amount) else { return Err(too_many.into()) };
        let update = self
            .update(&key)
            .update_expression("SET #kind = :kind, #ttl = :ttl ADD spent :amount")
            .condition_expression("attribute_not_exists(spent) OR spent <= :left")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":kind", text(kind))
            .expression_attribute_values(":ttl", number(now.plus(window * 2).unix_seconds()))
            .expression_attribute_values(":amount", number(amount))
            .expression_attribute_values(":left", number(left));
        match Self::send_update(update).await? {
            Some(_) => Ok(()),
            None => Err(too_many.into()),
        }
    }
}
