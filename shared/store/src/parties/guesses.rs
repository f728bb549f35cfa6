//! How many addresses and external ids a reseller has asked about today: `GB#reseller#day`.
//!
//! Invariant: what a refusal tells about other resellers' clients has been charged before it is told (rule A2).

use jiff::SignedDuration;
use purser_domain::basic::{ResellerRefid, Time};

use crate::engine::Key;
use crate::engine::table::budget::Budget;
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
        let budget = Budget { key, kind: "guesses", most: A_DAY, window: DAY };
        self.table.charge(budget, asked, now).await
    }
}
