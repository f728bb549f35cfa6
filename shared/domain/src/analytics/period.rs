//! Periods that are counted in: hours, days, months, years, and all time, in UTC.
//!
//! Invariant: a period's key has its level first and a fixed width, so that keys of one level are in the order of time.

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::basic::time::{Day, Hour};

/// A month, written `2026-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Day);

impl Month {
    /// The month of a day.
    pub fn of(day: Day) -> Self {
        Self(Day::from(day.date().first_of_month()))
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.0
    }

    /// Its last day.
    pub fn last(self) -> Day {
        Day::from(self.0.date().last_of_month())
    }

    /// The year it is in.
    pub fn year(self) -> Year {
        Year::of(self.0)
    }

    /// The month so many months before it, or the first there is.
    #[must_use]
    pub fn minus(self, months: i32) -> Self {
        Self::of(self.0.minus(Span::new().months(months)))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date: Date = self.0.date();
        write!(f, "{:04}-{:02}", date.year(), date.month())
    }
}

/// A year, written `2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Year(Day);

impl Year {
    /// The year of a day.
    pub fn of(day: Day) -> Self {
        Self(Day::from(day.date().first_of_year()))
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.0
    }

    /// Its last day.
    pub fn last(self) -> Day {
        Day::from(self.0.date().last_of_year())
    }

    /// The year so many years before it, or the first there is.
    #[must_use]
    pub fn minus(self, years: i32) -> Self {
        Self::of(self.0.minus(Span::new().years(years)))
    }
}

impl std::fmt::Display for Year {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.0.date().year())
    }
}

/// How long the buckets of a trend are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// A day each.
    Daily,
    /// A month each.
    #[default]
    Monthly,
    /// A year each.
    Yearly,
}

impl Interval {
    /// The interval's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// The bucket that `day` falls in.
    pub fn bucket(self, day: Day) -> Period {
        match self {
            Self::Daily => Period::Day(day),
            Self::Monthly => Period::Month(Month::of(day)),
            Self::Yearly => Period::Year(Year::of(day)),
        }
    }
}

/// How long the parts are that a period is summed up from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// What a figure is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// An hour; no query asks for one, but a day is the sum of its hours.
    Hour(Hour),
    /// A day.
    Day(Day),
    /// A month.
    Month(Month),
    /// A year.
    Year(Year),
    /// Always.
    All,
}

impl Period {
    /// How it stands in a key.
    pub fn key(self) -> String {
        match self {
            Self::Hour(hour) => format!("H#{hour}"),
            Self::Day(day) => format!("D#{day}"),
            Self::Month(month) => format!("M#{month}"),
            Self::Year(year) => format!("Y#{year}"),
            Self::All => "A".to_owned(),
        }
    }

    /// How it is called.
    pub fn label(self) -> String {
        match self {
            Self::Hour(hour) => hour.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Month(month) => month.to_string(),
            Self::Year(year) => year.to_string(),
            Self::All => "all".to_owned(),
        }
    }

    /// Whether a day is in it.
    pub fn holds(self, day: Day) -> bool {
        self.days().is_none_or(|(first, last)| (first..=last).contains(&day))
    }

    /// Its first and last day; none for always.
    pub fn days(self) -> Option<(Day, Day)> {
        match self {
            Self::Hour(hour) => Some((hour.day(), hour.day())),
            Self::Day(day) => Some((day, day)),
            Self::Month(month) => Some((month.first(), month.last())),
            Self::Year(year) => Some((year.first(), year.last())),
            Self::All => None,
        }
    }

    /// The period of the same length that follows; none after always.
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

    /// The period that this one is summed up in.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Hour(hour) => Some(Self::Day(hour.day())),
            Self::Day(day) => Some(Self::Month(Month::of(day))),
            Self::Month(month) => Some(Self::Year(month.year())),
            Self::Year(_) => Some(Self::All),
            Self::All => None,
        }
    }

    /// The keys of the first and the last period of a level that are in it.
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
