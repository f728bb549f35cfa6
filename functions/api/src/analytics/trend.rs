//! Trends: figures by day, month or year, as JSON, as a table and as a picture.

use axum::response::{IntoResponse, Response};
use purser_charts::trend::{Bucket, Series, Trend};
use purser_domain::analytics::period::{Interval, Month, Period, Year};
use purser_domain::analytics::range::DayRange;
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::basic::time::{Day, Time};
use purser_edge::http::negotiation::{Accept, Format, Represented};
use purser_edge::shapes::{DayShape, ResellerRefidShape};
use purser_edge::{App, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How long the buckets are.
#[derive(Debug, ToSchema)]
#[schema(as = Interval, rename_all = "lowercase")]
#[expect(dead_code, reason = "it stands for the domain's enum in the document")]
pub(crate) enum IntervalShape {
    /// A day each.
    Daily,
    /// A month each.
    Monthly,
    /// A year each.
    Yearly,
}

/// Which buckets, and whose figures.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TrendQuery {
    /// How long the buckets are; monthly unless given. A daily trend has at most 1,096 of them, a monthly one 120, a
    /// yearly one 100.
    #[param(value_type = Option<IntervalShape>)]
    pub(super) interval: Option<Interval>,
    /// The first day. Unless given, there are the last 30 days, 12 months or 5 years.
    #[param(value_type = Option<DayShape>)]
    pub(super) start: Option<Day>,
    /// The last day; today unless given. Buckets that the range cuts count only what is in it.
    #[param(value_type = Option<DayShape>)]
    pub(super) end: Option<Day>,
    /// Only this reseller's; for a reseller always its own.
    #[param(value_type = Option<ResellerRefidShape>)]
    pub(super) reseller: Option<String>,
}

impl TrendQuery {
    fn range(&self, app: &App) -> Result<DayRange, Problem> {
        let end = super::last_day(app, self.start, self.end);
        let usual = || match self.interval.unwrap_or_default() {
            Interval::Daily => end.minus_days(29),
            // Twelve months, and five years, with the one that `end` is in.
            Interval::Monthly => Month::of(end).minus(11).first(),
            Interval::Yearly => Year::of(end).minus(4).first(),
        };
        DayRange::new(self.start.unwrap_or_else(usual), end).map_err(super::unusable)
    }
}

/// A figure by day, month or year: every bucket of the range, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trend)]
pub(super) struct TrendShape {
    #[schema(value_type = IntervalShape)]
    interval: Interval,
    buckets: Vec<BucketShape>,
    /// Everything that happened up to then is counted; null before anything was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    as_of: Option<Time>,
}

/// One bucket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bucket)]
struct BucketShape {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// The figure.
    value: i64,
}

/// Credits by day, month or year: every bucket of the range, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditTrend)]
pub(super) struct CreditTrendShape {
    #[schema(value_type = IntervalShape)]
    interval: Interval,
    buckets: Vec<CreditBucketShape>,
    /// Everything that happened up to then is counted; null before anything was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    as_of: Option<Time>,
}

/// One bucket of credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditBucket)]
struct CreditBucketShape {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// Credits added by top-ups.
    value: i64,
    /// Credits that purchases cost, less those that refunds of any purchase returned.
    spent: i64,
}

/// A trend that was read.
pub(super) struct Read<const SERIES: usize> {
    interval: Interval,
    buckets: Vec<Bucket<SERIES>>,
    as_of: Option<Time>,
}

/// Reads a trend: all its buckets side by side with how far they are counted.
pub(super) async fn read<const SERIES: usize>(
    app: &App,
    (kind, scope): (Kind, &Scope),
    query: &TrendQuery,
    names: [&str; SERIES],
) -> Result<Read<SERIES>, Problem> {
    let interval = query.interval.unwrap_or_default();
    let range = query.range(app)?;
    let buckets = range.buckets(interval).map_err(super::unusable)?;
    let periods: Vec<Period> = buckets.iter().flat_map(|it| it.parts.clone()).collect();
    let (figures, rollup) = tokio::try_join!(app.store.figures(kind, scope, periods), app.store.rollup())?;
    let bucket = |bucket: &purser_domain::analytics::range::Bucket| {
        let counts: Counts = figures.sum(&bucket.parts);
        Bucket { period: bucket.period.label(), figures: names.map(|name| counts.get(name)) }
    };
    Ok(Read { interval, buckets: buckets.iter().map(bucket).collect(), as_of: rollup.as_of })
}

/// Answers a trend in the format that is asked for; `shape` makes its JSON.
pub(super) fn answer<const SERIES: usize, T: Serialize>(
    accept: &Accept,
    read: Read<SERIES>,
    title: &str,
    series: [Series<'_>; SERIES],
    shape: impl FnOnce(Read<SERIES>) -> T,
) -> Result<Response, Problem> {
    let format = accept.choose(&[Format::Json, Format::Csv, Format::Svg])?;
    let trend = Trend { title, series, buckets: &read.buckets };
    let body = match format {
        Format::Json => purser_edge::http::json::write(&shape(read))?,
        Format::Csv => trend.csv().map_err(|error| super::not_shown(&error))?,
        Format::Svg => trend.svg().map_err(|error| super::not_shown(&error))?,
    };
    Ok(Represented { format, body }.into_response())
}

impl From<Read<1>> for TrendShape {
    fn from(read: Read<1>) -> Self {
        let bucket = |bucket: Bucket<1>| {
            let [value] = bucket.figures;
            BucketShape { period: bucket.period, value }
        };
        Self { interval: read.interval, buckets: read.buckets.into_iter().map(bucket).collect(), as_of: read.as_of }
    }
}

impl From<Read<2>> for CreditTrendShape {
    fn from(read: Read<2>) -> Self {
        let bucket = |bucket: Bucket<2>| {
            let [value, spent] = bucket.figures;
            CreditBucketShape { period: bucket.period, value, spent }
        };
        Self { interval: read.interval, buckets: read.buckets.into_iter().map(bucket).collect(), as_of: read.as_of }
    }
}
