//! What falls due: what Purser does at a later time, which a change decided.
//!
//! An item waits with an [`Appointment`] as its place in an index. When the time has come, the place is removed and the
//! item keeps the appointment as the one that it met last; that change causes an event, as every change may.
//! Invariant: an item waits for one thing at a time. What it waits for next follows from the appointment alone.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::basic::time::Time;

/// How long before an API key expires its owner is warned.
pub const KEY_WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long before a licence ends it is told, each time if the licence lasts longer than twice as long.
const LICENCE_WARNINGS: [(i64, Due); 3] =
    [(30, Due::LicenceEndsIn30Days), (7, Due::LicenceEndsIn7Days), (1, Due::LicenceEndsInADay)];
/// How long after a change of its status a client is told, so that changes shortly after it are told by the same mail.
const NOTICE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// The least time between two notices to one client (rule A10).
const NOTICES_APART: SignedDuration = SignedDuration::from_hours(1);
/// How long after a deletion its erasure falls due. A command that read the person before may commit for nine seconds.
const ERASED_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// What an item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Due {
    /// An API key expires soon.
    ApiKeyExpiresSoon,
    /// An API key has expired.
    ApiKeyExpired,
    /// A client is to be told of its status.
    ClientNotice,
    /// What copies of a deleted person's data are left are to be erased.
    Erasure,
    #[strum(serialize = "licence_ends_in_30_days")]
    LicenceEndsIn30Days,
    #[strum(serialize = "licence_ends_in_7_days")]
    LicenceEndsIn7Days,
    LicenceEndsInADay,
    /// A licence has ended, unless it is renewed.
    LicenceExpired,
}

/// What an item waits for, and until when. Appointments as text are in the order of their times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointment {
    pub at: Time,
    pub due: Due,
}

impl Appointment {
    /// The first appointment of an API key that is made at `now`. A key that does not last long expires without a
    /// warning.
    pub fn of_key(expires_at: Time, now: Time) -> Self {
        let warned = expires_at.plus(-KEY_WARNING);
        if warned > now.plus(KEY_WARNING) {
            Self { at: warned, due: Due::ApiKeyExpiresSoon }
        } else {
            Self { at: expires_at, due: Due::ApiKeyExpired }
        }
    }

    /// When to tell a client of a change of its status, if it was last told at `last`.
    pub fn of_notice(last: Option<Time>, now: Time) -> Self {
        let soon = now.plus(NOTICE_AFTER);
        let at = last.map_or(soon, |last| soon.max(last.plus(NOTICES_APART)));
        Self { at, due: Due::ClientNotice }
    }

    /// When to erase once more what a deletion at `now` has left.
    pub fn of_erasure(now: Time) -> Self {
        Self { at: now.plus(ERASED_AFTER), due: Due::Erasure }
    }

    /// The first appointment of a licence that ends then, as it is known at `now`. None once it has ended.
    pub fn of_licence(expires_at: Time, now: Time) -> Option<Self> {
        let day = |days: i64| SignedDuration::from_hours(24 * days);
        let lasts = |days: i64| expires_at > now.plus(day(2 * days));
        let warning = LICENCE_WARNINGS.iter().find(|(days, _)| lasts(*days));
        let warning = warning.map(|(days, due)| Self { at: expires_at.plus(-day(*days)), due: *due });
        let end = (expires_at > now).then_some(Self { at: expires_at, due: Due::LicenceExpired });
        warning.or(end)
    }

    /// What the item waits for after this appointment.
    pub fn next(&self) -> Option<Self> {
        match self.due {
            Due::ApiKeyExpiresSoon => Some(Self { at: self.at.plus(KEY_WARNING), due: Due::ApiKeyExpired }),
            Due::LicenceEndsIn30Days => Some(self.later(23, Due::LicenceEndsIn7Days)),
            Due::LicenceEndsIn7Days => Some(self.later(6, Due::LicenceEndsInADay)),
            Due::LicenceEndsInADay => Some(self.later(1, Due::LicenceExpired)),
            Due::ApiKeyExpired | Due::ClientNotice | Due::Erasure | Due::LicenceExpired => None,
        }
    }

    fn later(&self, days: i64, due: Due) -> Self {
        Self { at: self.at.plus(SignedDuration::from_hours(24 * days)), due }
    }

    /// This appointment, met at `now`.
    #[must_use]
    pub fn met(&self, now: Time) -> Self {
        Self { at: now, ..*self }
    }
}

impl fmt::Display for Appointment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}#{}", self.at, self.due.into_str())
    }
}

/// The text is no appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an appointment is a time and what is due")]
pub struct NoAppointment;

impl FromStr for Appointment {
    type Err = NoAppointment;

    fn from_str(text: &str) -> Result<Self, NoAppointment> {
        let (at, due) = text.split_once('#').ok_or(NoAppointment)?;
        let at = Time::try_from(at.to_owned()).map_err(|_| NoAppointment)?;
        Ok(Self { at, due: due.parse().map_err(|_| NoAppointment)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_appointment_comes_back_from_its_text() {
        for due in Due::VARIANTS {
            let appointment = Appointment { at: time("2026-11-24T12:00:00.000Z"), due: *due };
            assert_eq!(appointment.to_string().parse(), Ok(appointment));
        }
        for bad in ["", "2026-11-24T12:00:00.000Z", "2026-11-24T12:00:00.000Z#", "soon#client_notice"] {
            assert_eq!(bad.parse::<Appointment>(), Err(NoAppointment), "{bad}");
        }
    }

    #[test]
    fn a_key_is_warned_of_if_it_lasts_longer_than_twice_the_warning() {
        let now = time("2026-01-01T00:00:00.000Z");
        for (days, due, on) in [
            (365, Due::ApiKeyExpiresSoon, 351),
            (29, Due::ApiKeyExpiresSoon, 15),
            (28, Due::ApiKeyExpired, 28),
            (1, Due::ApiKeyExpired, 1),
        ] {
            let day = |day: i64| now.plus(SignedDuration::from_hours(24 * day));
            let first = Appointment::of_key(day(days), now);
            assert_eq!(first, Appointment { at: day(on), due }, "{days} days");
            let last = first.next().unwrap_or(first);
            assert_eq!(last, Appointment { at: day(days), due: Due::ApiKeyExpired }, "{days} days");
            assert_eq!(last.next(), None);
        }
    }

    #[test]
    fn a_licence_is_told_to_end_as_often_as_it_lasts_long_enough() {
        let now = time("2026-01-01T00:00:00.000Z");
        let day = |day: i64| now.plus(SignedDuration::from_hours(24 * day));
        let all = [Due::LicenceEndsIn30Days, Due::LicenceEndsIn7Days, Due::LicenceEndsInADay, Due::LicenceExpired];
        for (days, left, on) in [
            (365, 0, vec![335, 358, 364, 365]),
            (61, 0, vec![31, 54, 60, 61]),
            (60, 1, vec![53, 59, 60]),
            (15, 1, vec![8, 14, 15]),
            (14, 2, vec![13, 14]),
            (2, 3, vec![2]),
        ] {
            let first = Appointment::of_licence(day(days), now);
            let met: Vec<_> = std::iter::successors(first, Appointment::next).collect();
            let expected = all[left..].iter().zip(on).map(|(due, on)| Appointment { at: day(on), due: *due });
            assert_eq!(met, expected.collect::<Vec<_>>(), "{days} days");
        }
        assert_eq!(Appointment::of_licence(now, now), None);
    }

    #[test]
    fn an_erasure_waits_longer_than_a_command_may_take() {
        let now = time("2026-01-01T12:00:00.000Z");
        let due = Appointment::of_erasure(now);
        assert_eq!(due, Appointment { at: time("2026-01-01T12:00:10.000Z"), due: Due::Erasure });
        assert_eq!(due.next(), None);
    }

    #[test]
    fn a_notice_comes_a_minute_after_the_change_and_an_hour_after_the_one_before() {
        let now = time("2026-01-01T12:00:00.000Z");
        for (last, at) in [
            (None, "2026-01-01T12:01:00.000Z"),
            (Some("2026-01-01T11:59:00.000Z"), "2026-01-01T12:59:00.000Z"),
            (Some("2026-01-01T11:00:30.000Z"), "2026-01-01T12:01:00.000Z"),
            (Some("2026-01-01T11:01:30.000Z"), "2026-01-01T12:01:30.000Z"),
        ] {
            let due = Appointment::of_notice(last.map(time), now);
            assert_eq!(due, Appointment { at: time(at), due: Due::ClientNotice });
            assert_eq!(due.next(), None);
        }
    }
}
