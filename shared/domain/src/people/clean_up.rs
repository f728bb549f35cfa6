//! Cleaning up: which logins nobody needs any more (rule D6).
//!
//! Invariant: whoever holds a role, is somebody's customer or is kept out is never judged to go: others are built on
//! the first two, and the last would come back as somebody new.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::time::Time;
use crate::people::user::User;

/// Why a login may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StaleReason))]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Its address was never confirmed, and nobody has ever signed in.
    Unconfirmed,
    /// Nobody has signed in for long.
    Dormant,
}

impl Reason {
    /// The reason as JSON spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Dormant => "dormant",
        }
    }
}

/// Why a login may go, and since when that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// Why.
    pub reason: Reason,
    /// When it was made, or when it was last of use.
    pub since: Time,
}

/// How long logins stay that nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanUp {
    /// Those that nobody confirmed, from when they were made.
    pub unconfirmed: SignedDuration,
    /// The others, from when somebody last signed in.
    pub dormant: SignedDuration,
}

impl CleanUp {
    /// Why `user` may go; none when it stays.
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

    /// Whoever was made at this time or later stays.
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

    /// So many days before now, and a moment more or less.
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
            // A new address was confirmed after the last sign-in.
            (old, day(100), day(731), None),
            // Where addresses need no confirmation people sign in without.
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
