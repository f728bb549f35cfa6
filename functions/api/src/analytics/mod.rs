//! `analytics`: answers from figures that were rolled up (rules A11, B13, C6, D5).
//!
//! Invariant: the cost of a query depends on the periods that make up its range and, for rankings, on the resellers
//! that were active in them; never on how many clients, licences or entries there are. A reseller sees only its own
//! figures: if it names another reseller, the answer is 404 (rule A8).

pub mod check;
mod clients;
mod credits;
mod customers;
mod licences;
mod ranking;
pub mod rebuild;
mod recount;
pub mod report;
mod resellers;
mod trend;

use purser_charts::ChartError;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::range::{DayRange, RangeError};
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::basic::{Day, ResellerRefid};
use purser_edge::prelude::*;
use purser_store::engine::secrets::Purpose::Passes;

use crate::Function;

/// 500: a table or chart could not be written, which is Purser's fault.
fn not_shown(error: &ChartError) -> Problem {
    tracing::error!(%error, "figures could not be shown");
    Problem::internal()
}

pub const FUNCTIONS: &[Function] = &[
    Function::http("analytics", routes).with(&[Passes]),
    Function::http("check-figures", check::routes).with(&[Passes]),
    Function::http("rebuild-figures", rebuild::routes).with(&[Passes]),
];

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(clients::signups))
        .routes(routes!(clients::status))
        .routes(routes!(clients::growth))
        .routes(routes!(clients::segmentation))
        .routes(routes!(clients::top_owners))
        .routes(routes!(credits::trends))
        .routes(routes!(credits::outstanding))
        .routes(routes!(resellers::top))
        .routes(routes!(resellers::tiers))
        .routes(routes!(resellers::stats))
        .routes(routes!(report::partner_report))
        .routes(routes!(licences::minted))
        .routes(routes!(licences::popularity))
        .routes(routes!(customers::top_customers))
}

/// Whose figures to show.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScopeQuery {
    /// Count only what belongs to this reseller. When a reseller calls, only its own is counted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
}

/// Whose figures to show, and of which days.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RangeQuery {
    /// The first day. By default, there is no limit.
    start: Option<Day>,
    /// The last day; today by default.
    end: Option<Day>,
    /// Count only what belongs to this reseller. When a reseller calls, only its own is counted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
}

impl RangeQuery {
    /// The periods that make up the range. Without a day, the range is all time.
    fn periods(&self, app: &App) -> Result<Vec<Period>, Problem> {
        if self.start.is_none() && self.end.is_none() {
            return Ok(vec![Period::All]);
        }
        let start = self.start.unwrap_or(Day::FIRST);
        let end = last_day(app, self.start, self.end);
        Ok(DayRange::new(start, end).map_err(unusable)?.cover())
    }
}

/// The last day of a range. By default it is today, or `start` if that is later.
fn last_day(app: &App, start: Option<Day>, end: Option<Day>) -> Day {
    let today = app.clock.now().day();
    end.unwrap_or_else(|| start.map_or(today, |start| start.max(today)))
}

/// 400: the range is not allowed.
fn unusable(error: RangeError) -> Problem {
    Problem::malformed(format!("The query is not valid: {error}."))
}

/// The scope of a query: everybody, the reseller that an operator names, or the calling reseller.
async fn scope(app: &App, call: &Call, named: Option<&str>) -> Result<Scope, Problem> {
    let unknown = Refusal::NotFound(ResourceKind::Reseller);
    let named = match named {
        Some(text) => Some(ResellerRefid::parse(text).ok_or(unknown.clone())?),
        None => None,
    };
    let operates = call.caller.must_operate().is_ok();
    if let Some(reseller) = named.as_ref().filter(|_| operates) {
        app.store.wallet(reseller).await?.ok_or(unknown)?;
    }
    let reseller = call.caller.reseller(named)?;
    Ok(Scope::of(reseller.as_ref()))
}

/// A figure as a count. Counts are never negative; a negative figure is shown as 0.
pub(crate) fn count(figure: i64) -> u64 {
    u64::try_from(figure).unwrap_or(0)
}

async fn sum(app: &App, call: &Call, kind: Kind, query: &RangeQuery) -> Result<Counts, Problem> {
    let scope = scope(app, call, query.reseller.as_deref()).await?;
    let periods = query.periods(app)?;
    let figures = app.store.figures(kind, &scope, periods.clone()).await?;
    Ok(figures.sum(&periods))
}
