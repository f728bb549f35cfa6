//! Points in time, in whole milliseconds of UTC.
//!
//! Invariant: the text of a [`Time`] has a fixed width, so that text order is time order in a sort key.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A moment, shown as `2026-01-31T09:30:00.000Z` (SPEC, "Interfaces").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(Timestamp);

impl Time {
    /// The moment, cut to the millisecond; beyond the years 1 to 9999 it stops at the nearest end.
    pub fn of(timestamp: Timestamp) -> Self {
        let ms = timestamp
            .as_millisecond()
            .clamp(-62_135_596_800_000, 253_402_207_200_000);
        Self(Timestamp::from_millisecond(ms).unwrap_or(timestamp))
    }

    #[must_use]
    /// This moment moved by `duration`, or the last representable moment.
    pub fn plus(self, duration: SignedDuration) -> Self {
        self.0.saturating_add(duration).map_or(self, Self::of)
    }

    /// Seconds since 1970, as DynamoDB's time-to-live wants them.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl TryFrom<String> for Time {
    type Error = jiff::Error;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse::<Timestamp>().map(Self::of)
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_fixed_width_and_reads_back() {
        for ms in [0, 1, 999, 1_700_000_000_123, 253_402_207_199_999] {
            let time = Time::of(Timestamp::from_millisecond(ms).unwrap_or_default());
            assert_eq!(time.to_string().len(), 24);
            assert_eq!(Time::try_from(time.to_string()).ok(), Some(time));
        }
    }
}
