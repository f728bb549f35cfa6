//! Counting figures again: which period, and what came of it.
//!
//! Invariant: what differs is shown with both of what it is and what it should be, and names nobody.

use purser_domain::analytics::period::{Interval, Period};
use purser_domain::analytics::{Counts, Kind};
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::basic::time::Day;
use purser_store::analytics::{Difference, Recount};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// How many differences are shown.
const SHOWN: usize = 100;

/// Which period.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// A day of it; all time unless given.
    day: Option<Day>,
    /// Whether that day is meant, or its month or year; the day unless given.
    interval: Option<Interval>,
}

impl PeriodQuery {
    /// The period.
    pub(crate) fn period(self) -> Period {
        let interval = self.interval.unwrap_or(Interval::Daily);
        self.day.map_or(Period::All, |day| interval.bucket(day))
    }
}

/// What came of counting the figures of a period again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recount)]
pub struct RecountView {
    /// The period: `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The day of the oldest thing there is; said when all time was counted.
    #[schema(required = true)]
    first_day: Option<Day>,
    /// Today; said with it.
    #[schema(required = true)]
    last_day: Option<Day>,
    /// How many things were counted: those made on the day. Longer periods are counted from the figures of their parts.
    things: usize,
    /// How many figures were compared.
    figures: usize,
    /// How many hours were left out, because what changed in them is still being counted. Two minutes later they can be
    /// compared, if they are left alone.
    under_way: usize,
    /// How much is not as it should be.
    differing: usize,
    /// The first hundred of it.
    differences: Vec<DifferenceView>,
}

impl RecountView {
    /// What came of it for `period`; with the first and the last day there is, if they are to be said.
    pub fn of(period: Period, recount: &Recount, days: Option<(Day, Day)>) -> Self {
        let Recount { things, figures, under_way, differences } = recount;
        let shown = differences.iter().take(SHOWN);
        Self {
            period: period.label(),
            first_day: days.map(|(first, _)| first),
            last_day: days.map(|(_, last)| last),
            things: *things,
            figures: *figures,
            under_way: *under_way,
            differing: differences.len(),
            differences: shown.map(DifferenceView::from).collect(),
        }
    }
}

/// Something that is not as it should be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
struct DifferenceView {
    kind: Kind,
    /// The period it is counted in: `2026-01-31T09`, `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The thing whose part in the figures is not kept as it should be; null of a figure.
    #[schema(required = true)]
    thing: Option<String>,
    /// The reseller whose figure it is; null of everybody's, and of a thing.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The client whose figure it is; null of all clients' figures together, and of a thing.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    /// What the figure is, by name; null of a thing.
    #[schema(required = true)]
    kept: Option<BTreeMap<String, i64>>,
    /// What it should be, by name; null of a thing.
    #[schema(required = true)]
    counted: Option<BTreeMap<String, i64>>,
}

impl From<&Difference> for DifferenceView {
    fn from(difference: &Difference) -> Self {
        let named = |counts: &Counts| counts.by("").map(|(name, count)| (name.to_owned(), count)).collect();
        match difference {
            Difference::Thing { kind, hour, refid } => Self {
                kind: *kind,
                period: Period::Hour(*hour).label(),
                thing: Some(refid.clone()),
                reseller: None,
                client: None,
                kept: None,
                counted: None,
            },
            Difference::Figure { kind, scope, period, kept, counted } => Self {
                kind: *kind,
                period: period.label(),
                thing: None,
                reseller: scope.reseller().cloned(),
                client: scope.client().cloned(),
                kept: Some(named(kept)),
                counted: Some(named(counted)),
            },
        }
    }
}
