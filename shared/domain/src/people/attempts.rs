//! Failed attempts to sign in, and how long the next attempt must wait (rule D2).
//!
//! Invariant: delays grow, but only up to a limit. Failures are counted by account, by network address and by known
//! device. Others can't lock an owner out with their failures: a device that signed in before is delayed only by its
//! own failures, and following a link from an e-mail resets the count of the account. Many people may share a network
//! address, so its failures ask for a CAPTCHA long before they delay anybody, and those who sign in reduce them.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::time::Time;

const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// How long failures count after the last one.
pub const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// How long a user must not have signed in for the next sign-in to reduce the failures of its network address.
/// Otherwise, one account would be enough to guess at all others.
const BETWEEN_SIGN_INS: SignedDuration = SignedDuration::from_hours(1);

/// What failures are counted for. The key of a count begins with the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Counted {
    /// An account, from any network address.
    Account,
    /// A network address, for any account.
    Address,
    /// A device that has signed in to the account before.
    Device,
    /// The second factor of a user, from any network address. No link and no device resets this count.
    Code,
    /// A session whose user must repeat the password.
    Session,
    /// An e-mail address that links are sent to. E-mails are not failures, but too many are just as unwelcome.
    Mail,
}

impl Counted {
    /// How many failures cause no delay: people mistype, and many people may share a network address.
    pub const fn free(self) -> u32 {
        match self {
            Self::Account | Self::Device | Self::Code | Self::Session => 3,
            Self::Mail => 5,
            Self::Address => 200,
        }
    }

    /// From how many failures on an attempt must come from a person; `None` if that does not matter.
    const fn suspect(self) -> Option<u32> {
        match self {
            Self::Account | Self::Device | Self::Code | Self::Session | Self::Mail => None,
            Self::Address => Some(20),
        }
    }

    /// The first delay, in seconds.
    const fn first(self) -> i64 {
        match self {
            Self::Mail => 60,
            Self::Account | Self::Device | Self::Code | Self::Session | Self::Address => 1,
        }
    }
}

/// The stored failures of one account, address, device or other [`Counted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many failures there were without a success in between.
    pub failures: u32,
    pub last_at: Time,
    pub version: u64,
}

impl Attempts {
    /// How many failures count at `now`: the stored ones, or 0 if the last is too long ago.
    pub fn failures(before: Option<&Self>, now: Time) -> u32 {
        let remembered = before.filter(|it| it.last_at.plus(FORGOTTEN) > now);
        remembered.map_or(0, |it| it.failures)
    }

    #[must_use]
    pub fn failed(before: Option<&Self>, now: Time) -> Self {
        Self {
            failures: Self::failures(before, now).saturating_add(1),
            last_at: now,
            version: before.map_or(1, |it| it.version + 1),
        }
    }

    /// Whether the next attempt must come with the answer to a CAPTCHA.
    pub fn asks_for_person(&self, counted: Counted, now: Time) -> bool {
        counted.suspect().is_some_and(|most| Self::failures(Some(self), now) >= most)
    }

    /// The failures after a sign-in of a user who signed in at `last`: one fewer, unless that was a short time ago, or
    /// never, because new users are easily made.
    pub fn reduced(&self, last: Option<Time>, now: Time) -> Option<Self> {
        let failures = Self::failures(Some(self), now).checked_sub(1)?;
        let late = last.is_some_and(|last| last.plus(BETWEEN_SIGN_INS) <= now);
        late.then_some(Self { failures, last_at: self.last_at, version: self.version + 1 })
    }

    /// When the next attempt is allowed: at once while failures are free, and then after a delay that doubles with
    /// each failure, up to the limit.
    pub fn ready_at(&self, counted: Counted, now: Time) -> Time {
        let failures = Self::failures(Some(self), now);
        let Some(over) = failures.checked_sub(counted.free()) else {
            return now;
        };
        let doubled = 1_i64.checked_shl(over).filter(|factor| *factor > 0);
        let seconds = doubled.map_or(i64::MAX, |it| it.saturating_mul(counted.first()));
        let wait = SignedDuration::from_secs(seconds).min(LONGEST);
        self.last_at.plus(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        let start = Time::try_from("2026-01-01T00:00:00.000Z".to_owned()).unwrap();
        start.plus(SignedDuration::from_secs(seconds))
    }

    fn waits(counted: Counted, failures: u32) -> i64 {
        let attempts = Attempts { failures, last_at: at(0), version: 1 };
        attempts.ready_at(counted, at(0)).unix_seconds() - at(0).unix_seconds()
    }

    #[test]
    fn delays_double_and_end() {
        let account: Vec<i64> = (0..16).map(|n| waits(Counted::Account, n)).collect();
        assert_eq!(account, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(waits(Counted::Address, 199), 0);
        assert_eq!(waits(Counted::Address, 200), 1);
        for failures in [63, 64, 65, 66, 67, u32::MAX] {
            assert_eq!(waits(Counted::Device, failures), 900);
        }
    }

    #[test]
    fn an_address_asks_for_a_person_before_it_delays() {
        let asks = |counted, failures, seconds| {
            Attempts { failures, last_at: at(0), version: 1 }.asks_for_person(counted, at(seconds))
        };
        assert_eq!([19, 20, u32::MAX].map(|failures| asks(Counted::Address, failures, 0)), [false, true, true]);
        assert!(!asks(Counted::Address, 20, FORGOTTEN.as_secs()));
        for counted in [Counted::Account, Counted::Device, Counted::Code, Counted::Session, Counted::Mail] {
            assert!(!asks(counted, u32::MAX, 0), "{counted:?}");
        }
    }

    #[test]
    fn a_user_reduces_failures_once_an_hour() {
        let before = Attempts { failures: 2, last_at: at(0), version: 7 };
        let hour = BETWEEN_SIGN_INS.as_secs();
        let after = |last: Option<i64>, now: i64| before.reduced(last.map(at), at(now)).map(|it| it.failures);
        assert_eq!(after(None, 1), None);
        assert_eq!(after(Some(0), hour), Some(1));
        assert_eq!(after(Some(1), hour), None);
        // What is forgotten can't be reduced.
        assert_eq!(after(Some(0), FORGOTTEN.as_secs()), None);
        let next = before.reduced(Some(at(0)), at(hour)).unwrap();
        assert_eq!((next.last_at, next.version), (at(0), 8));
        assert_eq!(Attempts { failures: 0, ..before }.reduced(Some(at(0)), at(hour)), None);
    }

    #[test]
    fn a_day_later_nobody_remembers() {
        let before = Attempts { failures: 9, last_at: at(0), version: 9 };
        let day = FORGOTTEN.as_secs();
        assert_eq!(Attempts::failures(Some(&before), at(day - 1)), 9);
        assert_eq!(Attempts::failures(Some(&before), at(day)), 0);
        let next = Attempts::failed(Some(&before), at(day));
        assert_eq!((next.failures, next.version), (1, 10));
        assert_eq!(Attempts::failed(None, at(0)).version, 1);
    }
}
