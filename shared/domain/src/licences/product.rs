//! Products: what resellers sell.
//!
//! Invariant: the reference of a product is part of URLs, so it holds only unreserved characters and is not a dot
//! segment.

use crate::basic::choice::read_by_name;
use serde::{Deserialize, Serialize};

use crate::basic::number::number_type;
use crate::basic::text::{Name, TextError, text_type};
use crate::basic::time::Time;
use crate::licences::key::KeyFormat;
use crate::licences::rules::{DomainRule, Feature, IpRange};
use crate::licences::term::{Lease, Term};
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

// Each seat below the limit is won by a write to the licence, and at the limit all activations are read.
number_type!(
    /// How many installations may use a licence at a time.
    ParallelUses(u32), from 1 to 1_000, stored to 1_000_000, example 3
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
    Subscription(Term),
    /// A term for trying the product.
    Trial(Term),
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

/// The kind of terms needs a term and has none, or has one and allows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a term is required for a subscription or trial, and not allowed for a perpetual or lifetime licence")]
pub struct TermsError;

impl Terms {
    /// The terms of this kind and length. Without a kind, they are a subscription if there is a term, and otherwise a
    /// lifetime licence.
    pub fn new(kind: Option<TermsKind>, term: Option<Term>) -> Result<Self, TermsError> {
        match (kind, term) {
            (None | Some(TermsKind::Subscription), Some(term)) => Ok(Self::Subscription(term)),
            (Some(TermsKind::Trial), Some(term)) => Ok(Self::Trial(term)),
            (None | Some(TermsKind::Lifetime), None) => Ok(Self::Lifetime),
            (Some(TermsKind::Perpetual), None) => Ok(Self::Perpetual),
            _ => Err(TermsError),
        }
    }

    /// The terms with another kind, another term, or, with `Some(None)`, without a term. If only a term is given or
    /// removed, it decides whether the kind changes: with a term they become a subscription, and without one a lifetime
    /// licence.
    pub fn changed(self, kind: Option<TermsKind>, term: Option<Option<Term>>) -> Result<Self, TermsError> {
        let term = term.unwrap_or(self.term());
        let kept = (term.is_some() == self.term().is_some()).then_some(self.kind());
        Self::new(kind.or(kept), term)
    }

    pub const fn kind(self) -> TermsKind {
        match self {
            Self::Perpetual => TermsKind::Perpetual,
            Self::Lifetime => TermsKind::Lifetime,
            Self::Subscription(_) => TermsKind::Subscription,
            Self::Trial(_) => TermsKind::Trial,
        }
    }

    /// How long one term lasts; `None` if the terms have no end.
    pub const fn term(self) -> Option<Term> {
        match self {
            Self::Perpetual | Self::Lifetime => None,
            Self::Subscription(term) | Self::Trial(term) => Some(term),
        }
    }
}

/// What a licence grants beside its length and its seats. A licence has a copy of what its product granted at the sale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// How long an installation may go unheard; `None`: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// The domains that the program may run on; any, if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<DomainRule>,
    /// The addresses that the program may ask from; any, if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    /// How long after its activation a licence covers new versions; `None`: as long as it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates_term: Option<Term>,
    /// How long after its activation a licence comes with support; `None`: nothing is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_term: Option<Term>,
}

impl Grants {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn uuid() -> KeyFormat {
    KeyFormat::Uuid
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
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
    /// The form of the keys that are made from now on. Before products had one, keys were UUIDs.
    #[serde(default = "uuid")]
    pub key_format: KeyFormat,
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
    pub kind: Option<TermsKind>,
    /// `Some(None)` removes the term.
    pub term: Option<Option<Term>>,
    /// `Some(None)` allows any number of installations.
    pub parallel_uses: Option<Option<ParallelUses>>,
    pub grants: GrantsChange,
    pub key_format: Option<KeyFormat>,
    pub active: Option<bool>,
}

/// The changes to make to what a product or a licence grants; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GrantsChange {
    pub lease: Option<Option<Lease>>,
    pub features: Option<Vec<Feature>>,
    pub domains: Option<Vec<DomainRule>>,
    pub ip_ranges: Option<Vec<IpRange>>,
    pub updates_term: Option<Option<Term>>,
    pub support_term: Option<Option<Term>>,
}

impl GrantsChange {
    pub fn applied(&self, old: &Grants) -> Grants {
        let Self { lease, features, domains, ip_ranges, updates_term, support_term } = self.clone();
        let old = old.clone();
        Grants {
            lease: lease.unwrap_or(old.lease),
            features: features.unwrap_or(old.features),
            domains: domains.unwrap_or(old.domains),
            ip_ranges: ip_ranges.unwrap_or(old.ip_ranges),
            updates_term: updates_term.unwrap_or(old.updates_term),
            support_term: support_term.unwrap_or(old.support_term),
        }
    }
}

impl ProductChange {
    /// The terms after the change.
    pub fn terms(&self, old: Terms) -> Result<Terms, TermsError> {
        old.changed(self.kind, self.term)
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
            grants: change.grants.applied(&self.grants),
            key_format: change.key_format.clone().unwrap_or_else(|| self.key_format.clone()),
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
        let year: Term = "P1Y".parse().unwrap();
        for (kind, term, terms) in [
            (None, None, Ok(Terms::Lifetime)),
            (None, Some(year), Ok(Terms::Subscription(year))),
            (Some(TermsKind::Trial), Some(year), Ok(Terms::Trial(year))),
            (Some(TermsKind::Perpetual), None, Ok(Terms::Perpetual)),
            (Some(TermsKind::Perpetual), Some(year), Err(TermsError)),
            (Some(TermsKind::Lifetime), Some(year), Err(TermsError)),
            (Some(TermsKind::Subscription), None, Err(TermsError)),
            (Some(TermsKind::Trial), None, Err(TermsError)),
        ] {
            assert_eq!(Terms::new(kind, term), terms);
            if let Ok(terms) = terms {
                assert_eq!(Terms::new(Some(terms.kind()), terms.term()), Ok(terms));
            }
        }
    }

    #[test]
    fn what_was_stored_before_is_read() {
        let stored = serde_json::json!({
            "reference": "P", "name": "x", "price": 1, "tiers": null, "terms": {"subscription": 365},
            "parallel_uses": 1_000_000, "active": true, "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z", "version": 1,
        });
        assert!(serde_json::from_value::<Product>(stored.clone()).is_err());
        let product: Product = crate::basic::as_stored(|| serde_json::from_value(stored)).unwrap();
        assert_eq!(product.terms, Terms::Subscription("P365D".parse().unwrap()));
        assert_eq!((product.key_format, product.grants.is_empty()), (KeyFormat::Uuid, true));
        assert_eq!(product.parallel_uses.map(ParallelUses::get), Some(1_000_000));
    }
}
