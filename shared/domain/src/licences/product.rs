//! Products: what resellers sell.
//!
//! Invariant: the reference of a product is part of URLs, so it holds only unreserved characters and is not a dot
//! segment.

use crate::basic::choice::read_by_name;
use serde::{Deserialize, Serialize};

use crate::basic::number::number_type;
use crate::basic::text::{Name, TextError, text_type};
use crate::basic::time::Time;
use crate::money::credits::Amount;
use crate::money::tier::Tier;
use crate::refusal::Refusal;

const MOST_REFERENCE: usize = 64;

/// Unreserved characters of a URL, but not `.` or `..`.
#[cfg(feature = "schema")]
const REFERENCE: &str = r"^(\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3,})$";

text_type!(
    /// The name by which orders refer to a product, like `PROD-001`.
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

/// The schema of the reference of a product that is to be created. There, text of another form is refused; everywhere
/// else it is treated like the reference of a product that does not exist.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub struct NewProductReference;

#[cfg(feature = "schema")]
crate::value_schema!(
    NewProductReference,
    "The name by which orders will refer to the product, like `PROD-001`.",
    pattern(1, MOST_REFERENCE, REFERENCE),
    "PROD-001"
);

number_type!(
    /// How many days a licence lasts from its activation.
    Days(u32), from 1 to 36_500, example 365
);
number_type!(
    /// How many installations may use a licence at a time.
    ParallelUses(u32), from 1 to 1_000_000, example 3
);

/// What a licence grants, and for how long (rule C1). A term begins when the licence is activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Terms {
    /// The version that was sold, for ever.
    Perpetual,
    /// Every version, for ever.
    Lifetime,
    /// A paid term, which can be renewed.
    Subscription(Days),
    /// A term for trying the product.
    Trial(Days),
}

/// What a licence grants, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::VariantNames)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Terms))]
#[serde(try_from = "String", rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
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

read_by_name!(TermsKind);

/// The kind of terms needs a duration and has none, or has one and allows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("duration_days is required for a subscription or trial, and not allowed for perpetual or lifetime terms")]
pub struct TermsError;

impl Terms {
    /// The terms of this kind and duration. Without a kind, they are a subscription if there is a duration, and
    /// otherwise a lifetime licence.
    pub fn new(kind: Option<TermsKind>, days: Option<Days>) -> Result<Self, TermsError> {
        match (kind, days) {
            (None | Some(TermsKind::Subscription), Some(days)) => Ok(Self::Subscription(days)),
            (Some(TermsKind::Trial), Some(days)) => Ok(Self::Trial(days)),
            (None | Some(TermsKind::Lifetime), None) => Ok(Self::Lifetime),
            (Some(TermsKind::Perpetual), None) => Ok(Self::Perpetual),
            _ => Err(TermsError),
        }
    }

    pub const fn kind(self) -> TermsKind {
        match self {
            Self::Perpetual => TermsKind::Perpetual,
            Self::Lifetime => TermsKind::Lifetime,
            Self::Subscription(_) => TermsKind::Subscription,
            Self::Trial(_) => TermsKind::Trial,
        }
    }

    /// The duration; `None` if the terms have no end.
    pub const fn days(self) -> Option<Days> {
        match self {
            Self::Perpetual | Self::Lifetime => None,
            Self::Subscription(days) | Self::Trial(days) => Some(days),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    pub reference: ProductReference,
    pub name: Name,
    pub price: Amount,
    /// The tiers that may sell the product; `None` means all.
    pub tiers: Option<Vec<Tier>>,
    /// The terms of licences that are sold from now on.
    pub terms: Terms,
    /// How many installations may use a licence at the same time; `None` means any number.
    pub parallel_uses: Option<ParallelUses>,
    pub active: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: u64,
}

/// The changes to make to a product; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductChange {
    pub name: Option<Name>,
    pub price: Option<Amount>,
    /// `Some(None)` allows all tiers.
    pub tiers: Option<Option<Vec<Tier>>>,
    pub terms: Option<TermsKind>,
    /// `Some(None)` removes the duration.
    pub duration_days: Option<Option<Days>>,
    /// `Some(None)` allows any number of installations.
    pub parallel_uses: Option<Option<ParallelUses>>,
    pub active: Option<bool>,
}

impl ProductChange {
    /// The terms after the change. If only a duration is given or removed, it decides whether the kind changes: terms
    /// with a duration become a subscription, and terms without one become a lifetime licence.
    pub fn terms(&self, old: Terms) -> Result<Terms, TermsError> {
        let days = self.duration_days.unwrap_or(old.days());
        let kept = (days.is_some() == old.days().is_some()).then_some(old.kind());
        Terms::new(self.terms.or(kept), days)
    }
}

impl Product {
    /// The product with `change` applied; `None` if that changes nothing.
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

    /// Refuses a sale of a product that is not for sale, or not for sale by `tier` (rule B3).
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
