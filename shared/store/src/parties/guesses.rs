//! How many addresses and external ids a reseller has asked about today: `GB#reseller#day`.
//!
//! Invariant: what a refusal tells about other resellers' clients has been charged before it is told (rule A2).

use jiff::SignedDuration;
use purser_domain::basic::{ResellerRefid, Time};

use crate::engine::table::budget::Budget;
use crate::engine::{Key, Loaded};
use crate::{Store, StoreError};

/// How many addresses and external ids a reseller may ask about in a day, in UTC.
pub const A_DAY: u32 = 1_000;

/// How long after its last change deleting a client, or changing its address, counts as a guess.
pub const FRESH: SignedDuration = DAY;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A reseller whose command names addresses and external ids. Once the day's budget is spent, no such command is
/// carried out: the ones that succeed would tell what is not taken.
#[derive(Debug, Clone)]
pub struct Asker {
    pub reseller: ResellerRefid,
    /// How many addresses and external ids the command names.
    pub named: u32,
}

impl Asker {
    /// What the command has to read.
    pub(crate) fn key(&self, now: Time) -> Key {
        budget(&self.reseller, now).key
    }

    /// Refuses the command if it names more than is left of the budget as it was loaded.
    pub(crate) fn must_have_left(&self, loaded: &Loaded, now: Time) -> Result<(), StoreError> {
        budget(&self.reseller, now).must_have(self.named, loaded, now)
    }
}

fn budget(reseller: &ResellerRefid, now: Time) -> Budget {
    let key = Key::alone("GB", format!("{reseller}#{}", now.day()));
    Budget { key, kind: "guesses", most: A_DAY, window: DAY }
}

impl Store {
    /// Charges a reseller for asking about this many addresses and external ids. Refused if that is more than is left
    /// of the day's budget.
    pub async fn charge_guesses(&self, asker: &Asker, now: Time) -> Result<(), StoreError> {
        self.table.charge(budget(&asker.reseller, now), asker.named, now).await
    }
}
