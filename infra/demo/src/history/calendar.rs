//! When things happen in a history: more often as the years go on, with seasons, on weekdays and in working hours.
//!
//! Invariant: a drawn moment lies within the calendar, and a consequence lies after its cause. The same random
//! numbers give the same moments.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Activity in each month, in percent of an ordinary month.
const MONTHS: [u64; 12] = [90, 95, 115, 100, 100, 110, 80, 65, 110, 110, 120, 75];

/// Activity on each weekday, Monday first, in percent of an ordinary working day.
const WEEKDAYS: [u64; 7] = [110, 115, 110, 105, 80, 8, 5];

/// Activity in each hour of the day in UTC, in percent of the busiest hour.
const HOURS: [u64; 24] = [0, 0, 0, 0, 0, 1, 10, 40, 80, 100, 100, 90, 55, 85, 100, 95, 70, 35, 15, 6, 4, 3, 1, 0];

/// How many times busier the last day is than the first.
const GROWTH: u64 = 4;

/// On how many days in a thousand a campaign triples the activity.
const CAMPAIGNS: u32 = 12;

/// A range of days, with a weight for each of its hours.
#[derive(Debug)]
pub(super) struct Calendar {
    first: Date,
    /// For each hour, the sum of the weights up to its end.
    up_to: Vec<u64>,
}

impl Calendar {
    /// A calendar of `days` days, at least one, that begins on `first`.
    pub fn of(first: Date, days: u32, rng: &mut Rng) -> Self {
        let days = u64::from(days.max(1));
        let mut up_to = Vec::new();
        let mut sum = 0;
        let mut date = first;
        for day in 0..days {
            let growth = 100 + 100 * (GROWTH - 1) * day / days;
            let chance = if rng.u32(..1000) < CAMPAIGNS { 300 } else { rng.u64(70..=130) };
            let weight = growth * month(date) / 100 * weekday(date) * chance / 10_000;
            for hour in HOURS {
                sum += weight * hour;
                up_to.push(sum);
            }
            date = date.saturating_add(1.day());
        }
        Self { first, up_to }
    }

    /// Draws a moment; busy hours are more likely.
    pub fn moment(&self, rng: &mut Rng) -> Timestamp {
        let all = self.up_to.last().copied().unwrap_or(0);
        let drawn = if all == 0 { 0 } else { rng.u64(..all) };
        let hour = self.up_to.partition_point(|sum| *sum <= drawn);
        let hours = i64::try_from(hour).unwrap_or(0);
        let within = SignedDuration::from_millis(rng.i64(0..3_600_000));
        start_of(self.first) + SignedDuration::from_hours(hours) + within
    }
}

/// A moment in working hours `days` days after `moment`; for zero days, up to two hours after it.
pub(super) fn later(moment: Timestamp, days: u32, rng: &mut Rng) -> Timestamp {
    if days == 0 {
        return moment + SignedDuration::from_secs(rng.i64(240..7_200));
    }
    let mut date = moment.to_zoned(TimeZone::UTC).date();
    date = date.saturating_add(i64::from(days).days());
    // Most people wait for Monday.
    while weekday(date) < 10 && rng.u32(..100) < 92 {
        date = date.saturating_add(1.day());
    }
    let all: u64 = HOURS.iter().sum();
    let mut drawn = rng.u64(..all);
    let mut hours = 0;
    for weight in HOURS {
        if drawn < weight {
            break;
        }
        drawn -= weight;
        hours += 1;
    }
    let within = SignedDuration::from_millis(rng.i64(0..3_600_000));
    start_of(date) + SignedDuration::from_hours(hours) + within
}

/// Midnight at the start of `date`, in UTC.
pub(super) fn start_of(date: Date) -> Timestamp {
    let midnight = date.to_zoned(TimeZone::UTC);
    midnight.map_or(Timestamp::MIN, |midnight| midnight.timestamp())
}

fn month(date: Date) -> u64 {
    let place = usize::try_from(date.month() - 1).unwrap_or(0);
    MONTHS.get(place).copied().unwrap_or(100)
}

fn weekday(date: Date) -> u64 {
    let place = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
    WEEKDAYS.get(place).copied().unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn more_happens_later_on_weekdays_and_in_working_hours() {
        let mut rng = Rng::with_seed(1);
        let first = day("2024-01-01");
        let calendar = Calendar::of(first, 731, &mut rng);
        let moments: Vec<_> = (0..10_000).map(|_| calendar.moment(&mut rng).to_zoned(TimeZone::UTC)).collect();
        let count = |which: &dyn Fn(&jiff::Zoned) -> bool| moments.iter().filter(|it| which(it)).count();
        assert_eq!(count(&|it| (2024..=2025).contains(&it.year())), 10_000);
        let (first, second) = (count(&|it| it.year() == 2024), count(&|it| it.year() == 2025));
        assert!(second > first * 3 / 2, "{first} {second}");
        let weekend = count(&|it| it.weekday().to_monday_zero_offset() > 4);
        assert!((50..600).contains(&weekend), "{weekend}");
        assert!(count(&|it| (8..17).contains(&it.hour())) > 7_000);
        let (august, november) = (count(&|it| it.month() == 8), count(&|it| it.month() == 11));
        assert!(november > august * 5 / 4, "{august} {november}");
    }

    #[test]
    fn what_follows_comes_after_and_on_the_day_or_soon_after() {
        let mut rng = Rng::with_seed(2);
        let moment: Timestamp = "2025-03-07T17:20:00Z".parse().unwrap();
        for days in 0..400 {
            let later = later(moment, days, &mut rng);
            let hours = later.duration_since(moment).as_hours();
            let days = i64::from(days);
            assert!(later > moment, "{later}");
            assert!((days * 24 - 18..=(days + 3) * 24).contains(&hours), "{days}: {later}");
        }
    }
}
