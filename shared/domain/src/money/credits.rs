//! Credits, the integer unit of a wallet.
//!
//! Invariant: no arithmetic on credits wraps or rounds by accident. An amount that moves is 1 to 10¹² credits, and a
//! balance stays within the integers that every JSON reader holds exactly (up to 2⁵³ − 1).

use derive_more::Display;
use serde::{Deserialize, Serialize};

use crate::basic::number::number_type;

/// A number of credits, for instance a balance, a price or a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, Display)]
#[serde(transparent)]
pub struct Credits(u64);

#[cfg(feature = "schema")]
crate::value_schema!(Credits, "A number of credits.", integer(0, Self::MAX_BALANCE.get()), 490);

impl Credits {
    pub const ZERO: Self = Self(0);
    /// The most that a wallet can hold: 2⁵³ − 1, above which numbers in JavaScript are no longer exact.
    pub const MAX_BALANCE: Self = Self((1 << 53) - 1);

    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum; `None` if it is more than a wallet can hold.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| *sum <= Self::MAX_BALANCE)
    }

    /// The difference; `None` if it is negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product; `None` if it is more than a wallet can hold.
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        self.0.checked_mul(count).map(Self).filter(|product| *product <= Self::MAX_BALANCE)
    }
}

number_type!(
    /// A number of credits that a caller moves, or a price that a caller sets.
    Amount(u64), from 1 to 1_000_000_000_000, example 1000
);

impl Amount {
    pub const fn credits(self) -> Credits {
        Credits(self.0)
    }
}

number_type!(
    /// The balance below which a reseller is warned; 0 means never.
    Threshold(u64), from 0 to 1_000_000_000_000, example 500
);

impl Threshold {
    pub const fn credits(self) -> Credits {
        Credits(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_run_from_one_to_a_million_millions() {
        for (count, valid) in [(0, false), (1, true), (Amount::MAX, true), (Amount::MAX + 1, false), (u64::MAX, false)]
        {
            assert_eq!(Amount::try_from(count).is_ok(), valid, "{count}");
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let full = Credits::MAX_BALANCE;
        assert_eq!(full.checked_add(Credits::new(1)), None);
        assert_eq!(full.checked_mul(2), None);
        assert_eq!(Credits::new(u64::MAX).checked_mul(2), None);
        assert_eq!(Credits::ZERO.checked_sub(Credits::new(1)), None);
        assert_eq!(Credits::new(5).checked_sub(Credits::new(5)), Some(Credits::ZERO));
    }
}
