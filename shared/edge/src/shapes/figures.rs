//! What came of counting figures again.
//!
//! Invariant: what differs is shown with both of what it is and what it should be, and names nobody.

use std::collections::BTreeMap;

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Counts, Kind};
use purser_domain::basic::time::Day;
use purser_store::analytics::{Difference, Recount};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ClientRefidShape, DayShape, ResellerRefidShape};

/// How many differences are shown.
const SHOWN: usize = 100;

/// What came of counting the figures of a period again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recount)]
pub struct RecountShape {
    /// The period: `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The day of the oldest thing there is; said when all time was counted.
    #[schema(required = true, value_type = Option<DayShape>)]
    first_day: Option<Day>,
    /// Today; said with it.
    #[schema(required = true, value_type = Option<DayShape>)]
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
    differences: Vec<DifferenceShape>,
}

/// Something that is not as it should be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
struct DifferenceShape {
    kind: KindShape,
    /// The period it is counted in: `2026-01-31T09`, `2026-01-31`, `2026-01`, `2026` or `all`.
    period: String,
    /// The thing whose part in the figures is not kept as it should be; null of a figure.
    #[schema(required = true)]
    thing: Option<String>,
    /// The reseller whose figure it is; null of everybody's, and of a thing.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The client whose figure it is; null of all clients' figures together, and of a thing.
    #[schema(required = true, value_type = Option<ClientRefidShape>)]
    client: Option<String>,
    /// What the figure is, by name; null of a thing.
    #[schema(required = true)]
    kept: Option<BTreeMap<String, i64>>,
    /// What it should be, by name; null of a thing.
    #[schema(required = true)]
    counted: Option<BTreeMap<String, i64>>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Counted)]
enum KindShape {
    Client,
    Entry,
    Licence,
    Reseller,
}

impl From<Kind> for KindShape {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Client => Self::Client,
            Kind::Entry => Self::Entry,
            Kind::Licence => Self::Licence,
            Kind::Reseller => Self::Reseller,
        }
    }
}

impl RecountShape {
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
            differences: shown.map(DifferenceShape::from).collect(),
        }
    }
}

impl From<&Difference> for DifferenceShape {
    fn from(difference: &Difference) -> Self {
        let named = |counts: &Counts| counts.by("").map(|(name, count)| (name.to_owned(), count)).collect();
        match difference {
            Difference::Thing { kind, hour, refid } => Self {
                kind: (*kind).into(),
                period: Period::Hour(*hour).label(),
                thing: Some(refid.clone()),
                reseller: None,
                client: None,
                kept: None,
                counted: None,
            },
            Difference::Figure { kind, scope, period, kept, counted } => Self {
                kind: (*kind).into(),
                period: period.label(),
                thing: None,
                reseller: scope.reseller().map(ToString::to_string),
                client: scope.client().map(ToString::to_string),
                kept: Some(named(kept)),
                counted: Some(named(counted)),
            },
        }
    }
}
