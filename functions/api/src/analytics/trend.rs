//! Trends: figures by day, month or year, as JSON, as a table and as a picture.

use axum::response::{IntoResponse, Response};
use purser_charts::columns;
use purser_charts::table::{Row, csv};
use purser_charts::trend::{Bucket, svg};
use purser_domain::analytics::period::{Interval, Month, Period, Year};
use purser_domain::analytics::range::DayRange;
use purser_domain::analytics::{Kind, Scope};
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::{Day, Time};
use purser_edge::http::negotiation::{Accept, Format, Represented};
use purser_edge::{App, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which buckets, and whose figures.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TrendQuery {
    /// How long the buckets are; monthly unless given. A daily trend has at most 1,096 of them, a monthly one 120, a
    /// yearly one 100.
    pub(super) interval: Option<Interval>,
    /// The first day. Unless given, there are the last 30 days, 12 months or 5 years.
    pub(super) start: Option<Day>,
    /// The last day; today unless given. Buckets that the range cuts count only what is in it.
    pub(super) end: Option<Day>,
    /// Only this reseller's; for a reseller always its own.
    #[param(value_type = Option<ResellerRefid>)]
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
pub(super) struct TrendView {
    interval: Interval,
    buckets: Vec<BucketView>,
    /// Everything that happened up to then is counted; null before anything was.
    #[schema(required = true)]
    as_of: Option<Time>,
}

/// One bucket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bucket)]
pub(super) struct BucketView {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// The figure.
    value: i64,
}

/// Credits by day, month or year: every bucket of the range, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditTrend)]
pub(super) struct CreditTrendView {
    interval: Interval,
    buckets: Vec<CreditBucketView>,
    /// Everything that happened up to then is counted; null before anything was.
    #[schema(required = true)]
    as_of: Option<Time>,
}

/// One bucket of credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditBucket)]
pub(super) struct CreditBucketView {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    period: String,
    /// Credits added by top-ups.
    value: i64,
    /// Credits that purchases cost, less those that refunds of any purchase returned.
    spent: i64,
}

columns!(BucketView: period, value);
columns!(CreditBucketView: period, value, spent);

/// What a trend is about.
pub(super) struct Subject<const SERIES: usize> {
    /// The things that are counted.
    pub(super) kind: Kind,
    /// What it is called, for people.
    pub(super) title: &'static str,
    /// Of each figure the metric, and what it is called in the legend.
    pub(super) series: [(&'static str, &'static str); SERIES],
}

/// A trend as it is answered, in rows of one figure or two.
pub(super) trait Trend<const SERIES: usize>: Serialize {
    /// A bucket as it is answered.
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

/// Answers a trend in the format that is asked for. Its buckets are read side by side with how far they are counted.
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
    let format = accept.choose(&[Format::Json, Format::Csv, Format::Svg])?;
    let body = match format {
        Format::Json => purser_edge::http::json::write(&T::new(interval, rows.collect(), rollup.as_of))?,
        Format::Csv => csv(&rows.collect::<Vec<_>>()).map_err(|error| super::not_shown(&error))?,
        Format::Svg => {
            let labels = subject.series.map(|(_, label)| label);
            svg(subject.title, labels, &buckets.collect::<Vec<_>>()).map_err(|error| super::not_shown(&error))?
        }
    };
    Ok(Represented { format, body }.into_response())
}
