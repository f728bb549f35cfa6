//! Resellers: who sells licences, each with a tier and a wallet.
//!
//! Invariant: what decides whether a reseller may spend (tier, status, hold, threshold) is stored on its wallet, too,
//! so a purchase reads one item; both change in one commit. A parent never changes, so a reseller's level is computed
//! when it is onboarded, and no reseller can be above itself.

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ResellerRefid, UserRefid};
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::money::credits::Credits;
use crate::money::tier::Tier;
use crate::parties::metadata::Metadata;
use crate::refusal::Refusal;

/// How many levels of resellers there can be. A reseller without a parent is on level 1.
pub const MOST_LEVELS: u8 = 5;

/// The status of a reseller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ResellerStatus {
    /// The reseller has applied and is not approved yet.
    Pending,
    /// The reseller may trade.
    Active,
    /// The reseller may read its data, but not trade.
    Suspended,
}

/// What a request of a reseller does, as far as its standing matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads the reseller's own profile.
    Profile,
    Read,
    /// Ends the access of a member of its staff or of an API key.
    End,
    Change,
}

impl ResellerStatus {
    /// Refuses a request of the reseller itself, unless the reseller's standing allows it (rule B14).
    pub fn must_allow(self, access: Access) -> Result<(), Refusal> {
        match (self, access) {
            (Self::Active, _)
            | (Self::Suspended, Access::Profile | Access::Read | Access::End)
            | (Self::Pending, Access::Profile) => Ok(()),
            (Self::Pending, Access::Read | Access::End | Access::Change) => Err(Refusal::ResellerPending),
            (Self::Suspended, Access::Change) => Err(Refusal::ResellerSuspended),
        }
    }

    /// Refuses what only an active reseller may do, such as buying and getting clients (rules A3, B5).
    pub fn must_trade(self) -> Result<(), Refusal> {
        match self {
            Self::Active => Ok(()),
            Self::Pending => Err(Refusal::ResellerPending),
            Self::Suspended => Err(Refusal::ResellerSuspended),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewReseller {
    pub company_name: Name,
    /// The e-mail address of the reseller's first user.
    pub email: EmailAddress,
    pub tier: Tier,
    /// The status: active, or pending if the reseller applied by itself.
    pub status: ResellerStatus,
    pub low_credit_threshold: Credits,
    /// White-label settings and free data of the callers.
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reseller {
    /// The reseller's id, which is also the id of its wallet.
    pub refid: ResellerRefid,
    /// The user with whom the reseller was onboarded.
    pub user: UserRefid,
    pub company_name: Name,
    pub email: EmailAddress,
    /// The address before the last change. A notice of the change goes there.
    #[serde(default)]
    pub previous_email: Option<EmailAddress>,
    pub tier: Tier,
    pub status: ResellerStatus,
    /// Whether purchases are on hold (rule B5).
    pub hold_provisioning: bool,
    /// Whether rule B9 put the purchases on hold; only then does a top-up release them.
    pub held_by_rule: bool,
    /// The balance below which the reseller is warned (rule B9).
    pub low_credit_threshold: Credits,
    pub parent: Option<ResellerRefid>,
    /// The level; a reseller without a parent is on level 1.
    pub level: u8,
    /// White-label settings and free data of the callers. The store seals it, so it is not part of the document.
    #[serde(skip)]
    pub metadata: Metadata,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: u64,
}

/// The changes that an operator makes to a reseller; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResellerChange {
    pub company_name: Option<Name>,
    pub email: Option<EmailAddress>,
    pub tier: Option<Tier>,
    pub status: Option<ResellerStatus>,
    pub hold_provisioning: Option<bool>,
    pub low_credit_threshold: Option<Credits>,
    /// The whole metadata, after the merge.
    pub metadata: Option<Metadata>,
}

impl Reseller {
    /// A new reseller below `parent`. The parent must be active and not on the lowest level.
    pub fn onboard(
        new: NewReseller,
        refid: ResellerRefid,
        user: UserRefid,
        parent: Option<&Self>,
        now: Time,
    ) -> Result<Self, Refusal> {
        let above = parent.map_or(0, |parent| parent.level);
        if above >= MOST_LEVELS {
            return Err(Refusal::ParentTooDeep { most: MOST_LEVELS });
        }
        if let Some(parent) = parent {
            parent.status.must_trade()?;
        }
        Ok(Self {
            refid,
            user,
            company_name: new.company_name,
            email: new.email,
            previous_email: None,
            tier: new.tier,
            status: new.status,
            hold_provisioning: false,
            held_by_rule: false,
            low_credit_threshold: new.low_credit_threshold,
            parent: parent.map(|parent| parent.refid.clone()),
            level: above + 1,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }

    /// The reseller with purchases on hold because `balance` is below the threshold; `None` if they are already on
    /// hold, or the balance is not low (rule B9).
    pub fn held(&self, balance: Credits, now: Time) -> Option<Self> {
        let low = balance < self.low_credit_threshold;
        (low && !self.hold_provisioning).then(|| Self {
            hold_provisioning: true,
            held_by_rule: true,
            ..self.next_version(now)
        })
    }

    /// The reseller with purchases released because `balance` is no longer below the threshold; `None` if it still
    /// is, or if rule B9 did not put them on hold. A hold by an operator ends only when an operator ends it.
    pub fn released(&self, balance: Credits, now: Time) -> Option<Self> {
        let enough = balance >= self.low_credit_threshold;
        (enough && self.held_by_rule).then(|| Self {
            hold_provisioning: false,
            held_by_rule: false,
            ..self.next_version(now)
        })
    }

    /// The reseller with `change` applied; `None` if that changes nothing.
    pub fn changed(&self, change: ResellerChange, now: Time) -> Option<Self> {
        let moved = change.email.as_ref().filter(|email| email.folded() != self.email.folded());
        let changed = Self {
            previous_email: moved.map_or_else(|| self.previous_email.clone(), |_| Some(self.email.clone())),
            company_name: change.company_name.unwrap_or_else(|| self.company_name.clone()),
            email: change.email.unwrap_or_else(|| self.email.clone()),
            tier: change.tier.unwrap_or(self.tier),
            status: change.status.unwrap_or(self.status),
            hold_provisioning: change.hold_provisioning.unwrap_or(self.hold_provisioning),
            held_by_rule: self.held_by_rule && change.hold_provisioning.is_none(),
            low_credit_threshold: change.low_credit_threshold.unwrap_or(self.low_credit_threshold),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            ..self.clone()
        };
        (changed != *self).then(|| Self {
            updated_at: self.next_version(now).updated_at,
            version: self.version + 1,
            ..changed
        })
    }

    fn next_version(&self, now: Time) -> Self {
        Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..self.clone() }
    }

    /// The name that the reseller's clients see: that of its white label, or otherwise the company's (rule B12).
    pub fn brand_name(&self) -> &str {
        let usable = |name: &&str| crate::basic::text::check(name, 255).is_ok();
        self.metadata.text("name").filter(usable).unwrap_or(self.company_name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::refid::Prefix;
    use jiff::Timestamp;

    fn time() -> Time {
        Time::of(Timestamp::UNIX_EPOCH)
    }

    fn onboard(parent: Option<&Reseller>) -> Result<Reseller, Refusal> {
        let prefix: Prefix = "RS-".parse().unwrap();
        let level = parent.map_or(0, |parent| parent.level);
        let new = NewReseller {
            company_name: Name::try_from("Elite".to_owned()).unwrap(),
            email: EmailAddress::try_from("a@elite.example".to_owned()).unwrap(),
            tier: Tier::Standard,
            status: ResellerStatus::Active,
            low_credit_threshold: Credits::new(500),
            metadata: Metadata::default(),
        };
        let refid = ResellerRefid::new(&prefix, [level; 10]);
        let user = UserRefid::new(&prefix, [level; 10]);
        Reseller::onboard(new, refid, user, parent, time())
    }

    #[test]
    fn the_table_of_standings() {
        let (pending, suspended) = (Err(Refusal::ResellerPending), Err(Refusal::ResellerSuspended));
        for (status, profile, read, end, change) in [
            (ResellerStatus::Pending, Ok(()), pending.clone(), pending.clone(), pending),
            (ResellerStatus::Active, Ok(()), Ok(()), Ok(()), Ok(())),
            (ResellerStatus::Suspended, Ok(()), Ok(()), Ok(()), suspended),
        ] {
            assert_eq!(status.must_allow(Access::Profile), profile, "{status:?}");
            assert_eq!(status.must_allow(Access::Read), read, "{status:?}");
            assert_eq!(status.must_allow(Access::End), end, "{status:?}");
            assert_eq!(status.must_allow(Access::Change), change, "{status:?}");
        }
    }

    #[test]
    fn levels_end_and_a_parent_must_trade() {
        let mut last = onboard(None).unwrap();
        for level in 2..=MOST_LEVELS {
            let next = onboard(Some(&last)).unwrap();
            assert_eq!((next.level, &next.parent), (level, &Some(last.refid)));
            last = next;
        }
        let too_deep = Refusal::ParentTooDeep { most: MOST_LEVELS };
        assert_eq!(onboard(Some(&last)), Err(too_deep));
        let suspended = Reseller { status: ResellerStatus::Suspended, ..onboard(None).unwrap() };
        assert_eq!(onboard(Some(&suspended)), Err(Refusal::ResellerSuspended));
    }

    /// Each row says who put purchases on hold, whether a balance below the threshold of 500 holds them, and whether
    /// one at the threshold releases them.
    #[test]
    fn the_rule_holds_what_is_free_and_releases_what_it_held() {
        let free = onboard(None).unwrap();
        let by_rule = free.held(Credits::new(499), time()).unwrap();
        let hold = ResellerChange { hold_provisioning: Some(true), ..ResellerChange::default() };
        let by_operator = free.changed(hold.clone(), time()).unwrap();
        for (reseller, holds, releases) in [(&free, true, false), (&by_rule, false, true), (&by_operator, false, false)]
        {
            assert_eq!(reseller.held(Credits::new(500), time()), None);
            assert_eq!(reseller.released(Credits::new(499), time()), None);
            let low = reseller.held(Credits::new(499), time());
            assert_eq!(low.is_some_and(|it| it.held_by_rule), holds);
            let enough = reseller.released(Credits::new(500), time());
            assert_eq!(enough.is_some_and(|it| !it.hold_provisioning), releases);
        }
        let taken_over = by_rule.changed(hold, time()).unwrap();
        assert_eq!(taken_over.released(Credits::new(500), time()), None);
    }
}
