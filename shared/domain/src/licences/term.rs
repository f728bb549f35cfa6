//! Lengths of time, as ISO 8601 writes them: by the calendar for terms, exact for leases.
//!
//! Invariant: the end of a term is counted from its first day, never from an earlier end, so months keep the day on
//! which they began: a month from 31 January ends on 28 February, and two months end on 31 March (rule C1).

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use crate::basic::number::number_type;
use crate::basic::stored::is_stored;
use crate::basic::time::Time;

number_type!(
    /// How many days a licence lasts from its activation.
    Days(u32), from 1 to 36_500, example 365
);

/// A length of time by the calendar, such as a year, 18 months or 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredTerm", into = "String")]
pub struct Term {
    years: u16,
    months: u16,
    weeks: u16,
    days: u32,
}

#[cfg(feature = "schema")]
const TERM: &str = concat!(
    "^P([1-9][0-9]?Y([1-9][0-9]{0,2}M)?([1-9][0-9]{0,2}W)?([1-9][0-9]{0,4}D)?",
    "|[1-9][0-9]{0,2}M([1-9][0-9]{0,2}W)?([1-9][0-9]{0,4}D)?|[1-9][0-9]{0,2}W([1-9][0-9]{0,4}D)?|[1-9][0-9]{0,4}D)$",
);

#[cfg(feature = "schema")]
crate::value_schema!(
    Term,
    "A length of time by the calendar, in years, months, weeks and days (ISO 8601).",
    formal(pattern(3, 18, TERM), "term"),
    "P1Y"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration in years, months, weeks and days, such as P1Y, P18M or P30D")]
pub struct TermError;

impl Term {
    /// A term of this many days.
    pub fn of_days(days: Days) -> Self {
        Self { years: 0, months: 0, weeks: 0, days: days.get() }
    }

    /// The number of days, if the term is a number of days and short enough for the member `duration_days`, which is
    /// what products had before they had terms.
    pub fn days(self) -> Option<Days> {
        let Self { years: 0, months: 0, weeks: 0, days } = self else { return None };
        Days::try_from(u64::from(days)).ok()
    }

    /// When `count` such terms end that begin at `start`. After the year 9999, that is its last moment.
    pub fn end(self, start: Time, count: u32) -> Time {
        let whole = |unit: u32| i64::from(unit).saturating_mul(i64::from(count));
        let months = whole(u32::from(self.years) * 12 + u32::from(self.months));
        let days = whole(u32::from(self.weeks) * 7 + self.days);
        let span = Span::new().try_months(months).and_then(|span| span.try_days(days));
        span.map_or(Time::LAST, |span| start.plus_by_calendar(span))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("P")?;
        let parts =
            [(u32::from(self.years), 'Y'), (self.months.into(), 'M'), (self.weeks.into(), 'W'), (self.days, 'D')];
        parts.iter().filter(|(number, _)| *number > 0).try_for_each(|(number, unit)| write!(out, "{number}{unit}"))
    }
}

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        let span: Span = text.parse().map_err(|_| TermError)?;
        let number = |number: i32, most: u32| u32::try_from(number).ok().filter(|it| *it <= most).ok_or(TermError);
        let short = |read: u32| u16::try_from(read).map_err(|_| TermError);
        let term = Self {
            years: short(number(span.get_years().into(), 99)?)?,
            months: short(number(span.get_months(), 999)?)?,
            weeks: short(number(span.get_weeks(), 999)?)?,
            days: number(span.get_days(), 99_999)?,
        };
        // The library reads other spellings, too, and times of day.
        if term.to_string() == text && text.len() > 1 { Ok(term) } else { Err(TermError) }
    }
}

impl TryFrom<String> for Term {
    type Error = TermError;

    fn try_from(text: String) -> Result<Self, TermError> {
        text.parse()
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        term.to_string()
    }
}

/// A term as it is stored: before there were terms, as a number of days.
#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a duration in years, months, weeks and days, such as P1Y, P18M or P30D")]
enum StoredTerm {
    Text(String),
    Days(Days),
}

impl TryFrom<StoredTerm> for Term {
    type Error = TermError;

    fn try_from(stored: StoredTerm) -> Result<Self, TermError> {
        match stored {
            StoredTerm::Text(text) => text.parse(),
            StoredTerm::Days(days) if is_stored() => Ok(Self::of_days(days)),
            StoredTerm::Days(_) => Err(TermError),
        }
    }
}

/// How long an installation may go without being heard of: an exact number of seconds, from a minute to 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lease(u32);

#[cfg(feature = "schema")]
const LEASE: &str = concat!(
    "^P(([1-9][0-9]?|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])D",
    "|([1-9][0-9]?|[12][0-9][0-9]|3[0-5][0-9]|36[0-5])DT([1-5][0-9]|[1-9])S",
    "|(([1-9][0-9]?|[12][0-9][0-9]|3[0-5][0-9]|36[0-5])D)?T(",
    "(1[0-9]|2[0-3]|[1-9])H(([1-5][0-9]|[1-9])M)?(([1-5][0-9]|[1-9])S)?|([1-5][0-9]|[1-9])M(([1-5][0-9]|[1-9])S)?))$",
);

#[cfg(feature = "schema")]
crate::value_schema!(
    Lease,
    "How long an installation may go without being heard of before its seat is free: an exact duration (ISO 8601) from \
     a minute to 366 days, in days of 24 hours, hours, minutes and seconds, each as large as it can be.",
    formal(pattern(3, 16, LEASE), "lease"),
    "PT10M"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration from PT1M to P366D in days, hours, minutes and seconds, such as PT10M, PT1H30M or P14D")]
pub struct LeaseError;

impl Lease {
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0.into())
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seconds) = *self;
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        out.write_str("P")?;
        if days > 0 {
            write!(out, "{days}D")?;
        }
        if rest > 0 {
            out.write_str("T")?;
        }
        let parts = [(rest / 3_600, 'H'), (rest / 60 % 60, 'M'), (rest % 60, 'S')];
        parts.iter().filter(|(number, _)| *number > 0).try_for_each(|(number, unit)| write!(out, "{number}{unit}"))
    }
}

impl FromStr for Lease {
    type Err = LeaseError;

    fn from_str(text: &str) -> Result<Self, LeaseError> {
        let span: Span = text.parse().map_err(|_| LeaseError)?;
        let parts = [
            i64::from(span.get_days()).checked_mul(86_400),
            i64::from(span.get_hours()).checked_mul(3_600),
            span.get_minutes().checked_mul(60),
            Some(span.get_seconds()),
        ];
        let seconds = parts.into_iter().try_fold(0_i64, |sum, part| sum.checked_add(part?)).ok_or(LeaseError)?;
        let within = u32::try_from(seconds).ok().filter(|it| (60..=366 * 86_400).contains(it));
        // One spelling, so that two leases are equal if their texts are.
        let lease = within.map(Self).filter(|it| it.to_string() == text);
        lease.ok_or(LeaseError)
    }
}

impl TryFrom<String> for Lease {
    type Error = LeaseError;

    fn try_from(text: String) -> Result<Self, LeaseError> {
        text.parse()
    }
}

impl From<Lease> for String {
    fn from(lease: Lease) -> Self {
        lease.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::as_stored;

    fn time(text: &str) -> Time {
        Time::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_term_has_one_spelling() {
        for text in ["P1Y", "P12M", "P30D", "P2W", "P1Y6M", "P1Y2M3W4D", "P99Y999M999W99999D"] {
            let term: Term = text.parse().unwrap();
            assert_eq!(term.to_string(), text);
            assert_eq!(serde_json::from_value::<Term>(serde_json::json!(text)).unwrap(), term);
        }
        for text in [
            "", "P", "PT", "1Y", "P0D", "P01Y", "p1y", "-P1Y", "+P1Y", "P-1Y", "P1.5Y", "P1YT1H", "PT1H", "P1D1Y",
            "P100Y", "P1000M", "P1000W", "P100000D", "P1 Y", " P1Y", "1 year", "P1H",
        ] {
            assert_eq!(text.parse::<Term>(), Err(TermError), "{text:?}");
        }
    }

    #[test]
    fn days_from_before_there_were_terms_are_read() {
        let read = || serde_json::from_value::<Term>(serde_json::json!(365));
        assert!(read().is_err());
        let term = as_stored(read).unwrap();
        assert_eq!((term.to_string().as_str(), term.days().map(Days::get)), ("P365D", Some(365)));
        assert_eq!(serde_json::to_value(term).unwrap(), "P365D");
        for (text, days) in [("P1W", None), ("P1Y1D", None), ("P36501D", None), ("P36500D", Some(36_500))] {
            assert_eq!(text.parse::<Term>().unwrap().days().map(Days::get), days, "{text}");
        }
    }

    #[test]
    fn a_term_ends_by_the_calendar() {
        for (start, term, count, end) in [
            ("2026-01-31T10:00:00.001Z", "P1M", 1, "2026-02-28T10:00:00.001Z"),
            ("2026-01-31T10:00:00.001Z", "P1M", 2, "2026-03-31T10:00:00.001Z"),
            ("2026-01-31T10:00:00.001Z", "P1M", 3, "2026-04-30T10:00:00.001Z"),
            ("2028-01-31T00:00:00Z", "P1M", 1, "2028-02-29T00:00:00Z"),
            ("2028-02-29T00:00:00Z", "P1Y", 1, "2029-02-28T00:00:00Z"),
            ("2028-02-29T00:00:00Z", "P1Y", 4, "2032-02-29T00:00:00Z"),
            ("2028-02-29T00:00:00Z", "P12M", 4, "2032-02-29T00:00:00Z"),
            ("2026-03-28T23:30:00Z", "P1W", 1, "2026-04-04T23:30:00Z"),
            ("2026-01-31T00:00:00Z", "P1M1D", 1, "2026-03-01T00:00:00Z"),
            ("2026-01-31T00:00:00Z", "P1M", 0, "2026-01-31T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "P99Y999M999W99999D", u32::MAX, "9999-12-30T22:00:00.000Z"),
        ] {
            let ended = term.parse::<Term>().unwrap().end(time(start), count);
            assert_eq!(ended, time(end), "{start} {term} × {count}");
        }
    }

    #[test]
    fn a_lease_has_one_spelling() {
        for (text, seconds) in [
            ("PT1M", 60),
            ("PT10M", 600),
            ("PT1H30M", 5_400),
            ("PT1M1S", 61),
            ("P1D", 86_400),
            ("P14DT12H", 1_252_800),
            ("P366D", 31_622_400),
        ] {
            let lease: Lease = text.parse().unwrap();
            assert_eq!((lease.duration().as_secs(), lease.to_string().as_str()), (seconds, text));
        }
        for text in ["", "P", "PT", "PT59S", "PT90M", "PT3600S", "P366DT1S", "P367D", "P1M", "P1W", "PT0M", "-PT1M"] {
            assert_eq!(text.parse::<Lease>(), Err(LeaseError), "{text:?}");
        }
    }
}
