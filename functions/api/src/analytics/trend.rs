//! Trends: figures by day, month or year, as JSON, as a CSV table and as an SVG chart.

use purser_charts::columns;
use purser_charts::table::{Row, csv};
use purser_charts::trend::{Bucket, svg};
use purser_domain::analytics::period::{Interval, Month, Period, Year};
use purser_domain::analytics::range::DayRange;
use purser_domain::analytics::{Kind, Scope};
use purser_domain::basic::{Day, ResellerRefid, Time};
use purser_edge::http::negotiation::{Format, Represented};
use purser_edge::prelude::*;

/// Which buckets to show, and whose figures.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TrendQuery {
    /// The length of a bucket; monthly by default. A trend has at most 1,096 daily, 120 monthly or 100 yearly
    /// buckets.
    pub(super) interval: Option<Interval>,
    /// The first day. By default, the trend shows the last 30 days, 12 months or 5 years.
    pub(super) start: Option<Day>,
    /// The last day; today by default. A bucket that lies only partly in the range counts only the part inside.
    pub(super) end: Option<Day>,
    /// Count only what belongs to this reseller. When a reseller calls, only its own is counted.
    #[param(value_type = Option<ResellerRefid>)]
    pub(super) reseller: Option<String>,
}

impl TrendQuery {
    fn range(&self, app: &App) -> Result<DayRange, Problem> {
        let end = super::last_day(app, self.start, self.end);
        let usual = || match self.interval.unwrap_or_default() {
            Interval::Daily => end.minus_days(29),
            // The month or year of `end` counts, too.
            Interval::Monthly => Month::of(end).minus(11).first(),
            Interval::Yearly => Year::of(end).minus(4).first(),
        };
        DayRange::new(self.start.unwrap_or_else(usual), end).map_err(super::unusable)
    }
}

/// A figure by day, month or year: every bucket of the range, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trend)]
pub(super) struct TrendView {
    interval: Interval,
    buckets: Vec<BucketView>,
    /// Everything that happened up to this time is counted; null before the first roll-up.
    #[schema(required = true)]
    as_of: Option<Time>,
}

/// A figure of one day, month or year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bucket)]
pub(super) struct BucketView {
    /// The day, month or year, such as `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// The figure of this period.
    value: i64,
}

/// Credits by day, month or year: every bucket of the range, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditTrend)]
pub(super) struct CreditTrendView {
    interval: Interval,
    buckets: Vec<CreditBucketView>,
    /// Everything that happened up to this time is counted; null before the first roll-up.
    #[schema(required = true)]
    as_of: Option<Time>,
}

/// Credits distributed and spent in one day, month or year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditBucket)]
pub(super) struct CreditBucketView {
    /// The day, month or year, such as `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// Credits that top-ups added to wallets.
    value: i64,
    /// Credits that provisions in the period cost, less those that refunds of any provision returned in it.
    spent: i64,
}

columns!(BucketView: period, value);
columns!(CreditBucketView: period, value, spent);

/// The subject of a trend: what it counts, and its labels in the chart.
pub(super) struct Subject<const SERIES: usize> {
    pub(super) kind: Kind,
    pub(super) title: &'static str,
    /// The metric of each series, and its name in the legend.
    pub(super) series: [(&'static str, &'static str); SERIES],
}

/// A trend as the API answers it, with one or two figures in each row.
pub(super) trait Trend<const SERIES: usize>: Serialize {
    type Row: Row;

    fn row(period: String, figures: [i64; SERIES]) -> Self::Row;
    fn new(interval: Interval, buckets: Vec<Self::Row>, as_of: Option<Time>) -> Self;
}

impl Trend<1> for TrendView {
    type Row = BucketView;

    fn row(period: String, [value]: [i64; 1]) -> BucketView {
        BucketView { period, value }
    }

    fn new(interval: Interval, buckets: Vec<BucketView>, as_of: Option<Time>) -> Self {
        Self { interval, buckets, as_of }
    }
}

impl Trend<2> for CreditTrendView {
    type Row = CreditBucketView;

    fn row(period: String, [value, spent]: [i64; 2]) -> CreditBucketView {
        CreditBucketView { period, value, spent }
    }

    fn new(interval: Interval, buckets: Vec<CreditBucketView>, as_of: Option<Time>) -> Self {
        Self { interval, buckets, as_of }
    }
}

/// Answers a trend in the format that the caller accepts. The figures and `as_of` are read concurrently.
pub(super) async fn answer<T: Trend<SERIES>, const SERIES: usize>(
    app: &App,
    accept: &Accept,
    scope: &Scope,
    query: &TrendQuery,
    subject: &Subject<SERIES>,
) -> Result<Response, Problem> {
    let interval = query.interval.unwrap_or_default();
    let parts = query.range(app)?.parts(interval).map_err(super::unusable)?;
    let periods: Vec<Period> = parts.iter().flat_map(|it| it.cover.clone()).collect();
    let (figures, rollup) = tokio::try_join!(app.store.figures(subject.kind, scope, periods), app.store.rollup())?;
    let buckets = parts.iter().map(|part| {
        let counts = figures.sum(&part.cover);
        Bucket { period: part.period.label(), figures: subject.series.map(|(metric, _)| counts.get(metric)) }
    });
    let rows = buckets.clone().map(|Bucket { period, figures }| T::row(period, figures));
    let chosen = accept.choose(&[Format::Json, Format::Csv, Format::Svg])?;
    let body = match chosen.format {
        Format::Json => purser_edge::http::json::write(&T::new(interval, rows.collect(), rollup.as_of))?,
        Format::Csv => csv(&rows.collect::<Vec<_>>()).map_err(|error| super::not_shown(&error))?,
        Format::Svg => {
            let labels = subject.series.map(|(_, label)| label);
            svg(subject.title, labels, &buckets.collect::<Vec<_>>()).map_err(|error| super::not_shown(&error))?
        }
    };
    Ok(Represented { chosen, body }.into_response())
}
