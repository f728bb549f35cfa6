//! `analytics`: figures, as they were rolled up (rules A11, B13, C6, D5).
//!
//! Invariant: what a query costs depends on the periods that make up its range, and for rankings on the resellers that
//! were active in them; never on how much there is. A reseller's figures are its own: naming another is 404 (rule A8).

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

use crate::Function;
use purser_charts::ChartError;
use purser_domain::Refusal;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::range::{DayRange, RangeError};
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::Day;
use purser_domain::refusal::What;
use purser_edge::{App, Call, Problem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What to answer when figures could not be shown.
fn not_shown(error: &ChartError) -> Problem {
    tracing::error!(%error, "figures could not be shown");
    Problem::internal()
}

/// The functions of this room.
pub const FUNCTIONS: &[Function] = &[
    Function::http("analytics", routes),
    Function::http("check-figures", check::routes),
    Function::http("rebuild-figures", rebuild::routes),
];

/// The routes of this function.
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

/// Whose figures.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScopeQuery {
    /// Only this reseller's; for a reseller always its own.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
}

/// Whose figures, and of when.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RangeQuery {
    /// The first day; from the first there is unless given.
    start: Option<Day>,
    /// The last day; up to today unless given.
    end: Option<Day>,
    /// Only this reseller's; for a reseller always its own.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
}

impl RangeQuery {
    /// The periods that make up the range: always, unless a day is given.
    fn periods(&self, app: &App) -> Result<Vec<Period>, Problem> {
        if self.start.is_none() && self.end.is_none() {
            return Ok(vec![Period::All]);
        }
        let start = self.start.unwrap_or(Day::FIRST);
        let end = last_day(app, self.start, self.end);
        Ok(DayRange::new(start, end).map_err(unusable)?.cover())
    }
}

/// The last day of a range: today, unless another is given, or it begins later.
fn last_day(app: &App, start: Option<Day>, end: Option<Day>) -> Day {
    let today = app.clock.now().day();
    end.unwrap_or_else(|| start.map_or(today, |start| start.max(today)))
}

/// 400: a range that can't be asked for.
fn unusable(error: RangeError) -> Problem {
    Problem::malformed(format!("The query is not valid: {error}."))
}

/// The scope that a caller asks for: of everybody, of the reseller that an operator names, or of itself.
async fn scope(app: &App, call: &Call, named: Option<&str>) -> Result<Scope, Problem> {
    let unknown = Refusal::NotFound(What::Reseller);
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

/// A figure that counts things.
pub(crate) fn count(figure: i64) -> u64 {
    u64::try_from(figure).unwrap_or(0)
}

/// What things of `kind` made in the range of a query add up to.
async fn sum(app: &App, call: &Call, kind: Kind, query: &RangeQuery) -> Result<Counts, Problem> {
    let scope = scope(app, call, query.reseller.as_deref()).await?;
    let periods = query.periods(app)?;
    let figures = app.store.figures(kind, &scope, periods.clone()).await?;
    Ok(figures.sum(&periods))
}
