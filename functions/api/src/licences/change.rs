//! `change-licence`: the status, the terms, the notes and the owner of a licence (rules C1, C2).
//!
//! Invariant: a reseller changes what it sold: comments, metadata, status and, among its own clients, the owner. Terms
//! are the operator's.

use purser_domain::basic::{ClientRefid, LicenceRefid, Time};
use purser_domain::licences::{
    Comments, DomainRule, Feature, GrantsChange, IpRange, Lease, Licence, LicenceChange, NotesChange, ParallelUses,
    Step, Suspender, Term, TermsKind,
};
use purser_domain::parties::{Client, Metadata};
use purser_domain::people::Role;
use purser_edge::http::json::present;
use purser_edge::prelude::*;
use purser_store::licences::licence::ShownLicence;
use purser_store::licences::life::Changes;
use serde_json::{Map, Value};

use crate::clients::body::check_merge;
use crate::licences::body::{Domains, Features, IpRanges};
use crate::licences::view::LicenceView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(change_licence))
        .routes(routes!(activate_licence))
        .routes(routes!(suspend_licence))
        .routes(routes!(reinstate_licence))
        .routes(routes!(revoke_licence))
        .routes(routes!(transfer_licence))
}

/// The members to change; a member that is left out keeps its value. A reseller may change comments and metadata.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"comments": "Replaces a key of the old shop"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeLicence {
    /// Null removes the comments.
    #[schema(value_type = Option<Comments>)]
    #[serde(default, deserialize_with = "present")]
    comments: Option<Option<Comments>>,
    /// A JSON merge patch (RFC 7396) for the existing metadata: null removes a key.
    #[schema(value_type = Metadata)]
    #[serde(default, deserialize_with = "present")]
    metadata: Option<Map<String, Value>>,
    #[schema(value_type = TermsKind)]
    #[serde(default, deserialize_with = "present")]
    kind: Option<TermsKind>,
    /// How long one term lasts, from the next renewal on, or from the activation of a pending licence. Null removes it.
    #[schema(value_type = Option<Term>)]
    #[serde(default, deserialize_with = "present")]
    term: Option<Option<Term>>,
    /// When the licence expires, whatever terms were bought; null: never.
    #[schema(value_type = Option<Time>)]
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<Time>>,
    /// Null covers every version as long as the licence is valid.
    #[schema(value_type = Option<Time>)]
    #[serde(default, deserialize_with = "present")]
    updates_until: Option<Option<Time>>,
    #[schema(value_type = Option<Time>)]
    #[serde(default, deserialize_with = "present")]
    support_until: Option<Option<Time>>,
    /// Null removes the limit.
    #[schema(value_type = Option<ParallelUses>)]
    #[serde(default, deserialize_with = "present")]
    parallel_uses: Option<Option<ParallelUses>>,
    /// Null: an installation never lapses.
    #[schema(value_type = Option<Lease>)]
    #[serde(default, deserialize_with = "present")]
    lease: Option<Option<Lease>>,
    #[schema(value_type = Vec<Feature>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    features: Option<Features>,
    #[schema(value_type = Vec<DomainRule>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    domains: Option<Domains>,
    #[schema(value_type = Vec<IpRange>, max_items = 32)]
    #[serde(default, deserialize_with = "present")]
    ip_ranges: Option<IpRanges>,
}

impl ChangeLicence {
    fn terms(&self) -> LicenceChange {
        LicenceChange {
            expires_at: self.expires_at,
            kind: self.kind,
            term: self.term,
            parallel_uses: self.parallel_uses,
            grants: GrantsChange {
                lease: self.lease,
                features: self.features.clone().map(Vec::from),
                domains: self.domains.clone().map(Vec::from),
                ip_ranges: self.ip_ranges.clone().map(Vec::from),
                ..GrantsChange::default()
            },
            updates_until: self.updates_until,
            support_until: self.support_until,
        }
    }
}

/// Change a licence
#[utoipa::path(
    patch, path = "/v1/licences/{refid}", tag = "licences", request_body = ChangeLicence,
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<(Forbidden, SensitiveMetadata, MetadataTooLarge)>)
)]
async fn change_licence(
    State(app): State<App>,
    Input(call, Found(found), version, Body(body)): Input<Call, Found<ShownLicence>, IfMatch, Body<ChangeLicence>>,
) -> Result<Response, Problem> {
    let change = body.terms();
    if change != LicenceChange::default() {
        call.caller.must_operate()?;
    }
    let patch = body.metadata.as_ref();
    let metadata = found.notes.as_ref().map(|notes| notes.metadata.clone()).unwrap_or_default();
    check_merge(&metadata, patch)?;
    let changes = |shown: &ShownLicence| {
        version.must_hold(shown.licence.version)?;
        let noted = shown.notes.as_ref().map(|notes| {
            let metadata = notes.metadata.with(patch)?;
            Ok(notes.changed(NotesChange { comments: body.comments.clone(), metadata }, call.now))
        });
        Ok(Changes { licence: shown.licence.changed(&change, call.now)?, notes: noted.transpose()?.flatten() })
    };
    let may = |licence: &Licence| call.caller.owns(licence.reseller.as_ref());
    let changed = app.store.change_licence::<LicenceView>(&found.licence.refid, &call.request(), may, changes).await?;
    Ok(answer::changed(changed))
}

/// Activate a licence: its term begins
#[utoipa::path(
    post, path = "/v1/licences/{refid}/activate", tag = "licences",
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<(Forbidden, StatusTransitionDenied)>)
)]
async fn activate_licence(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Operator, Named<LicenceRefid>, IfMatch>,
) -> Result<Response, Problem> {
    step(&app, &call, named, &version, Step::Activate).await
}

/// Suspend a licence
#[utoipa::path(
    post, path = "/v1/licences/{refid}/suspend", tag = "licences",
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<StatusTransitionDenied>)
)]
async fn suspend_licence(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<LicenceRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let by = suspender(&call);
    step(&app, &call, named, &version, Step::Suspend(by)).await
}

/// Lift the suspension of a licence, as far as it is the caller's
#[utoipa::path(
    post, path = "/v1/licences/{refid}/reinstate", tag = "licences",
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<StatusTransitionDenied>)
)]
async fn reinstate_licence(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<LicenceRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let by = suspender(&call);
    step(&app, &call, named, &version, Step::Reinstate(by)).await
}

/// Revoke a licence, for good
#[utoipa::path(
    post, path = "/v1/licences/{refid}/revoke", tag = "licences",
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<StatusTransitionDenied>)
)]
async fn revoke_licence(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<LicenceRefid>, IfMatch>,
) -> Result<Response, Problem> {
    step(&app, &call, named, &version, Step::Revoke).await
}

fn suspender(call: &Call) -> Suspender {
    match call.caller.role {
        Role::Operator => Suspender::Operator,
        Role::Reseller(_) | Role::Customer => Suspender::Reseller,
    }
}

async fn step(
    app: &App,
    call: &Call,
    Named(refid): Named<LicenceRefid>,
    version: &IfMatch,
    step: Step,
) -> Result<Response, Problem> {
    let may = |licence: &Licence| call.caller.owns(licence.reseller.as_ref());
    let change = |shown: &ShownLicence| {
        version.must_hold(shown.licence.version)?;
        Ok(shown.licence.after(step, call.now)?.into())
    };
    let changed = app.store.change_licence::<LicenceView>(&refid, &call.request(), may, change).await?;
    Ok(answer::changed(changed))
}

/// The new owner of a licence.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"client": "CL-7ZK3M9QWX2ABCDEF"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct TransferLicence {
    /// The client that will own the licence. A reseller names one of its own.
    #[schema(value_type = ClientRefid)]
    client: String,
}

/// Give a licence to another client
#[utoipa::path(
    post, path = "/v1/licences/{refid}/transfer", tag = "licences", request_body = TransferLicence,
    params(
        ("refid" = LicenceRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = LicenceView), Refused<(Forbidden, LicenceRevoked)>)
)]
async fn transfer_licence(
    State(app): State<App>,
    Input(call, Found(found), version, Body(body)): Input<Call, Found<ShownLicence>, IfMatch, Body<TransferLicence>>,
) -> Result<Response, Problem> {
    let unknown = || Refusal::NotFound(ResourceKind::Client).for_client(None);
    let to = ClientRefid::parse(&body.client).ok_or_else(unknown)?;
    let may = |licence: &Licence| call.caller.owns(licence.reseller.as_ref());
    let may_own = |client: &Client| call.may_reach(client);
    let must = |licence: &Licence| version.must_hold(licence.version);
    let (licence, request) = (&found.licence, call.request());
    let moved = app.store.transfer_licence::<LicenceView>((licence, &to), &request, may, may_own, must).await?;
    Ok(answer::changed(moved))
}
