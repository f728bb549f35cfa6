//! Points in time, in whole milliseconds of UTC, and the days and hours that contain them.
//!
//! Invariant: the text of a [`Time`], a [`Day`] or an [`Hour`] has a fixed width, so sort keys are in the order of
//! time.

use derive_more::{Display, From};
use jiff::civil::{Date, date};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A moment, written as `2026-01-31T09:30:00.000Z` (docs/rules.md, "Answers").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display)]
#[display("{_0:.3}")]
#[serde(try_from = "String", into = "String")]
pub struct Time(Timestamp);

#[cfg(feature = "schema")]
crate::value_schema!(
    Time,
    "A moment, in UTC and to the millisecond.",
    formatted(KnownFormat::DateTime).min_length(Some(20)).max_length(Some(35)),
    "2026-01-31T09:30:00.000Z"
);

impl Time {
    /// The last moment that a [`Time`] can be.
    pub const LAST: Self = Self(Timestamp::constant(253_402_207_200, 0));

    /// The moment, truncated to the millisecond and clamped to the years 1 to 9999.
    pub fn of(timestamp: Timestamp) -> Self {
        let ms = timestamp.as_millisecond().clamp(-62_135_596_800_000, Self::LAST.0.as_millisecond());
        Self(Timestamp::from_millisecond(ms).unwrap_or(timestamp))
    }

    #[must_use]
    /// The moment that is `duration` later. It saturates at the first or last representable moment.
    pub fn plus(self, duration: SignedDuration) -> Self {
        self.0.saturating_add(duration).map_or(self, Self::of)
    }

    /// The moment that is `span` later by the calendar of UTC, but not after the last one.
    pub(crate) fn plus_by_calendar(self, span: Span) -> Self {
        let moment = Offset::UTC.to_datetime(self.0).checked_add(span);
        let moment = moment.ok().and_then(|it| Offset::UTC.to_timestamp(it).ok());
        moment.map_or(Self::LAST, |it| Self::of(it).min(Self::LAST))
    }

    pub fn day(self) -> Day {
        Day(Offset::UTC.to_datetime(self.0).date())
    }

    pub fn hour(self) -> Hour {
        let moment = Offset::UTC.to_datetime(self.0);
        Hour(Day(moment.date()), moment.hour())
    }

    /// The minute in words, as `31 January 2026 at 09:30 UTC`.
    pub fn for_people(self) -> String {
        self.0.strftime("%-d %B %Y at %H:%M UTC").to_string()
    }

    pub fn unix_milliseconds(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds since 1970, the unit of DynamoDB's time to live.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }
}

impl TryFrom<String> for Time {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parsed = plain(&text).and_then(|text| text.parse::<Timestamp>().ok());
        parsed.map(Self::of).ok_or("must be a time of RFC 3339, such as 2026-01-31T09:30:00Z")
    }
}

/// The text of a time of RFC 3339, at most 35 characters, with a fraction that the parser can read: it takes other
/// spellings, too, but no more than nine digits. `None` if it is no such text.
fn plain(text: &str) -> Option<String> {
    let fits = |text: &str, shape: &str| {
        let of_shape = |(c, shape): (char, char)| match shape {
            '0' => c.is_ascii_digit(),
            '+' => c == '+' || c == '-',
            shape => c.eq_ignore_ascii_case(&shape),
        };
        text.len() == shape.len() && text.chars().zip(shape.chars()).all(of_shape)
    };
    let (moment, rest) = text.split_at_checked(19).filter(|_| text.len() <= 35)?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("0", rest),
    };
    let offset_fits = fits(offset, "Z") || fits(offset, "+00:00") && offset.get(1..3) < Some("24");
    let whole = fits(moment, "0000-00-00T00:00:00") && !fraction.is_empty() && offset_fits;
    whole.then(|| format!("{moment}.{}{offset}", fraction.get(..9).unwrap_or(fraction)))
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

/// A day in UTC. `2026-01-31` is its only spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, From)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

#[cfg(feature = "schema")]
crate::value_schema!(Day, "A day, in UTC.", formatted(KnownFormat::Date), "2026-01-31");

impl Day {
    pub const FIRST: Self = Self(date(1, 1, 1));
    pub const LAST: Self = Self(date(9999, 12, 31));

    /// The following day; `None` after the last day of the year 9999.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// The day this many days earlier, but not before the first day.
    #[must_use]
    pub fn minus_days(self, days: i32) -> Self {
        self.minus(Span::new().days(days))
    }

    /// The day `span` earlier, but not before the first day.
    pub(crate) fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span)).max(Self::FIRST)
    }

    /// How many days later `other` is; negative if it is earlier.
    pub fn until(self, other: Self) -> i32 {
        self.0.until(other.0).map_or(0, |span| span.get_days())
    }

    pub fn hours(self) -> impl DoubleEndedIterator<Item = Hour> {
        (0..24).map(move |hour| Hour(self, hour))
    }

    pub fn first_hour(self) -> Hour {
        Hour(self, 0)
    }

    pub fn last_hour(self) -> Hour {
        Hour(self, 23)
    }

    pub(crate) fn date(self) -> Date {
        self.0
    }
}

/// An hour in UTC, written as `2026-01-31T09`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display)]
#[display("{_0}T{_1:02}")]
pub struct Hour(Day, i8);

impl Hour {
    pub fn day(self) -> Day {
        self.0
    }

    /// The following hour; `None` after the last hour of the year 9999.
    pub fn next(self) -> Option<Self> {
        match self.1 {
            23 => self.0.next().map(Day::first_hour),
            hour => Some(Self(self.0, hour + 1)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an hour like 2026-01-31T09")]
pub struct HourError;

impl std::str::FromStr for Hour {
    type Err = HourError;
    fn from_str(text: &str) -> Result<Self, HourError> {
        let (day, hour) = text.split_once('T').ok_or(HourError)?;
        let day: Day = day.parse().map_err(|_| HourError)?;
        let hours = 0..24;
        let hour = hours.into_iter().find(|it| format!("{it:02}") == hour);
        hour.map(|hour| Self(day, hour)).ok_or(HourError)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day like 2026-01-31")]
pub struct DayError;

impl std::str::FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        // The library also reads other spellings, and years before the first.
        let day = text.parse::<Date>().map(Self).map_err(|_| DayError)?;
        if day.to_string() == text && text.len() == 10 { Ok(day) } else { Err(DayError) }
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_spelling() {
        let time = Time::try_from("2026-01-31T23:59:59.999Z".to_owned()).unwrap();
        assert_eq!(time.day().to_string(), "2026-01-31");
        for (text, valid) in [
            ("2026-01-31", true),
            ("2024-02-29", true),
            ("2026-02-29", false),
            ("2026-13-01", false),
            ("20260131", false),
            ("2026-1-31", false),
            ("2026-01-31T00:00", false),
            ("-002026-01-31", false),
            (" 2026-01-31", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Day>().is_ok(), valid, "{text:?}");
        }
    }

    #[test]
    fn a_day_follows_another_until_time_ends() {
        for (day, next) in [
            ("2026-01-31", Some("2026-02-01")),
            ("2024-02-28", Some("2024-02-29")),
            ("2026-12-31", Some("2027-01-01")),
            ("9999-12-31", None),
        ] {
            let day: Day = day.parse().unwrap();
            assert_eq!(day.next(), next.map(|it| it.parse().unwrap()));
        }
    }

    #[test]
    fn text_is_fixed_width_and_reads_back() {
        for ms in [0, 1, 999, 1_700_000_000_123, 253_402_207_199_999] {
            let time = Time::of(Timestamp::from_millisecond(ms).unwrap_or_default());
            assert_eq!(time.to_string().len(), 24);
            assert_eq!(Time::try_from(time.to_string()).ok(), Some(time));
        }
    }
}
