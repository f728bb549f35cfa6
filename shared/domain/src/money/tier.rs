//! Tiers, and the prices that they pay.
//!
//! Invariant: a tier price is exact integer arithmetic in basis points, rounded down (rule B2). Floating point gets
//! the platinum prices of 90 and 700 wrong.

use crate::basic::choice::read_by_name;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::basic::number::number_type;
use crate::money::credits::Credits;

/// The level of a reseller, which determines its discount.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(try_from = "String", rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Tier {
    /// The lowest tier, which is that of a new reseller.
    #[default]
    Standard,
    /// The middle tier.
    Gold,
    /// The highest tier.
    Platinum,
}

read_by_name!(Tier);

impl Tier {
    pub const fn above(self) -> Option<Self> {
        match self {
            Self::Standard => Some(Self::Gold),
            Self::Gold => Some(Self::Platinum),
            Self::Platinum => None,
        }
    }
}

number_type!(
    /// A discount in basis points, which are hundredths of a per cent.
    BasisPoints(u16), from 0 to 10_000, example 3000
);

impl BasisPoints {
    /// The price after the discount, rounded down, but at least 1: nothing that has a price is free (rule B2).
    pub fn off(self, price: Credits) -> Credits {
        let left = u128::from(price.get()) * u128::from(10_000 - self.0) / 10_000;
        // The result is at most `price`, so it fits, and the fallback is never used.
        let left = u64::try_from(left).unwrap_or(price.get());
        Credits::new(left.max(price.get().min(1)))
    }
}

/// The discount of each tier off the list price. It is a setting of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discounts {
    pub standard: BasisPoints,
    pub gold: BasisPoints,
    pub platinum: BasisPoints,
}

impl Default for Discounts {
    fn default() -> Self {
        Self { standard: BasisPoints(0), gold: BasisPoints(1_500), platinum: BasisPoints(3_000) }
    }
}

impl Discounts {
    pub const fn of(&self, tier: Tier) -> BasisPoints {
        match tier {
            Tier::Standard => self.standard,
            Tier::Gold => self.gold,
            Tier::Platinum => self.platinum,
        }
    }

    pub fn price(&self, tier: Tier, base: Credits) -> Credits {
        self.of(tier).off(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_price_table() {
        let discounts = Discounts::default();
        for (base, tier, price) in [
            (999, Tier::Standard, 999),
            (999, Tier::Gold, 849),
            (999, Tier::Platinum, 699),
            (90, Tier::Platinum, 63),
            (700, Tier::Platinum, 490),
            (1_000, Tier::Gold, 850),
            (1, Tier::Platinum, 1),
            (0, Tier::Platinum, 0),
            (1_000_000_000_000, Tier::Platinum, 700_000_000_000),
        ] {
            assert_eq!(discounts.price(tier, Credits::new(base)), Credits::new(price), "{base} {tier:?}");
        }
    }

    /// Checks without division that the price is the largest integer p with p × 10,000 ≤ base × (10,000 − discount), or
    /// 1 if that is 0.
    fn is_exact(base: u64, discount: u16, price: u64) -> bool {
        let paid = u128::from(base) * u128::from(10_000 - discount);
        if base > 0 && paid < 10_000 {
            return price == 1;
        }
        u128::from(price) * 10_000 <= paid && paid < (u128::from(price) + 1) * 10_000
    }

    #[test]
    fn every_base_up_to_200_000_is_exact_in_every_tier() {
        let discounts = Discounts::default();
        for base in 0..=200_000 {
            for (tier, discount) in [(Tier::Standard, 0), (Tier::Gold, 1_500), (Tier::Platinum, 3_000)] {
                let price = discounts.price(tier, Credits::new(base)).get();
                assert!(is_exact(base, discount, price), "{base} {tier:?} {price}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_discount_of_any_price_is_exact(base in 0_u64..=1_000_000_000_000, discount in 0_u16..=10_000) {
            let price = BasisPoints(discount).off(Credits::new(base)).get();
            prop_assert!(is_exact(base, discount, price));
        }
    }
}
