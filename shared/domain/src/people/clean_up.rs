//! Cleaning up: which users are no longer needed (rule D6).
//!
//! Invariant: a user who holds a role or is suspended never counts as stale. Other records refer to a user with a
//! role, and a suspended user who was deleted could register again.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::time::Time;
use crate::people::user::User;

/// Why a user counts as stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StaleReason))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Reason {
    /// The user never confirmed the e-mail address and never signed in.
    Unconfirmed,
    /// The user has not signed in for a long time.
    Dormant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    pub reason: Reason,
    /// When the user was created, or was last active.
    pub since: Time,
}

/// How long users who are no longer needed are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanUp {
    /// How long users who never confirmed an address and never signed in are kept after their creation.
    pub unconfirmed: SignedDuration,
    /// How long other users are kept, counted from their last activity.
    pub dormant: SignedDuration,
}

impl CleanUp {
    /// Whether `user` is stale; `None` if not.
    pub fn judge(&self, user: &User, now: Time) -> Option<Stale> {
        if user.must_be_unbound().is_err() || !user.may_sign_in() {
            return None;
        }
        let used = user.confirmed_at.max(user.last_login_at);
        let (reason, since, stays) = match used {
            None => (Reason::Unconfirmed, user.created_at, self.unconfirmed),
            Some(used) => (Reason::Dormant, used, self.dormant),
        };
        (since.plus(stays) < now).then_some(Stale { reason, since })
    }

    /// Users who were created at this time or later are never stale.
    pub fn newest(&self, now: Time) -> Time {
        now.plus(-self.unconfirmed.min(self.dormant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::refid::{Prefix, UserRefid};
    use crate::people::user::UserStatus;

    const NOW: &str = "2028-06-30T12:00:00.000Z";

    fn time(text: &str) -> Time {
        Time::try_from(text.to_owned()).unwrap()
    }

    fn ago(days: i64, more: SignedDuration) -> Time {
        time(NOW).plus(-(SignedDuration::from_hours(24 * days) + more))
    }

    fn created(at: Time) -> User {
        let prefix: Prefix = "US-".parse().unwrap();
        let email = "ada@acme.example".to_owned().try_into().unwrap();
        let name = "Ada Lovelace".to_owned().try_into().unwrap();
        User::new(UserRefid::new(&prefix, [7; 10]), email, name, at)
    }

    fn rule() -> CleanUp {
        CleanUp { unconfirmed: SignedDuration::from_hours(24 * 30), dormant: SignedDuration::from_hours(24 * 730) }
    }

    #[test]
    fn what_nobody_confirmed_or_used_goes_when_its_time_is_over() {
        let (zero, moment) = (SignedDuration::ZERO, SignedDuration::from_millis(1));
        let (old, day) = (ago(4_000, zero), |days| Some(ago(days, zero)));
        for (made, confirmed, signed_in, reason) in [
            (ago(30, zero), None, None, None),
            (ago(30, moment), None, None, Some((Reason::Unconfirmed, ago(30, moment)))),
            (old, day(730), None, None),
            (old, Some(ago(730, moment)), None, Some((Reason::Dormant, ago(730, moment)))),
            (old, day(3_999), day(730), None),
            (old, day(3_999), day(731), Some((Reason::Dormant, ago(731, zero)))),
            // The user confirmed a new address after the last sign-in.
            (old, day(100), day(731), None),
            // If the deployment needs no confirmation of addresses, people sign in without one.
            (old, None, day(31), None),
            (old, None, day(731), Some((Reason::Dormant, ago(731, zero)))),
        ] {
            let user = User { confirmed_at: confirmed, last_login_at: signed_in, ..created(made) };
            let stale = rule().judge(&user, time(NOW));
            let found = stale.map(|stale| (stale.reason, stale.since));
            assert_eq!(found, reason, "{made} {confirmed:?} {signed_in:?}");
            assert!(found.is_none() || made < rule().newest(time(NOW)));
        }
    }

    #[test]
    fn who_holds_a_role_or_is_kept_out_never_goes() {
        let reseller = crate::basic::refid::ResellerRefid::parse("RS-0123456789ABCDEF");
        let client = crate::basic::refid::ClientRefid::parse("CL-0123456789ABCDEF");
        assert!(reseller.is_some() && client.is_some());
        let old = created(ago(4_000, SignedDuration::ZERO));
        let holders = [
            User { operator: true, ..old.clone() },
            User { reseller, ..old.clone() },
            User { client, ..old.clone() },
            User { status: UserStatus::Suspended, ..old.clone() },
        ];
        assert!(rule().judge(&old, time(NOW)).is_some());
        for user in holders {
            for confirmed_at in [None, Some(old.created_at)] {
                let user = User { confirmed_at, ..user.clone() };
                assert_eq!(rule().judge(&user, time(NOW)), None, "{user:?}");
            }
        }
    }
}
