//! Products: what is sold.
//!
//! Invariant: a product's reference stands in URLs, so it holds only unreserved characters and no dot segment.

use serde::{Deserialize, Serialize};

use crate::basic::text::{Name, TextError, text_type};
use crate::basic::time::Time;
use crate::money::credits::Amount;
use crate::money::tier::Tier;
use crate::refusal::Refusal;

/// The most characters of a reference.
const MOST_REFERENCE: usize = 64;

/// Unreserved in a URL, and no dot segment.
#[cfg(feature = "schema")]
const REFERENCE: &str = r"^(\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3,})$";

text_type!(
    /// What orders call a product, like `PROD-001`.
    ProductReference,
    check |text| {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        let length = 1..=MOST_REFERENCE;
        let fits = length.contains(&text.len()) && text.bytes().all(unreserved) && text != "." && text != "..";
        if fits { Ok(()) } else { Err(TextError::Malformed("must be 1 to 64 letters, digits or . _ ~ -")) }
    },
    schema id(pattern(1, MOST_REFERENCE, REFERENCE), "product-reference"),
    as "ProductReference", example "PROD-001"
);

/// The reference of a product to create, in the API's document: there text of another form is refused, while
/// everywhere else it is treated like the reference of a product that does not exist.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub struct NewProductReference;

#[cfg(feature = "schema")]
crate::value_schema!(
    NewProductReference,
    "What orders will call a product, like `PROD-001`.",
    pattern(1, MOST_REFERENCE, REFERENCE),
    "PROD-001"
);

/// How long a licence of a product lasts, in days: 1 to 36,500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Days(u32);

impl Days {
    const MAX: u32 = 36_500;
}

#[cfg(feature = "schema")]
crate::value_schema!(Days, "How many days a licence lasts from its activation.", integer(1, Self::MAX.into()), 365);

impl TryFrom<u32> for Days {
    type Error = TextError;
    fn try_from(days: u32) -> Result<Self, TextError> {
        if (1..=Self::MAX).contains(&days) {
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

impl ParallelUses {
    const MAX: u32 = 1_000_000;
}

#[cfg(feature = "schema")]
crate::value_schema!(
    ParallelUses,
    "How many installations may use a licence at a time.",
    integer(1, Self::MAX.into()),
    3
);

impl TryFrom<u32> for ParallelUses {
    type Error = TextError;
    fn try_from(uses: u32) -> Result<Self, TextError> {
        if (1..=Self::MAX).contains(&uses) {
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

/// What a licence grants over time (rule C1). One with a term lasts from its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Terms {
    /// This version for ever.
    Perpetual,
    /// Every version for ever.
    Lifetime,
    /// Paid for a time, to be renewed.
    Subscription(Days),
    /// To try it for a time.
    Trial(Days),
}

/// What a licence grants over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Terms))]
#[serde(rename_all = "lowercase")]
pub enum TermsKind {
    /// See [`Terms::Perpetual`].
    Perpetual,
    /// See [`Terms::Lifetime`].
    Lifetime,
    /// See [`Terms::Subscription`].
    Subscription,
    /// See [`Terms::Trial`].
    Trial,
}

/// Terms whose kind and duration do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subscription or trial has duration_days; perpetual and lifetime have none")]
pub struct TermsError;

impl Terms {
    /// The terms of this kind and duration. Without a kind, a duration makes a subscription, and none a licence
    /// for life.
    pub fn new(kind: Option<TermsKind>, days: Option<Days>) -> Result<Self, TermsError> {
        match (kind, days) {
            (None | Some(TermsKind::Subscription), Some(days)) => Ok(Self::Subscription(days)),
            (Some(TermsKind::Trial), Some(days)) => Ok(Self::Trial(days)),
            (None | Some(TermsKind::Lifetime), None) => Ok(Self::Lifetime),
            (Some(TermsKind::Perpetual), None) => Ok(Self::Perpetual),
            _ => Err(TermsError),
        }
    }

    /// The kind.
    pub const fn kind(self) -> TermsKind {
        match self {
            Self::Perpetual => TermsKind::Perpetual,
            Self::Lifetime => TermsKind::Lifetime,
            Self::Subscription(_) => TermsKind::Subscription,
            Self::Trial(_) => TermsKind::Trial,
        }
    }

    /// How long; none: for ever.
    pub const fn days(self) -> Option<Days> {
        match self {
            Self::Perpetual | Self::Lifetime => None,
            Self::Subscription(days) | Self::Trial(days) => Some(days),
        }
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
    /// What its licences grant, and for how long.
    pub terms: Terms,
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

/// What to change of a product; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new list price.
    pub price: Option<Amount>,
    /// Other tiers, or all of them.
    pub tiers: Option<Option<Vec<Tier>>>,
    /// Other kinds of terms.
    pub terms: Option<TermsKind>,
    /// Another duration, or none at all.
    pub duration_days: Option<Option<Days>>,
    /// Another number of uses, or any.
    pub parallel_uses: Option<Option<ParallelUses>>,
    /// Sold or not.
    pub active: Option<bool>,
}

impl ProductChange {
    /// The terms after the change: a duration that is given decides the kind, unless that is given, too.
    pub fn terms(&self, old: Terms) -> Result<Terms, TermsError> {
        let days = self.duration_days.unwrap_or(old.days());
        let kept = (days.is_some() == old.days().is_some()).then_some(old.kind());
        Terms::new(self.terms.or(kept), days)
    }
}

impl Product {
    /// The product with `change` applied; `None` when that changes nothing.
    pub fn changed(&self, change: &ProductChange, now: Time) -> Result<Option<Self>, TermsError> {
        let changed = Self {
            name: change.name.clone().unwrap_or_else(|| self.name.clone()),
            price: change.price.unwrap_or(self.price),
            tiers: change.tiers.clone().unwrap_or_else(|| self.tiers.clone()),
            terms: change.terms(self.terms)?,
            parallel_uses: change.parallel_uses.unwrap_or(self.parallel_uses),
            active: change.active.unwrap_or(self.active),
            ..self.clone()
        };
        let differs = changed != *self;
        Ok(differs.then(|| Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..changed }))
    }

    /// Refuses a sale by `tier` that the product does not allow (rule B3).
    pub fn must_sell_to(&self, tier: Tier) -> Result<(), Refusal> {
        if !self.active {
            return Err(Refusal::ProductInactive);
        }
        match &self.tiers {
            Some(tiers) if !tiers.contains(&tier) => Err(Refusal::TierNotAllowed { allowed: tiers.clone() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_terms_and_durations_go_together_or_not() {
        let year = Days::try_from(365).unwrap();
        for (kind, days, terms) in [
            (None, None, Ok(Terms::Lifetime)),
            (None, Some(year), Ok(Terms::Subscription(year))),
            (Some(TermsKind::Trial), Some(year), Ok(Terms::Trial(year))),
            (Some(TermsKind::Perpetual), None, Ok(Terms::Perpetual)),
            (Some(TermsKind::Perpetual), Some(year), Err(TermsError)),
            (Some(TermsKind::Lifetime), Some(year), Err(TermsError)),
            (Some(TermsKind::Subscription), None, Err(TermsError)),
            (Some(TermsKind::Trial), None, Err(TermsError)),
        ] {
            assert_eq!(Terms::new(kind, days), terms);
            if let Ok(terms) = terms {
                assert_eq!(Terms::new(Some(terms.kind()), terms.days()), Ok(terms));
            }
        }
    }
}
