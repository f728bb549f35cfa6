//! The monthly partner report: the leading resellers, those to offer a higher tier, and the credits owed (rule E2).

use purser_charts::trend::Bucket;
use purser_domain::analytics::period::{Month, Period};
use purser_domain::analytics::{Kind, Scope, metric};
use purser_domain::basic::{Day, ResellerRefid};
use purser_domain::money::{Credits, Tier};
use purser_domain::parties::Reseller;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;
use purser_store::StoreError;

use super::resellers::{TopReseller, achievements};
use super::{count, ranking};

const LEADERS: usize = 10;
/// A reseller that wins more clients than this in a month should be in a higher tier (rule E2).
const ENOUGH: i64 = 100;
const MONTHS: i32 = 12;

/// How resellers did in a month.
#[derive(Debug)]
pub struct Report {
    pub month: Month,
    /// The resellers that won most clients, best first. The numbers are clients won and credits spent.
    pub leaders: Vec<(Reseller, [i64; 2])>,
    /// The resellers that should be offered a higher tier, with the clients they won and the tier to offer.
    pub suggestions: Vec<(Reseller, i64, Tier)>,
    /// The sum of all balances.
    pub liability: i64,
    /// Credits distributed and spent in each of the twelve months up to `month`.
    pub trend: Vec<Bucket<2>>,
}

impl Report {
    pub async fn on(app: &App, month: Month) -> Result<Self, StoreError> {
        let achieved = achievements(app, &Scope::All, &[Period::Month(month)]).await?;
        let suggestions = suggestions(app, achieved.iter()).await?;
        let leaders = ranking::top(app, achieved, LEADERS).await?;
        let mut months: Vec<Month> = (0..MONTHS).rev().map(|back| month.minus(back)).collect();
        // `Month::minus` stops at the earliest month, which may therefore appear several times.
        months.dedup();
        let periods = months.iter().map(|month| Period::Month(*month));
        let periods: Vec<Period> = periods.chain([Period::All]).collect();
        let figures = app.store.figures(Kind::Entry, &Scope::All, periods.clone()).await?;
        let bucket = |month: &Month| {
            let counts = figures.sum(&[Period::Month(*month)]);
            Bucket { period: month.to_string(), figures: [counts.get(metric::DISTRIBUTED), counts.get(metric::SPENT)] }
        };
        Ok(Self {
            month,
            leaders,
            suggestions,
            liability: figures.sum(&[Period::All]).get(metric::OUTSTANDING),
            trend: months.iter().map(bucket).collect(),
        })
    }

    pub fn credits(&self) -> Credits {
        Credits::new(count(self.liability))
    }
}

/// The resellers that won enough clients for a higher tier, best first. Those in the highest tier are left out.
async fn suggestions(
    app: &App,
    achieved: impl Iterator<Item = (&ResellerRefid, &[i64; 2])>,
) -> Result<Vec<(Reseller, i64, Tier)>, StoreError> {
    let enough = achieved.filter(|(_, [acquisitions, _])| *acquisitions > ENOUGH);
    let mut enough: Vec<(ResellerRefid, i64)> =
        enough.map(|(reseller, [acquisitions, _])| (reseller.clone(), *acquisitions)).collect();
    enough.sort_by_key(|(_, acquisitions)| std::cmp::Reverse(*acquisitions));
    let refids: Vec<ResellerRefid> = enough.iter().map(|(refid, _)| refid.clone()).collect();
    let mut known = app.store.resellers_named(&refids).await?;
    let suggested = enough.into_iter().filter_map(|(refid, acquisitions)| {
        let reseller = known.remove(&refid)?;
        let above = reseller.tier.above()?;
        Some((reseller, acquisitions, above))
    });
    Ok(suggested.collect())
}

/// Which month to report.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// Any day of the month. By default, last month is reported.
    day: Option<Day>,
}

/// How resellers did in a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartnerReport)]
struct ReportView {
    /// The month, such as `2023-01`.
    month: String,
    /// The resellers that won most clients, best first; at most ten.
    leaders: Vec<TopReseller>,
    /// The resellers that won more than 100 clients and are not in the highest tier.
    suggestions: Vec<SuggestionView>,
    /// The sum of the credits in all wallets.
    liability: i64,
}

/// A reseller that should be offered a higher tier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TierSuggestion)]
struct SuggestionView {
    reseller: ResellerRefid,
    /// The name of the reseller's company.
    company: String,
    tier: Tier,
    /// How many clients the reseller won in the month.
    acquisitions: u64,
    /// The tier to offer.
    suggested: Tier,
}

/// The partner report of a month: leading resellers, suggested tiers, and credits owed
#[utoipa::path(
    get, path = "/v1/analytics/reports/partners", tag = "analytics", params(ReportQuery),
    responses((status = 200, body = ReportView), Refused<Forbidden>)
)]
pub(super) async fn partner_report(
    State(app): State<App>,
    Input(_call, (), Params(query), ..): Input<Operator, (), Params<ReportQuery>>,
) -> Result<Response, Problem> {
    let last = || Month::of(app.clock.now().day()).minus(1);
    let report = Report::on(&app, query.day.map_or_else(last, Month::of)).await?;
    let suggestion = |(reseller, acquisitions, suggested): &(Reseller, i64, Tier)| SuggestionView {
        reseller: reseller.refid.clone(),
        company: reseller.company_name.to_string(),
        tier: reseller.tier,
        acquisitions: count(*acquisitions),
        suggested: *suggested,
    };
    ok(&ReportView {
        month: report.month.to_string(),
        leaders: report.leaders.iter().map(TopReseller::from).collect(),
        suggestions: report.suggestions.iter().map(suggestion).collect(),
        liability: report.liability,
    })
}
