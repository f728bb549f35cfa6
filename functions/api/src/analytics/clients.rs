//! Figures of clients: created over time, by status, and by the reseller that they belong to (rule A11).

use purser_charts::columns;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Kind, Scope, metric};
use purser_domain::basic::ResellerRefid;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;
use purser_store::analytics::Ranked;

use super::ranking::{self, TopQuery};
use super::trend::{Subject, TrendQuery, TrendView};
use super::{RangeQuery, count, scope, trend};

/// Clients by the day, month or year in which they were created
#[utoipa::path(
    get, path = "/v1/analytics/clients/signups", tag = "analytics", params(TrendQuery),
    responses(
        (status = 200, content(
            (TrendView = "application/json"), (String = "text/csv"), (String = "image/svg+xml")
        )),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn signups(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<TrendQuery>>,
) -> Result<Response, Problem> {
    let scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let subject = Subject { kind: Kind::Client, title: "New clients", series: [(metric::CLIENTS, "Clients")] };
    trend::answer::<TrendView, 1>(&app, &accept, &scope, &query, &subject).await
}

/// How many clients are in each status.
#[derive(Debug, Serialize, ToSchema)]
struct ClientStatuses {
    active: u64,
    pending: u64,
    suspended: u64,
    inactive: u64,
}

/// Clients created in the range, by the status they are in now
#[utoipa::path(
    get, path = "/v1/analytics/clients/status", tag = "analytics", params(RangeQuery),
    responses((status = 200, body = ClientStatuses), Refused<NotFound>)
)]
pub(super) async fn status(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<RangeQuery>>,
) -> Result<Response, Problem> {
    let counts = super::sum(&app, &call, Kind::Client, &query).await?;
    ok(&ClientStatuses {
        active: count(counts.get(metric::ACTIVE)),
        pending: count(counts.get(metric::PENDING)),
        suspended: count(counts.get(metric::SUSPENDED)),
        inactive: count(counts.get(metric::INACTIVE)),
    })
}

/// How many clients were created.
#[derive(Debug, Serialize, ToSchema)]
struct Growth {
    /// Clients created in the range.
    count: u64,
}

/// How many clients were created in the range
#[utoipa::path(
    get, path = "/v1/analytics/clients/growth", tag = "analytics", params(RangeQuery),
    responses((status = 200, body = Growth), Refused<NotFound>)
)]
pub(super) async fn growth(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<RangeQuery>>,
) -> Result<Response, Problem> {
    let counts = super::sum(&app, &call, Kind::Client, &query).await?;
    ok(&Growth { count: count(counts.get(metric::CLIENTS)) })
}

/// Clients without a reseller, and clients of resellers.
#[derive(Debug, Serialize, ToSchema)]
struct Segmentation {
    standalone: Segment,
    resold: Segment,
}

/// One of the groups that clients are divided into.
#[derive(Debug, Serialize, ToSchema)]
struct Segment {
    count: u64,
    /// The group's share of all clients, rounded half up to two decimal places; 0 if there are no clients. Each group
    /// is rounded separately, so the sum may differ from 100.
    percentage: f64,
}

impl Segment {
    fn of(part: i64, whole: i64) -> Self {
        Self { count: count(part), percentage: f64::from(hundredths(part, whole)) / 100.0 }
    }
}

/// `part` in hundredths of a percent of `whole`, rounded half up. Both must be at least 0.
fn hundredths(part: i64, whole: i64) -> u32 {
    let (part, whole) = (i128::from(part), i128::from(whole));
    let twice = (part * 20_000 + whole).checked_div(2 * whole);
    twice.and_then(|it| u32::try_from(it).ok()).unwrap_or(0)
}

/// Clients created in the range: standalone clients, and clients of resellers
#[utoipa::path(
    get, path = "/v1/analytics/clients/segmentation", tag = "analytics", params(RangeQuery),
    responses((status = 200, body = Segmentation), Refused<NotFound>)
)]
pub(super) async fn segmentation(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<RangeQuery>>,
) -> Result<Response, Problem> {
    let counts = super::sum(&app, &call, Kind::Client, &query).await?;
    let whole = counts.get(metric::CLIENTS);
    ok(&Segmentation {
        standalone: Segment::of(counts.get(metric::STANDALONE), whole),
        resold: Segment::of(counts.get(metric::RESOLD), whole),
    })
}

/// Resellers, the one with most clients first.
#[derive(Debug, Serialize, ToSchema)]
struct TopOwners {
    data: Vec<TopOwner>,
}

/// A reseller and the number of its clients.
#[derive(Debug, Serialize, ToSchema)]
struct TopOwner {
    reseller: ResellerRefid,
    /// The name of the reseller's company.
    company: String,
    /// How many of the reseller's clients were created in the range.
    clients: u64,
}

columns!(TopOwner: reseller, company, clients);

/// Resellers by how many of their clients were created in the range
#[utoipa::path(
    get, path = "/v1/analytics/clients/top-owners", tag = "analytics", params(TopQuery),
    responses(
        (status = 200, content((TopOwners = "application/json"), (String = "text/csv"))),
        Refused<(NotFound, NotAcceptable)>,
    )
)]
pub(super) async fn top_owners(
    State(app): State<App>,
    accept: Accept,
    Input(call, (), Params(query), ..): Input<Call, (), Params<TopQuery>>,
) -> Result<Response, Problem> {
    let scope: Scope = scope(&app, &call, query.reseller.as_deref()).await?;
    let periods: Vec<Period> = query.periods(&app)?;
    let owners: Ranked = ranking::read(&app, Kind::Client, &scope, &periods).await?;
    let owned = owners.into_iter().map(|(reseller, counts)| {
        let clients = counts.get(metric::CLIENTS);
        (reseller, [clients, 0])
    });
    let top = ranking::top(&app, owned, query.limit.unwrap_or_default().get()).await?;
    let data: Vec<TopOwner> = top
        .into_iter()
        .map(|(reseller, [clients, _])| TopOwner {
            reseller: reseller.refid,
            company: reseller.company_name.to_string(),
            clients: count(clients),
        })
        .collect();
    ranking::answer(&accept, &data)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn percentages_are_rounded_half_up_to_two_places() {
        for (part, whole, hundredth) in [
            (50, 150, 3333),
            (100, 150, 6667),
            (0, 0, 0),
            (0, 7, 0),
            (7, 7, 10_000),
            (1, 3, 3333),
            (2, 3, 6667),
            // Exact halves: 0.005 % and 99.995 %.
            (1, 20_000, 1),
            (19_999, 20_000, 10_000),
            (1, 20_001, 0),
            (i64::MAX, i64::MAX, 10_000),
        ] {
            assert_eq!(hundredths(part, whole), hundredth, "{part} of {whole}");
        }
    }
}
