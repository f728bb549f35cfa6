//! The one period that a query asks for.

use purser_domain::analytics::period::{Interval, Period};
use purser_domain::basic::time::Day;
use purser_edge::shapes::DayShape;
use serde::Deserialize;
use utoipa::IntoParams;

use super::trend::IntervalShape;

/// Which period.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// A day of it; all time unless given.
    #[param(value_type = Option<DayShape>)]
    day: Option<Day>,
    /// Whether that day is meant, or its month or year; the day unless given.
    #[param(value_type = Option<IntervalShape>)]
    interval: Option<Interval>,
}

impl PeriodQuery {
    /// The period.
    pub(crate) fn period(self) -> Period {
        let interval = self.interval.unwrap_or(Interval::Daily);
        self.day.map_or(Period::All, |day| interval.bucket(day))
    }
}
