//! Budgets: what somebody may do only so often in a day, or in an hour.
//!
//! Invariant: what is done has been charged first, by one conditional addition, so concurrent requests can't share a
//! place in the budget.

use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::basic::Time;

use super::{Condition, Table, Update};
use crate::StoreError;
use crate::engine::item::{number, text};
use crate::engine::{Key, Loaded};

/// What may be spent in a window of time.
pub(crate) struct Budget {
    /// Names who spends and the window.
    pub key: Key,
    pub kind: &'static str,
    pub most: u32,
    /// The windows follow each other from the beginning of 1970, in UTC.
    pub window: SignedDuration,
}

impl Budget {
    /// Refuses to go on, for the rest of the window, if `amount` is more than is left of the budget as it was loaded.
    pub(crate) fn must_have(&self, amount: u32, loaded: &Loaded, now: Time) -> Result<(), StoreError> {
        let spent = loaded.get(&self.key).and_then(|item| item.get("spent")?.as_n().ok()?.parse::<u32>().ok());
        if spent.unwrap_or_default().saturating_add(amount) > self.most {
            return Err(self.too_many(now).into());
        }
        Ok(())
    }

    fn too_many(&self, now: Time) -> Refusal {
        let left = self.window.as_secs() - now.unix_seconds().rem_euclid(self.window.as_secs());
        Refusal::TooManyAttempts { seconds: left.unsigned_abs() }
    }
}

impl Table {
    /// Charges a budget. Refused, for the rest of the window, if that is more than is left.
    pub(crate) async fn charge(&self, budget: Budget, amount: u32, now: Time) -> Result<(), StoreError> {
        let too_many = budget.too_many(now);
        let Budget { key, kind, most, window } = budget;
        let Some(left) = most.checked_sub(amount) else { return Err(too_many.into()) };
        let update = Update::of(key)
            .set("kind", text(kind))
            .set("ttl", number(now.plus(window * 2).unix_seconds()))
            .add("spent", number(amount));
        let charged = self.change(&update, &Condition::AtMost("spent", left)).await?;
        charged.then_some(()).ok_or_else(|| too_many.into())
    }
}
