//! How many addresses and external ids a reseller has asked about today: `GB#reseller#day`.
//!
//! Invariant: what a refusal tells about other resellers' clients has been charged before it is told (rule A2). The
//! count is one conditional addition, so concurrent guesses can't share a place in the budget.

use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::basic::{ResellerRefid, Time};

use crate::engine::item::{number, text};
use crate::engine::{Key, Table};
use crate::{Store, StoreError};

/// How many addresses and external ids a reseller may ask about in a day, in UTC.
pub const A_DAY: u32 = 1_000;

/// How long after its last change deleting a client, or changing its address, counts as a guess.
pub const FRESH: SignedDuration = DAY;

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Charges a reseller for asking about this many addresses and external ids. Refused if that is more than is left
    /// of the day's budget.
    pub async fn charge_guesses(&self, reseller: &ResellerRefid, asked: u32, now: Time) -> Result<(), StoreError> {
        let key = Key::alone("GB", format!("{reseller}#{}", now.day()));
        let left = DAY.as_secs() - now.unix_seconds().rem_euclid(DAY.as_secs());
        let too_many = Refusal::TooManyAttempts { seconds: left.unsigned_abs() };
        let Some(left) = A_DAY.checked_sub(asked) else { return Err(too_many.into()) };
        let update = self
            .table
            .update(&key)
            .update_expression("SET #kind = :kind, #ttl = :ttl ADD spent :asked")
            .condition_expression("attribute_not_exists(spent) OR spent <= :left")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":kind", text("guesses"))
            .expression_attribute_values(":ttl", number(now.plus(DAY * 2).unix_seconds()))
            .expression_attribute_values(":asked", number(asked))
            .expression_attribute_values(":left", number(left));
        match Table::send_update(update).await? {
            Some(_) => Ok(()),
            None => Err(too_many.into()),
        }
    }
}
