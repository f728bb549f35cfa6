//! `licence-activations`: who uses a licence, for whoever sold it (rule C4).
//!
//! Invariant: a reseller sees and ends the installations of the licences that it sold, and no others.

use std::net::IpAddr;

use http::StatusCode;
use purser_domain::basic::{ActivationRefid, LicenceRefid, Time};
use purser_domain::licences::{Activation, ActivationStatus, Domain, EndReason, Fingerprint, Lease};
use purser_edge::caller::input::Within;
use purser_edge::http::answer::{List, position};
use purser_edge::prelude::*;
use purser_store::engine::Paging;
use purser_store::licences::licence::ShownLicence;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_activations)).routes(routes!(end_activation))
}

/// An installation that holds a seat of a licence, or held one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activation)]
struct ActivationView {
    refid: ActivationRefid,
    licence: LicenceRefid,
    /// The name that the program gave itself; null once its owner was deleted.
    #[schema(required = true)]
    fingerprint: Option<Fingerprint>,
    /// The domain that it named when it took the seat, or asked for it again.
    #[schema(required = true)]
    domain: Option<Domain>,
    /// The network address that it asked from then.
    #[schema(required = true, value_type = Option<String>)]
    ip: Option<IpAddr>,
    activated_at: Time,
    last_seen_at: Time,
    status: ActivationStatus,
    /// When it lost its seat.
    #[schema(required = true)]
    ended_at: Option<Time>,
    /// How it lost its seat.
    #[schema(required = true)]
    ended_by: Option<EndReason>,
}

impl ActivationView {
    fn new(it: &Activation, lease: Option<Lease>, now: Time) -> Self {
        Self {
            refid: it.refid.clone(),
            licence: it.licence.clone(),
            fingerprint: it.fingerprint.clone(),
            domain: it.domain.clone(),
            ip: it.address,
            activated_at: it.created_at,
            last_seen_at: it.last_seen_at,
            status: it.status_at(lease, now),
            ended_at: it.ended.map(|ended| ended.at),
            ended_by: it.ended.map(|ended| ended.why),
        }
    }
}

/// Paging of the list of activations.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActivationQuery {
    /// The order by time of activation: `desc`, newest first, if omitted.
    #[param(inline)]
    order: Option<Order>,
    /// Instead of those that hold a seat, those that lost one within the last 90 days, each as it lost the last one.
    ended: Option<bool>,
    /// The `next_cursor` of the previous page; the first page if omitted.
    cursor: Option<String>,
    /// The maximum number of items on the page; 25 if omitted.
    limit: Option<Limit>,
}

type ActivationList = List<ActivationView>;

/// List the installations of a licence
#[utoipa::path(
    get, path = "/v1/licences/{refid}/activations", tag = "activations",
    params(("refid" = LicenceRefid, Path), ActivationQuery), responses((status = 200, body = ActivationList))
)]
async fn list_activations(
    State(app): State<App>,
    Input(call, Found(found), Params(query), ..): Input<Call, Found<ShownLicence>, Params<ActivationQuery>>,
) -> Result<Response, Problem> {
    let (licence, lease) = (&found.licence.refid, found.licence.grants.lease);
    let scope = call.cursor_scope(&(query.order, query.ended));
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let paging = Paging { limit: query.limit.unwrap_or_default().get(), position, order: query.order.map(Into::into) };
    let page = app.store.activations(licence, query.ended.unwrap_or_default(), paging).await?;
    List::answer(&app, &scope, page, |it| ActivationView::new(it, lease, call.now))
}

/// Take the seat of an installation back
#[utoipa::path(
    delete, path = "/v1/licences/{refid}/activations/{activation}", tag = "activations",
    params(("refid" = LicenceRefid, Path), ("activation" = ActivationRefid, Path)),
    responses((status = 204, description = "The seat is free, since now or since before."))
)]
async fn end_activation(
    State(app): State<App>,
    Input(call, Within(found, activation), ..): Input<Call, Within<ShownLicence, ActivationRefid>>,
) -> Result<Response, Problem> {
    let ended = app.store.unseat(&found.licence.refid, &activation, EndReason::Vendor, &call.request()).await?;
    ended.ok_or(Refusal::NotFound(ResourceKind::Activation))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
