//! The status of a licence, and the steps from one to another (rule C2).
//!
//! Invariant: the table is total. Each pair of a status and a step leads to a status, changes nothing, or is refused
//! with the steps that are allowed. Whoever suspended a licence lifts that, and it is active when nobody does any more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::refusal::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum LicenceStatus {
    /// The licence was minted, and its term has not begun.
    Pending,
    /// The licence is in use.
    Active,
    /// The licence can't be used for the time being.
    Suspended,
    /// The licence has ended for good.
    Revoked,
}

/// The status of a licence as it is shown: an active or pending one has expired once its end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = LicenceStatus))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum ShownStatus {
    /// The licence was minted, and its term has not begun.
    Pending,
    /// The licence is in use.
    Active,
    /// The licence can't be used for the time being.
    Suspended,
    /// The licence has ended, and may be renewed.
    Expired,
    /// The licence has ended for good.
    Revoked,
}

/// Who suspended a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Suspender {
    Operator,
    /// The reseller that sold the licence.
    Reseller,
    /// Purser itself, by a rule.
    System,
}

/// What somebody asks of a licence's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Activate,
    Suspend(Suspender),
    Reinstate(Suspender),
    Revoke,
}

/// A status, and who suspended the licence that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub status: LicenceStatus,
    pub suspended_by: BTreeSet<Suspender>,
}

impl Standing {
    /// The standing after a step; `None` if the step changes nothing.
    pub fn after(&self, step: Step) -> Result<Option<Self>, Refusal> {
        use LicenceStatus::{Active, Pending, Revoked, Suspended};
        let to = |status| Ok(Some(Self { status, suspended_by: BTreeSet::new() }));
        match (self.status, step) {
            (Revoked, Step::Revoke) | (Active, Step::Activate | Step::Reinstate(_)) => Ok(None),
            (Pending, Step::Activate) => to(Active),
            (Pending | Active | Suspended, Step::Revoke) => to(Revoked),
            (Active | Suspended, Step::Suspend(by)) => Ok(self.suspended(by)),
            (Suspended, Step::Reinstate(by)) => self.reinstated(by).map(Some),
            (Pending, Step::Suspend(_) | Step::Reinstate(_)) | (Suspended, Step::Activate) | (Revoked, _) => {
                Err(self.denied(step))
            }
        }
    }

    fn suspended(&self, by: Suspender) -> Option<Self> {
        let mut suspended_by = self.suspended_by.clone();
        suspended_by.insert(by).then_some(Self { status: LicenceStatus::Suspended, suspended_by })
    }

    fn reinstated(&self, by: Suspender) -> Result<Self, Refusal> {
        let mut suspended_by = self.suspended_by.clone();
        if !suspended_by.remove(&by) && !suspended_by.is_empty() {
            return Err(self.denied(Step::Reinstate(by)));
        }
        let lifted = suspended_by.is_empty();
        let status = if lifted { LicenceStatus::Active } else { LicenceStatus::Suspended };
        Ok(Self { status, suspended_by })
    }

    fn denied(&self, step: Step) -> Refusal {
        let to = match step {
            Step::Activate | Step::Reinstate(_) => LicenceStatus::Active,
            Step::Suspend(_) => LicenceStatus::Suspended,
            Step::Revoke => LicenceStatus::Revoked,
        };
        Refusal::StatusTransitionDenied { from: self.status.into_str(), to: to.into_str(), allowed: self.allowed(step) }
    }

    /// The statuses that whoever asked for a step that was denied may ask for instead.
    fn allowed(&self, denied: Step) -> Vec<&'static str> {
        let next: &[LicenceStatus] = match (self.status, denied) {
            (LicenceStatus::Active, _) => &[LicenceStatus::Suspended, LicenceStatus::Revoked],
            // Others suspended the licence, and only they can lift that.
            (LicenceStatus::Suspended, Step::Reinstate(_)) => &[LicenceStatus::Revoked],
            (LicenceStatus::Pending | LicenceStatus::Suspended, _) => &[LicenceStatus::Active, LicenceStatus::Revoked],
            (LicenceStatus::Revoked, _) => &[],
        };
        next.iter().map(LicenceStatus::into_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use LicenceStatus::{Active, Pending, Revoked, Suspended};
    use Suspender::{Operator, Reseller, System};

    use super::*;

    fn standing(status: LicenceStatus, by: &[Suspender]) -> Standing {
        Standing { status, suspended_by: by.iter().copied().collect() }
    }

    /// What a step leads to.
    #[derive(Debug, PartialEq)]
    enum Leads {
        To(Standing),
        Nothing,
        Denied(&'static str, Vec<&'static str>),
    }

    fn after(from: &Standing, step: Step) -> Leads {
        match from.after(step) {
            Ok(Some(to)) => Leads::To(to),
            Ok(None) => Leads::Nothing,
            Err(Refusal::StatusTransitionDenied { from: status, to, allowed }) => {
                assert_eq!(status, from.status.into_str());
                Leads::Denied(to, allowed)
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// The whole table: each standing with each step.
    #[test]
    fn the_status_table() {
        let to = |status| Leads::To(standing(status, &[]));
        let by = |by: &[Suspender]| Leads::To(standing(Suspended, by));
        let denied = |to, allowed: &[&'static str]| Leads::Denied(to, allowed.to_vec());
        let begun = ["active", "revoked"];
        for (from, activate, suspend, reinstate, revoke) in [
            (standing(Pending, &[]), to(Active), denied("suspended", &begun), denied("active", &begun), to(Revoked)),
            (standing(Active, &[]), Leads::Nothing, by(&[Reseller]), Leads::Nothing, to(Revoked)),
            (standing(Suspended, &[Reseller]), denied("active", &begun), Leads::Nothing, to(Active), to(Revoked)),
            (
                standing(Suspended, &[Operator]),
                denied("active", &begun),
                by(&[Operator, Reseller]),
                denied("active", &["revoked"]),
                to(Revoked),
            ),
            (
                standing(Suspended, &[Operator, Reseller, System]),
                denied("active", &begun),
                Leads::Nothing,
                by(&[Operator, System]),
                to(Revoked),
            ),
            (
                standing(Revoked, &[]),
                denied("active", &[]),
                denied("suspended", &[]),
                denied("active", &[]),
                Leads::Nothing,
            ),
        ] {
            assert_eq!(after(&from, Step::Activate), activate, "{from:?}");
            assert_eq!(after(&from, Step::Suspend(Reseller)), suspend, "{from:?}");
            assert_eq!(after(&from, Step::Reinstate(Reseller)), reinstate, "{from:?}");
            assert_eq!(after(&from, Step::Revoke), revoke, "{from:?}");
        }
    }

    #[test]
    fn each_lifts_its_own_in_any_order() {
        for [first, second, third] in [[Operator, Reseller, System], [System, Operator, Reseller]] {
            let mut now = standing(Active, &[]);
            for by in Suspender::VARIANTS {
                now = now.after(Step::Suspend(*by)).unwrap().unwrap();
            }
            for (by, left) in [(first, 2), (second, 1), (third, 0)] {
                now = now.after(Step::Reinstate(by)).unwrap().unwrap();
                assert_eq!((now.suspended_by.len(), now.status == Active), (left, left == 0));
            }
        }
        // Whoever lifts a suspension that nobody is named for.
        assert_eq!(standing(Suspended, &[]).after(Step::Reinstate(Reseller)), Ok(Some(standing(Active, &[]))));
    }
}
