//! Ranges of days, and the fewest periods that make up a range.
//!
//! Invariant: the cover of a range contains each of its days once and no other day. The number of periods depends on
//! the range alone.

use super::period::{Interval, Month, Period, Year};
use crate::basic::time::Day;

/// The longest daily trend, in days: three years.
pub const MOST_DAYS: usize = 1_096;
/// The longest monthly trend, in months: ten years.
pub const MOST_MONTHS: usize = 120;
/// The longest yearly trend, in years.
pub const MOST_YEARS: usize = 100;

/// The days from `start` to `end`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    start: Day,
    end: Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("end is before start")]
    Backwards,
    #[error("a {} range has at most {most} buckets", interval.into_str())]
    TooLong { interval: Interval, most: usize },
}

/// The part of a range that falls in one bucket of a trend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangePart {
    /// The whole bucket: a day, a month or a year.
    pub period: Period,
    /// The fewest periods that make up the days of the bucket that are in the range.
    pub cover: Vec<Period>,
}

impl DayRange {
    pub fn new(start: Day, end: Day) -> Result<Self, RangeError> {
        if start <= end { Ok(Self { start, end }) } else { Err(RangeError::Backwards) }
    }

    /// The fewest periods that make up the range, in the order of time.
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

    /// One part per bucket, in the order of time. The first and the last part hold only the days that are in the
    /// range.
    pub fn parts(self, interval: Interval) -> Result<Vec<RangePart>, RangeError> {
        let most = match interval {
            Interval::Daily => MOST_DAYS,
            Interval::Monthly => MOST_MONTHS,
            Interval::Yearly => MOST_YEARS,
        };
        let mut parts = Vec::new();
        let mut next = Some(self.start);
        while let Some(day) = next.filter(|day| *day <= self.end) {
            if parts.len() == most {
                return Err(RangeError::TooLong { interval, most });
            }
            let period = interval.bucket(day);
            let last = period.days().map_or(day, |(_, last)| last);
            let part = Self { start: day, end: last.min(self.end) };
            parts.push(RangePart { period, cover: part.cover() });
            next = last.next();
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Scope;
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn range(start: &str, end: &str) -> DayRange {
        DayRange::new(day(start), day(end)).unwrap()
    }

    fn days(periods: &[Period]) -> Vec<Day> {
        let ends = periods.iter().filter_map(|it| it.days());
        let all = ends.flat_map(|(first, last)| {
            std::iter::successors(Some(first), |day| day.next()).take_while(move |day| *day <= last)
        });
        all.collect()
    }

    #[test]
    fn a_range_is_made_up_of_the_longest_periods_that_fit() {
        for (start, end, keys) in [
            ("2024-02-29", "2024-02-29", vec!["D#2024-02-29"]),
            ("2024-02-01", "2024-02-29", vec!["M#2024-02"]),
            ("2023-02-01", "2023-02-28", vec!["M#2023-02"]),
            ("2024-02-01", "2024-02-28", (1..=28).map(|_| "D").collect()),
            ("2024-01-01", "2024-12-31", vec!["Y#2024"]),
            ("2023-12-31", "2025-01-01", vec!["D#2023-12-31", "Y#2024", "D#2025-01-01"]),
            ("2023-11-30", "2024-02-01", vec!["D#2023-11-30", "M#2023-12", "M#2024-01", "D#2024-02-01"]),
            ("9999-12-01", "9999-12-31", vec!["M#9999-12"]),
        ] {
            let cover: Vec<String> = range(start, end).cover().iter().map(|it| it.key()).collect();
            assert_eq!(cover.len(), keys.len(), "{start} {end}");
            assert!(cover.iter().zip(keys).all(|(key, begin)| key.starts_with(begin)), "{cover:?}");
        }
        assert_eq!(DayRange::new(day("2024-01-02"), day("2024-01-01")), Err(RangeError::Backwards));
    }

    proptest! {
        #[test]
        fn what_covers_a_range_is_each_of_its_days_once(start in 0_i32..4_000, length in 0_i32..900) {
            let last = day("2030-12-31");
            let (start, end) = (last.minus_days(start + length), last.minus_days(start));
            let range = DayRange::new(start, end).unwrap();
            let all = days(&[Period::Day(start)]);
            let mut expected = all;
            while expected.last().is_some_and(|day| *day < end) {
                expected.extend(expected.last().and_then(|day| day.next()));
            }
            prop_assert_eq!(&days(&range.cover()), &expected);
            for interval in [Interval::Daily, Interval::Monthly, Interval::Yearly] {
                let parts = range.parts(interval).unwrap();
                let covers: Vec<Period> = parts.iter().flat_map(|it| it.cover.clone()).collect();
                prop_assert_eq!(&days(&covers), &expected);
                // A part must not hold a day of another part.
                for part in &parts {
                    let (first, last) = part.period.days().unwrap();
                    prop_assert!(days(&part.cover).iter().all(|day| (first..=last).contains(day)));
                }
            }
        }

        #[test]
        fn keys_are_in_the_order_of_time_and_parts_lie_within(days in 0_i32..4_000) {
            let day = day("2030-12-31").minus_days(days);
            let periods = [Period::Hour(day.last_hour()), Period::Day(day), Period::Month(Month::of(day))];
            for period in periods.into_iter().chain([Period::Year(Year::of(day))]) {
                let parent = period.parent().unwrap();
                let (first, last) = Scope::All.parts(parent).unwrap();
                prop_assert!((first..=last).contains(&period.key()));
                if let Some(next) = period.next() {
                    prop_assert!(period.key() < next.key());
                }
            }
        }
    }
}
