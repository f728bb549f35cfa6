//! Attempts to sign in that failed, and how long the next one waits (rule D2).
//!
//! Invariant: delays grow and end; they are counted by account, by network address and by known device, and an owner
//! always has a way around those that others caused: a device that signed in before is delayed by its own failures
//! only, and a link by mail ends the account's.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::time::Time;

/// The longest wait.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After how long nobody remembers.
pub const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// What failures are counted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// An account, from wherever.
    Account,
    /// A network address, for whatever account.
    Address,
    /// A device that has signed in to the account before.
    Device,
    /// A second factor, from wherever: no link and no device ends its count.
    Code,
    /// A session that is asked for the password again.
    Session,
    /// An address that is mailed links: no failures, but too many are as unwelcome.
    Mail,
}

impl Counted {
    /// What the key of its count begins with.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Device => "device",
            Self::Code => "code",
            Self::Session => "session",
            Self::Mail => "mail",
        }
    }

    /// How many failures cost nothing: people mistype, and many people may share an address.
    pub const fn free(self) -> u32 {
        match self {
            Self::Account | Self::Device | Self::Code | Self::Session => 3,
            Self::Mail => 5,
            Self::Address => 20,
        }
    }

    /// The first wait, in seconds.
    const fn first(self) -> i64 {
        match self {
            Self::Mail => 60,
            Self::Account | Self::Device | Self::Code | Self::Session | Self::Address => 1,
        }
    }
}

/// The failures of one account, address or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many, one after another.
    pub failures: u32,
    /// The last one.
    pub last_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

impl Attempts {
    /// These, or none when they are forgotten.
    pub fn failures(before: Option<&Self>, now: Time) -> u32 {
        let remembered = before.filter(|it| it.last_at.plus(FORGOTTEN) > now);
        remembered.map_or(0, |it| it.failures)
    }

    /// One failure more.
    #[must_use]
    pub fn failed(before: Option<&Self>, now: Time) -> Self {
        Self {
            failures: Self::failures(before, now).saturating_add(1),
            last_at: now,
            version: before.map_or(1, |it| it.version + 1),
        }
    }

    /// When the next attempt may be made: at once at first, then after one second, two, four, and so on.
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
        assert_eq!(waits(Counted::Address, 19), 0);
        assert_eq!(waits(Counted::Address, 20), 1);
        for failures in [63, 64, 65, 66, 67, u32::MAX] {
            assert_eq!(waits(Counted::Device, failures), 900);
        }
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
