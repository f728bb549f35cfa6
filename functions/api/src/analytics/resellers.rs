//! Figures of resellers: the ones that won most clients, how many are in each tier, and one reseller's statistics
//! (rule B13).

use std::collections::BTreeMap;

use purser_charts::columns;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Kind, Scope, metric};
use purser_domain::basic::ResellerRefid;
use purser_domain::money::{Credits, Tier};
use purser_domain::parties::Reseller;
use purser_edge::caller::input::OwnReseller;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;
use purser_store::StoreError;

use super::ranking::{self, TopQuery};
use super::{count, scope};

/// Resellers, the one that won most clients first.
#[derive(Debug, Serialize, ToSchema)]
struct TopResellers {
    data: Vec<TopReseller>,
}

/// A reseller, with the clients it won and the credits it spent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TopReseller {
    reseller: ResellerRefid,
    /// The name of the reseller's company.
    company: String,
    tier: Tier,
    /// How many of the reseller's clients were created in the range.
    acquisitions: u64,
    /// Credits that the reseller's provisions in the range cost, less those that refunds in the range returned.
    spent: i64,
}

columns!(TopReseller: reseller, company, tier, acquisitions, spent);

impl From<&(Reseller, [i64; 2])> for TopReseller {
    fn from((reseller, [acquisitions, spent]): &(Reseller, [i64; 2])) -> Self {
        Self {
            reseller: reseller.refid.clone(),
            company: reseller.company_name.to_string(),
            tier: reseller.tier,
            acquisitions: count(*acquisitions),
            spent: *spent,
        }
    }
}

/// Resellers by the clients they won in the range, then by the credits they spent in it
#[utoipa::path(
    get, path = "/v1/analytics/resellers/top", tag = "analytics", params(TopQuery),
    responses(
        (status = 200, content((TopResellers = "application/json"), (String = "text/csv"))),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn top(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<TopQuery>>,
) -> Result<Response, Problem> {
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let periods = query.periods(&app)?;
    let figures = achievements(&app, &scope, &periods).await?;
    let top = ranking::top(&app, figures, query.limit.unwrap_or_default().get()).await?;
    let data: Vec<TopReseller> = top.iter().map(TopReseller::from).collect();
    ranking::answer(&accept, &data)
}

/// The clients won and the credits spent by each reseller in the scope, in these periods.
pub(super) async fn achievements(
    app: &App,
    scope: &Scope,
    periods: &[Period],
) -> Result<BTreeMap<ResellerRefid, [i64; 2]>, StoreError> {
    let (won, spent) = tokio::try_join!(
        ranking::read(app, Kind::Client, scope, periods),
        ranking::read(app, Kind::Entry, scope, periods)
    )?;
    let mut figures: BTreeMap<ResellerRefid, [i64; 2]> = BTreeMap::new();
    for (reseller, counts) in won {
        let [acquisitions, _] = figures.entry(reseller).or_default();
        *acquisitions = counts.get(metric::CLIENTS);
    }
    for (reseller, counts) in spent {
        let [_, spent] = figures.entry(reseller).or_default();
        *spent = counts.get(metric::SPENT);
    }
    Ok(figures)
}

/// How many resellers are in each tier.
#[derive(Debug, Serialize, ToSchema)]
struct Tiers {
    platinum: u64,
    gold: u64,
    standard: u64,
}

/// How many resellers are in each tier now, except those that wait for approval
#[utoipa::path(
    get, path = "/v1/analytics/resellers/tiers", tag = "analytics",
    responses((status = 200, body = Tiers), Refused<Forbidden>)
)]
pub(super) async fn tiers(State(app): State<App>, Input(_call, ..): Input<Operator>) -> Result<Response, Problem> {
    let figures = app.store.figures(Kind::Reseller, &Scope::All, [Period::All]).await?;
    let counts = figures.sum(&[Period::All]);
    let in_tier = |tier: Tier| count(counts.get(&format!("{}{}", metric::IN_TIER, tier.into_str())));
    ok(&Tiers { platinum: in_tier(Tier::Platinum), gold: in_tier(Tier::Gold), standard: in_tier(Tier::Standard) })
}

/// The statistics of a reseller.
#[derive(Debug, Serialize, ToSchema)]
struct ResellerStats {
    /// The reseller's current balance.
    balance: Credits,
    /// The reseller's current tier.
    tier: Tier,
    /// Credits that the reseller's provisions cost, less those that refunds returned.
    spent: i64,
    /// How many clients the reseller has. Clients deleted while they belonged to it are included.
    clients: u64,
    /// How many licences that the reseller sold are active.
    active_licences: u64,
}

/// Show the statistics of a reseller
#[utoipa::path(
    get, path = "/v1/analytics/resellers/{refid}/stats", tag = "analytics",
    params(("refid" = ResellerRefid, Path)), responses((status = 200, body = ResellerStats))
)]
pub(super) async fn stats(
    State(app): State<App>,
    Input(_call, OwnReseller(reseller), ..): Input<Call, OwnReseller>,
) -> Result<Response, Problem> {
    let scope = Scope::Reseller(reseller.clone());
    let always = [Period::All];
    let (wallet, entries, clients, licences) = tokio::try_join!(
        app.store.wallet(&reseller),
        app.store.figures(Kind::Entry, &scope, always),
        app.store.figures(Kind::Client, &scope, always),
        app.store.figures(Kind::Licence, &scope, always)
    )?;
    let wallet = wallet.ok_or(Refusal::NotFound(ResourceKind::Reseller))?;
    ok(&ResellerStats {
        balance: wallet.balance,
        tier: wallet.tier,
        spent: entries.sum(&always).get(metric::SPENT),
        clients: count(clients.sum(&always).get(metric::CLIENTS)),
        active_licences: count(licences.sum(&always).get(metric::ACTIVE_LICENCES)),
    })
}
