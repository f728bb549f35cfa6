//! The month's partner report: who leads, who should be offered a higher tier, what the network is owed (rule E2).

use axum::extract::State;
use axum::response::Response;
use purser_charts::trend::Bucket;
use purser_domain::analytics::period::{Month, Period};
use purser_domain::analytics::{Kind, Scope, metric};
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::Day;
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::Tier;
use purser_domain::parties::reseller::Reseller;
use purser_edge::caller::input::Operator;
use purser_edge::http::answer::ok;
use purser_edge::http::extract::Params;
use purser_edge::http::problem::refusals::{Forbidden, Refused};
use purser_edge::{App, Input, Problem};
use purser_store::StoreError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::resellers::{TopReseller, achievements};
use super::{count, ranking};

/// How many leaders are named.
const LEADERS: usize = 10;
/// Who wins more clients in a month should be in a higher tier (rule E2).
const ENOUGH: i64 = 100;
/// How many months the trend has.
const MONTHS: i32 = 12;

/// How the partners did in a month.
#[derive(Debug)]
pub struct Report {
    /// The month.
    pub month: Month,
    /// Who won most clients, with how many, and the credits it spent.
    pub leaders: Vec<(Reseller, [i64; 2])>,
    /// Who should be offered which tier, with the clients it won.
    pub suggestions: Vec<(Reseller, i64, Tier)>,
    /// What all wallets hold.
    pub liability: i64,
    /// Credits distributed and spent in each of the last twelve months.
    pub trend: Vec<Bucket<2>>,
}

impl Report {
    /// The report on a month, as it was rolled up.
    pub async fn on(app: &App, month: Month) -> Result<Self, StoreError> {
        let achieved = achievements(app, &Scope::All, &[Period::Month(month)]).await?;
        let suggestions = suggestions(app, achieved.iter()).await?;
        let leaders = ranking::top(app, achieved, LEADERS).await?;
        let mut months: Vec<Month> = (0..MONTHS).rev().map(|back| month.minus(back)).collect();
        // Before the first month there is none.
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

    /// What all wallets hold; no sum of balances is less than nothing.
    pub fn credits(&self) -> Credits {
        Credits::new(count(self.liability))
    }
}

/// Who won so many clients that it should be in a higher tier, best first.
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

/// Which month.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// Any day of the month; last month unless given.
    day: Option<Day>,
}

/// How the partners did in a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartnerReport)]
struct ReportView {
    /// The month: `2023-01`.
    month: String,
    /// Who won most clients, best first, ten at most.
    leaders: Vec<TopReseller>,
    /// Who won more than 100 clients and is not in the highest tier.
    suggestions: Vec<SuggestionView>,
    /// The credits in all wallets together.
    liability: i64,
}

/// A reseller that should be offered a higher tier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TierSuggestion)]
struct SuggestionView {
    reseller: ResellerRefid,
    /// Its name.
    company: String,
    tier: Tier,
    /// The clients it won in the month.
    acquisitions: u64,
    /// The tier to offer.
    suggested: Tier,
}

/// Who leads, who should be offered a higher tier, and what the network is owed
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
