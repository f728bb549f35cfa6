//! `update-reseller`: changes a reseller's details, tier, provisioning hold and status (rules B2, B5, B9, B12).
//!
//! Invariant: only operators change resellers; the profile and the wallet change in one commit.

use purser_domain::basic::{EmailAddress, Name, ResellerRefid};
use purser_domain::money::{Threshold, Tier, Wallet};
use purser_domain::parties::{Metadata, Reseller, ResellerChange, ResellerStatus};
use purser_edge::http::json::present;
use purser_edge::prelude::*;
use serde_json::{Map, Value};

use crate::clients::body::check_merge;
use crate::resellers::view::ResellerView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(change_reseller))
        .routes(routes!(activate_reseller))
        .routes(routes!(suspend_reseller))
}

/// The members to change; a member that is left out keeps its value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"tier": "gold", "low_credit_threshold": 1000}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeReseller {
    #[schema(value_type = Name)]
    #[serde(default, deserialize_with = "present")]
    company_name: Option<Name>,
    /// Where e-mails to the company go. The addresses with which its people sign in stay as they are.
    #[schema(value_type = EmailAddress)]
    #[serde(default, deserialize_with = "present")]
    email: Option<EmailAddress>,
    #[schema(value_type = Tier)]
    #[serde(default, deserialize_with = "present")]
    tier: Option<Tier>,
    /// True puts the reseller's purchases on hold; false lifts the hold.
    #[schema(value_type = bool)]
    #[serde(default, deserialize_with = "present")]
    hold_provisioning: Option<bool>,
    /// The balance below which the reseller is warned.
    #[schema(value_type = Threshold)]
    #[serde(default, deserialize_with = "present")]
    low_credit_threshold: Option<Threshold>,
    /// A JSON merge patch (RFC 7396) for the existing metadata: null removes a key.
    #[schema(value_type = Metadata)]
    #[serde(default, deserialize_with = "present")]
    metadata: Option<Map<String, Value>>,
}

/// Change a reseller
#[utoipa::path(
    patch, path = "/v1/resellers/{refid}", tag = "resellers", request_body = ChangeReseller,
    params(
        ("refid" = ResellerRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag."),
    ),
    responses((status = 200, body = ResellerView), Refused<(Forbidden, SensitiveMetadata, MetadataTooLarge)>)
)]
async fn change_reseller(
    State(app): State<App>,
    Input(call, Found(found), version, Body(body)): Input<Operator, Found<Reseller>, IfMatch, Body<ChangeReseller>>,
) -> Result<Response, Problem> {
    let patch = body.metadata.as_ref();
    check_merge(&found.metadata, patch)?;
    let change = |reseller: &Reseller, _: &Wallet| {
        version.must_hold(reseller.version)?;
        let change = ResellerChange {
            company_name: body.company_name.clone(),
            email: body.email.clone(),
            tier: body.tier,
            hold_provisioning: body.hold_provisioning,
            low_credit_threshold: body.low_credit_threshold.map(Threshold::credits),
            metadata: reseller.metadata.with(patch)?,
            status: None,
        };
        Ok(reseller.changed(change, call.now))
    };
    let changed = app.store.change_reseller::<ResellerView>(&found.refid, &call.request(), change).await?;
    Ok(answer::changed(changed))
}

/// Activate a reseller
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/activate", tag = "resellers",
    params(
        ("refid" = ResellerRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = ResellerView), Refused<Forbidden>)
)]
async fn activate_reseller(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Operator, Named<ResellerRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, ResellerStatus::Active).await
}

/// Suspend a reseller
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/suspend", tag = "resellers",
    params(
        ("refid" = ResellerRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = ResellerView), Refused<Forbidden>)
)]
async fn suspend_reseller(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Operator, Named<ResellerRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, ResellerStatus::Suspended).await
}

async fn set_status(
    app: &App,
    call: &Call,
    Named(refid): Named<ResellerRefid>,
    version: &IfMatch,
    to: ResellerStatus,
) -> Result<Response, Problem> {
    let change = |reseller: &Reseller, _: &Wallet| {
        version.must_hold(reseller.version)?;
        Ok(reseller.changed(ResellerChange { status: Some(to), ..ResellerChange::default() }, call.now))
    };
    let changed = app.store.change_reseller::<ResellerView>(&refid, &call.request(), change).await?;
    Ok(answer::changed(changed))
}
