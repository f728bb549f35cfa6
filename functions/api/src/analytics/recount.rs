//! The query and the answer of a recount, which `check-figures` and `rebuild-figures` share.
//!
//! Invariant: a difference shows both the stored and the recounted figure, and names things by refid only, never
//! people.

use std::collections::BTreeMap;

use purser_domain::analytics::period::{Interval, Period};
use purser_domain::analytics::{Counts, Kind};
use purser_domain::basic::{ClientRefid, Day, ResellerRefid};
use purser_edge::prelude::*;
use purser_store::analytics::{Difference, Recount};

const SHOWN: usize = 100;

/// The period to recount.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// A day in the period. Without it, all time is recounted.
    day: Option<Day>,
    /// Whether to recount that day, its month or its year; the day by default.
    interval: Option<Interval>,
}

impl PeriodQuery {
    pub(crate) fn period(self) -> Period {
        let interval = self.interval.unwrap_or(Interval::Daily);
        self.day.map_or(Period::All, |day| interval.bucket(day))
    }
}

/// The result of recounting the figures of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recount)]
pub struct RecountView {
    /// The recounted period: `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The first day on which anything was created. Null unless all time was recounted, or if there is nothing yet.
    #[schema(required = true)]
    first_day: Option<Day>,
    /// Today. Null if `first_day` is null.
    #[schema(required = true)]
    last_day: Option<Day>,
    /// How many clients, resellers, licences and ledger entries of the day were counted. It is 0 for longer periods,
    /// which are counted from the figures of their parts.
    things: usize,
    /// How many figures were compared.
    figures: usize,
    /// How many hours were left out, because changes in them are still being counted. Unless they change again, they
    /// can be compared two minutes later.
    under_way: usize,
    /// How many differences there are.
    differing: usize,
    /// The first hundred differences.
    differences: Vec<DifferenceView>,
}

impl RecountView {
    /// `days` are the first and the last day to show, if all time was recounted.
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

/// A stored figure that differs from its recount, or a thing (client, reseller, licence or ledger entry) whose part
/// in the figures is not stored as it should be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
struct DifferenceView {
    kind: Kind,
    /// The period of the figure or thing: `2026-01-31T09`, `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The refid of the thing; null if a figure differs.
    #[schema(required = true)]
    thing: Option<String>,
    /// The reseller whose figure differs; null if the figure counts everybody, and for a thing.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The client whose figure differs; null if the figure counts all clients, and for a thing.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    /// The stored figure, by metric; null for a thing.
    #[schema(required = true)]
    kept: Option<BTreeMap<String, i64>>,
    /// The recounted figure, by metric; null for a thing.
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
