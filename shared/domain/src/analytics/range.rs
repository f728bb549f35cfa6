//! Ranges of days, and the fewest periods that make one up.
//!
//! Invariant: what covers a range covers each of its days once, and no other day; how many periods that takes depends
//! on the range alone.

use super::period::{Interval, Month, Period, Year};
use crate::time::Day;

/// The most days of a daily trend: three years.
pub const MOST_DAYS: usize = 1_096;
/// The most months of a monthly trend: ten years.
pub const MOST_MONTHS: usize = 120;
/// The most years of a yearly trend.
pub const MOST_YEARS: usize = 100;

/// From one day to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    start: Day,
    end: Day,
}

/// Why days are no range that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The end comes first.
    #[error("end is before start")]
    Backwards,
    /// It has more buckets than an answer holds.
    #[error("a {} range has at most {most} buckets", interval.as_str())]
    TooLong {
        /// Of this length.
        interval: Interval,
        /// The most.
        most: usize,
    },
}

/// One bucket of a trend: what it is called, and the periods that make up what of it is in the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The whole bucket.
    pub period: Period,
    /// What of it is in the range.
    pub parts: Vec<Period>,
}

impl DayRange {
    /// From `start` to `end`, unless that is before it.
    pub fn new(start: Day, end: Day) -> Result<Self, RangeError> {
        if start <= end {
            Ok(Self { start, end })
        } else {
            Err(RangeError::Backwards)
        }
    }

    /// Its first day.
    pub fn start(self) -> Day {
        self.start
    }

    /// Its last day.
    pub fn end(self) -> Day {
        self.end
    }

    /// The fewest periods that make it up, in the order of time.
    pub fn cover(self) -> Vec<Period> {
        let mut periods = Vec::new();
        let mut next = Some(self.start);
        while let Some(day) = next.filter(|day| *day <= self.end) {
            let (year, month) = (Year::of(day), Month::of(day));
            let (period, last) = if year.first() == day && year.last() <= self.end {
                (Period::Year(year), year.last())
            } else if month.first() == day && month.last() <= self.end {
                (Period::Month(month), month.last())
            } else {
                (Period::Day(day), day)
            };
            periods.push(period);
            next = last.next();
        }
        periods
    }

    /// Its buckets, in the order of time; those that it cuts hold only what is in it.
    pub fn buckets(self, interval: Interval) -> Result<Vec<Bucket>, RangeError> {
        let most = match interval {
            Interval::Daily => MOST_DAYS,
            Interval::Monthly => MOST_MONTHS,
            Interval::Yearly => MOST_YEARS,
        };
        let mut buckets = Vec::new();
        let mut next = Some(self.start);
        while let Some(day) = next.filter(|day| *day <= self.end) {
            if buckets.len() == most {
                return Err(RangeError::TooLong { interval, most });
            }
            let period = interval.bucket(day);
            let last = period.days().map_or(day, |(_, last)| last);
            let part = Self {
                start: day,
                end: last.min(self.end),
            };
            buckets.push(Bucket {
                period,
                parts: part.cover(),
            });
            next = last.next();
        }
        Ok(buckets)
    }
}
