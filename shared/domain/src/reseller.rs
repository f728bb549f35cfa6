//! Resellers: distributors with a tier and a wallet.
//!
//! Invariant: what decides whether a reseller may spend (tier, status, hold, threshold) is kept on its wallet
//! too, and both change in one commit, so a purchase reads one item.

use serde::{Deserialize, Serialize};

use crate::credits::Credits;
use crate::email::EmailAddress;
use crate::metadata::Metadata;
use crate::refid::{ResellerRefid, UserRefid};
use crate::refusal::Refusal;
use crate::text::Name;
use crate::tier::Tier;
use crate::time::Time;

/// Where a reseller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResellerStatus {
    /// Signed up, not yet approved.
    Pending,
    /// May trade.
    Active,
    /// May look, not trade.
    Suspended,
}

impl ResellerStatus {
    /// The status's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Refuses what only an active reseller may do: buy, and win clients (SPEC A3, B5).
    pub fn must_trade(self) -> Result<(), Refusal> {
        match self {
            Self::Active => Ok(()),
            Self::Pending => Err(Refusal::ResellerPending),
            Self::Suspended => Err(Refusal::ResellerSuspended),
        }
    }
}

/// What a caller gives of a new reseller.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReseller {
    /// The company.
    pub company_name: Name,
    /// The address of its first login.
    pub email: EmailAddress,
    /// Its tier.
    pub tier: Tier,
    /// The balance below which it is warned.
    pub low_credit_threshold: Credits,
    /// White-label settings and whatever else is kept with it.
    pub metadata: Metadata,
    /// The reseller above it.
    pub parent: Option<ResellerRefid>,
}

/// A reseller as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reseller {
    /// Its public id, which is its wallet's too.
    pub refid: ResellerRefid,
    /// The login it was onboarded with.
    pub user: UserRefid,
    /// The company.
    pub company_name: Name,
    /// Where its mails go.
    pub email: EmailAddress,
    /// Its tier.
    pub tier: Tier,
    /// Where it stands.
    pub status: ResellerStatus,
    /// Whether purchases are held until it tops up (SPEC B5).
    pub hold_provisioning: bool,
    /// The balance below which it is warned (SPEC B9).
    pub low_credit_threshold: Credits,
    /// The reseller above it.
    pub parent: Option<ResellerRefid>,
    /// White-label settings and whatever else is kept with it; sealed by the store.
    #[serde(skip)]
    pub metadata: Metadata,
    /// When it was onboarded.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

/// What an operator may change of a reseller; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResellerChange {
    /// A new company name.
    pub company_name: Option<Name>,
    /// A new tier.
    pub tier: Option<Tier>,
    /// A new status.
    pub status: Option<ResellerStatus>,
    /// Hold or release purchases.
    pub hold_provisioning: Option<bool>,
    /// A new threshold.
    pub low_credit_threshold: Option<Credits>,
    /// Metadata after the merge.
    pub metadata: Option<Metadata>,
}

impl Reseller {
    /// A new, active reseller.
    pub fn onboard(new: NewReseller, refid: ResellerRefid, user: UserRefid, now: Time) -> Self {
        Self {
            refid,
            user,
            company_name: new.company_name,
            email: new.email,
            tier: new.tier,
            status: ResellerStatus::Active,
            hold_provisioning: false,
            low_credit_threshold: new.low_credit_threshold,
            parent: new.parent,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The reseller with `change` applied; `None` when that changes nothing.
    pub fn changed(&self, change: ResellerChange, now: Time) -> Option<Self> {
        let changed = Self {
            company_name: change
                .company_name
                .unwrap_or_else(|| self.company_name.clone()),
            tier: change.tier.unwrap_or(self.tier),
            status: change.status.unwrap_or(self.status),
            hold_provisioning: change.hold_provisioning.unwrap_or(self.hold_provisioning),
            low_credit_threshold: change
                .low_credit_threshold
                .unwrap_or(self.low_credit_threshold),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            ..self.clone()
        };
        (changed != *self).then(|| Self {
            updated_at: now.max(self.updated_at),
            version: self.version + 1,
            ..changed
        })
    }

    /// The name its clients see: the white label's, else the company's (SPEC B12).
    pub fn brand_name(&self) -> &str {
        let usable = |name: &&str| crate::text::check(name, 255).is_ok();
        self.metadata
            .text("name")
            .filter(usable)
            .unwrap_or(self.company_name.as_str())
    }
}
