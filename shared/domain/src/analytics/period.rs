//! The periods that figures are kept for: hours, days, months, years and all time, in UTC.
//!
//! Invariant: the key of a period begins with its level and has a fixed width, so keys of one level sort in the order
//! of time.

use jiff::Span;
use serde::{Deserialize, Serialize};

use crate::basic::time::{Day, Hour};

/// A month, written `2026-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{:04}-{:02}", _0.date().year(), _0.date().month())]
pub struct Month(Day);

impl Month {
    pub fn of(day: Day) -> Self {
        Self(Day::from(day.date().first_of_month()))
    }

    pub fn first(self) -> Day {
        self.0
    }

    pub fn last(self) -> Day {
        Day::from(self.0.date().last_of_month())
    }

    pub fn year(self) -> Year {
        Year::of(self.0)
    }

    /// The month this many months earlier, but not before the first month of the year 1.
    #[must_use]
    pub fn minus(self, months: i32) -> Self {
        Self::of(self.0.minus(Span::new().months(months)))
    }
}

/// A year, written `2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{:04}", _0.date().year())]
pub struct Year(Day);

impl Year {
    pub fn of(day: Day) -> Self {
        Self(Day::from(day.date().first_of_year()))
    }

    pub fn first(self) -> Day {
        self.0
    }

    pub fn last(self) -> Day {
        Day::from(self.0.date().last_of_year())
    }

    /// The year this many years earlier, but not before the year 1.
    #[must_use]
    pub fn minus(self, years: i32) -> Self {
        Self::of(self.0.minus(Span::new().years(years)))
    }
}

/// The length of the buckets in a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Interval {
    /// One bucket per day.
    Daily,
    /// One bucket per month.
    #[default]
    Monthly,
    /// One bucket per year.
    Yearly,
}

impl Interval {
    pub fn bucket(self, day: Day) -> Period {
        match self {
            Self::Daily => Period::Day(day),
            Self::Monthly => Period::Month(Month::of(day)),
            Self::Yearly => Period::Year(Year::of(day)),
        }
    }
}

/// The length of the periods that add up to a longer period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Hour,
    Day,
    Month,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// No query asks for an hour, but a day is the sum of its hours.
    Hour(Hour),
    Day(Day),
    Month(Month),
    Year(Year),
    All,
}

impl Period {
    pub fn key(self) -> String {
        match self {
            Self::Hour(hour) => format!("H#{hour}"),
            Self::Day(day) => format!("D#{day}"),
            Self::Month(month) => format!("M#{month}"),
            Self::Year(year) => format!("Y#{year}"),
            Self::All => "A".to_owned(),
        }
    }

    pub fn label(self) -> String {
        match self {
            Self::Hour(hour) => hour.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Month(month) => month.to_string(),
            Self::Year(year) => year.to_string(),
            Self::All => "all".to_owned(),
        }
    }

    pub fn holds(self, day: Day) -> bool {
        self.days().is_none_or(|(first, last)| (first..=last).contains(&day))
    }

    /// The first and the last day; `None` for all time. An hour gives the day that it is in.
    pub fn days(self) -> Option<(Day, Day)> {
        match self {
            Self::Hour(hour) => Some((hour.day(), hour.day())),
            Self::Day(day) => Some((day, day)),
            Self::Month(month) => Some((month.first(), month.last())),
            Self::Year(year) => Some((year.first(), year.last())),
            Self::All => None,
        }
    }

    /// The following period of the same length; `None` for all time and at the end of the year 9999.
    pub fn next(self) -> Option<Self> {
        let (_, last) = self.days()?;
        match self {
            Self::Hour(hour) => hour.next().map(Self::Hour),
            Self::Day(_) => last.next().map(Self::Day),
            Self::Month(_) => last.next().map(|day| Self::Month(Month::of(day))),
            Self::Year(_) => last.next().map(|day| Self::Year(Year::of(day))),
            Self::All => None,
        }
    }

    /// The next longer period, which contains this one.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Hour(hour) => Some(Self::Day(hour.day())),
            Self::Day(day) => Some(Self::Month(Month::of(day))),
            Self::Month(month) => Some(Self::Year(month.year())),
            Self::Year(_) => Some(Self::All),
            Self::All => None,
        }
    }

    /// The keys of the first and the last period of `level` within this one.
    pub fn parts(self, level: Level) -> (String, String) {
        let (first, last) = self.days().unwrap_or((Day::FIRST, Day::LAST));
        let [first, last] = match level {
            Level::Hour => [Self::Hour(first.first_hour()), Self::Hour(last.last_hour())],
            Level::Day => [first, last].map(Self::Day),
            Level::Month => [first, last].map(|day| Self::Month(Month::of(day))),
            Level::Year => [first, last].map(|day| Self::Year(Year::of(day))),
        };
        (first.key(), last.key())
    }
}
