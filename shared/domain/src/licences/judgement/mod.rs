//! What a program is told about its licence, and in which order (rule C3).
//!
//! Invariant: the order of [`Outcome`] is the order in which a licence is judged, and it never changes. Of all that can
//! be said about a licence, a program is told what comes first.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::basic::text::text_type;
use crate::basic::time::Time;
use crate::licences::licence::Licence;
use crate::licences::rules::{Domain, Feature};
use crate::licences::status::{LicenceStatus, ShownStatus};
use crate::parties::client::ClientStatus;

text_type!(
    /// The name that a program gives to its installation. Purser compares it byte for byte and nothing else.
    Fingerprint, most 255, example "6b1e5e0c-4a4e-4a7f-9d2b-0f4a9f7e2c11"
);
text_type!(
    /// The reference of the product that a program says it is, which need not be one.
    NamedProduct, most 255, example "PRO-1Y"
);
text_type!(
    /// Whatever a program sends to find it again in the answer, so that an older answer can't pass for this one.
    Nonce, most 255, example "b7Jq0yXk3c"
);

/// What is said about a licence.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ValidationCode))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Outcome {
    /// No licence has this key, or it has another one by now.
    NotFound,
    /// The licence is for another product.
    WrongProduct,
    /// The licence has ended for good.
    Revoked,
    /// The vendor or the reseller has suspended the licence.
    Suspended,
    /// The client is suspended or inactive.
    ClientSuspended,
    /// The licence has ended, and may be renewed.
    Expired,
    /// The version was released after updates ended.
    VersionNotCovered,
    /// The licence lacks a feature that was asked for.
    FeatureMissing,
    /// The program asks from an address that the licence does not allow.
    IpNotAllowed,
    /// The program runs on a domain that the licence does not allow, or names none.
    DomainNotAllowed,
    /// The installation has not been activated. Only a request with a fingerprint is told so.
    NotActivated,
    /// The term of the licence has not begun.
    NotYetActive,
    /// As many installations as the licence allows use it.
    TooManyActivations,
    /// The program may run.
    Valid,
}

impl Outcome {
    /// The outcome for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotFound => "There is no licence with this key, or it has another key by now.",
            Self::WrongProduct => "The licence is for another product.",
            Self::Revoked => "The licence has ended for good.",
            Self::Suspended => "The licence is suspended.",
            Self::ClientSuspended => "The owner of the licence is suspended.",
            Self::Expired => "The licence has expired.",
            Self::VersionNotCovered => {
                "The licence does not cover this version, which was released after updates ended."
            }
            Self::FeatureMissing => "The licence lacks a feature that was asked for.",
            Self::IpNotAllowed => "The licence may not be used from this network address.",
            Self::DomainNotAllowed => "The licence may not be used on this domain.",
            Self::NotActivated => "This installation has not been activated.",
            Self::NotYetActive => "The licence has not been activated.",
            Self::TooManyActivations => "As many installations as the licence allows use it.",
            Self::Valid => "The licence is valid.",
        }
    }
}

/// What a program says about itself, and where it asks from.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub product: Option<NamedProduct>,
    /// When the program's version was released.
    pub released_at: Option<Time>,
    /// The features that the program wants to offer.
    pub features: Vec<Feature>,
    pub domain: Option<Domain>,
    /// `None` if the address is not known.
    pub address: Option<IpAddr>,
    /// Whether the program names its installation, and whether that has a seat.
    pub installation: Option<Installation>,
}

/// How the installation that asks stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// It holds no seat.
    Unknown,
    Seated,
    /// It asks for a seat, which also lets the term of the licence begin.
    Joining,
    /// It asks for a seat, and none is free.
    TurnedAway,
}

impl Outcome {
    /// The first of what can be said about `licence` at `now`. `client` is the status of its owner, if it has one that
    /// was not deleted.
    pub fn of(licence: &Licence, client: Option<ClientStatus>, asked: &Question, now: Time) -> Self {
        let holds = |outcome: &&Self| outcome.holds(licence, client, asked, now);
        Self::VARIANTS.iter().find(holds).copied().unwrap_or(Self::Valid)
    }

    /// Whether this can be said about the licence, whatever else can.
    fn holds(self, licence: &Licence, client: Option<ClientStatus>, asked: &Question, now: Time) -> bool {
        let grants = &licence.grants;
        match self {
            // Only the look-up of the key can tell.
            Self::NotFound => false,
            Self::WrongProduct => {
                asked.product.as_ref().is_some_and(|product| product.as_str() != licence.product.as_str())
            }
            Self::Revoked => licence.status == LicenceStatus::Revoked,
            Self::Suspended => licence.status == LicenceStatus::Suspended,
            Self::ClientSuspended => matches!(client, Some(ClientStatus::Suspended | ClientStatus::Inactive)),
            Self::Expired => licence.expires_at.is_some_and(|end| end <= now),
            Self::VersionNotCovered => {
                licence.updates_until.zip(asked.released_at).is_some_and(|(until, released)| released > until)
            }
            Self::FeatureMissing => asked.features.iter().any(|feature| !grants.features.contains(feature)),
            Self::IpNotAllowed => {
                let held = |address| grants.ip_ranges.iter().any(|range| range.holds(address));
                !grants.ip_ranges.is_empty() && !asked.address.is_some_and(held)
            }
            Self::DomainNotAllowed => {
                let allowed = |domain: &Domain| domain.is_local() || grants.domains.iter().any(|it| it.allows(domain));
                !grants.domains.is_empty() && !asked.domain.as_ref().is_some_and(allowed)
            }
            Self::NotActivated => asked.installation == Some(Installation::Unknown),
            Self::NotYetActive => {
                let joins = matches!(asked.installation, Some(Installation::Joining | Installation::TurnedAway));
                licence.status_at(now) == ShownStatus::Pending && !joins
            }
            Self::TooManyActivations => asked.installation == Some(Installation::TurnedAway),
            Self::Valid => true,
        }
    }
}

#[cfg(test)]
mod tests;
