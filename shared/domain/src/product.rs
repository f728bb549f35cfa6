//! Products: what is sold.
//!
//! Invariant: a product's reference stands in URLs, so it holds only unreserved characters and no dot segment.

use serde::{Deserialize, Serialize};

use crate::credits::Amount;
use crate::refusal::Refusal;
use crate::text::{Name, TextError, text_type};
use crate::tier::Tier;
use crate::time::Time;

text_type!(
    /// What a product is called in orders: `PROD-001`; 1 to 64 of `A–Z a–z 0–9 . _ ~ -`.
    ProductReference,
    |text| {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(unreserved) && text != "." && text != "..";
        if fits { Ok(()) } else { Err(TextError::Malformed("must be 1 to 64 letters, digits or . _ ~ -")) }
    }
);

/// How long a licence of a product lasts, in days: 1 to 36,500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Days(u32);

impl TryFrom<u32> for Days {
    type Error = TextError;
    fn try_from(days: u32) -> Result<Self, TextError> {
        if (1..=36_500).contains(&days) {
            Ok(Self(days))
        } else {
            Err(TextError::Malformed("must be from 1 to 36500"))
        }
    }
}

impl From<Days> for u32 {
    fn from(days: Days) -> Self {
        days.0
    }
}

/// How many installations may use one licence at a time: 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ParallelUses(u32);

impl TryFrom<u32> for ParallelUses {
    type Error = TextError;
    fn try_from(uses: u32) -> Result<Self, TextError> {
        if (1..=1_000_000).contains(&uses) {
            Ok(Self(uses))
        } else {
            Err(TextError::Malformed("must be from 1 to 1000000"))
        }
    }
}

impl From<ParallelUses> for u32 {
    fn from(uses: ParallelUses) -> Self {
        uses.0
    }
}

/// A product as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// What orders call it.
    pub reference: ProductReference,
    /// Its name.
    pub name: Name,
    /// The list price of one unit, in credits.
    pub price: Amount,
    /// The tiers that may sell it; none: all.
    pub tiers: Option<Vec<Tier>>,
    /// How long a licence lasts from its activation; none: for life.
    pub duration_days: Option<Days>,
    /// How many installations may use a licence at a time; none: unlimited.
    pub parallel_uses: Option<ParallelUses>,
    /// Whether it is sold at present.
    pub active: bool,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

impl Product {
    /// Refuses a sale by `tier` that the product does not allow (SPEC B3).
    pub fn must_sell_to(&self, tier: Tier) -> Result<(), Refusal> {
        if !self.active {
            return Err(Refusal::ProductInactive);
        }
        match &self.tiers {
            Some(tiers) if !tiers.contains(&tier) => Err(Refusal::TierNotAllowed {
                allowed: tiers.clone(),
            }),
            _ => Ok(()),
        }
    }
}
