//! `onboard-reseller`: reseller, wallet and login in one commit (SPEC B1).
//!
//! Invariant: only operators onboard.

use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::credits::Threshold;
use purser_domain::email::EmailAddress;
use purser_domain::refid::ResellerRefid;
use purser_domain::reseller::{NewReseller, Reseller, ResellerStatus};
use purser_domain::text::Name;
use purser_domain::tier::Tier;
use purser_edge::client_body::metadata;
use purser_edge::extract::{Body, MaybeBody, OptionalKey};
use purser_edge::shapes::{RefidShape, ResellerShape, TierShape};
use purser_edge::{App, Call, Problem, answer, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(onboard_reseller))
}

/// A reseller to onboard.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct OnboardReseller {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    company_name: Name,
    /// The address of its first login, unique among logins.
    #[schema(value_type = String, format = Email, max_length = 254)]
    email: EmailAddress,
    /// `standard` unless given.
    #[serde(default)]
    #[schema(value_type = TierShape)]
    tier: Tier,
    /// The balance below which it is warned; the deployment's default unless given.
    #[schema(value_type = Option<u64>, maximum = 1_000_000_000_000_i64)]
    low_credit_threshold: Option<Threshold>,
    /// White-label settings (`name`, `logo`, `colours`) and anything else, at most 16 KiB.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// The refid of the reseller above it, which must trade and stand on one of the first four levels.
    #[schema(value_type = Option<RefidShape>)]
    parent: Option<String>,
}

/// Onboard a reseller
#[utoipa::path(
    post, path = "/v1/resellers", tag = "resellers", request_body = OnboardReseller,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat answers the first answer."),
    ),
    responses((status = 201, body = ResellerShape))
)]
async fn onboard_reseller(
    State(app): State<App>,
    call: Call,
    key: OptionalKey,
    body: MaybeBody<OnboardReseller>,
) -> Result<Response, Problem> {
    call.caller.must_operate()?;
    let key = key?;
    let Body(body) = body?;
    let request = call.request(&app, key.as_ref(), &body)?;
    let parent = match &body.parent {
        Some(text) => Some(ResellerRefid::parse(text).ok_or(Refusal::InvalidParent)?),
        None => None,
    };
    let threshold = body.low_credit_threshold.map(Threshold::credits);
    let new = NewReseller {
        company_name: body.company_name,
        email: body.email,
        tier: body.tier,
        status: ResellerStatus::Active,
        low_credit_threshold: threshold.unwrap_or(app.config.low_credit_threshold),
        metadata: metadata(body.metadata.unwrap_or_default())?,
    };
    let refid = app.store.new_reseller_refid()?;
    let render = |reseller: &Reseller| json::write(&ResellerShape::from(reseller));
    let onboarded = app
        .store
        .onboard_reseller(&refid, &new, parent.as_ref(), &request, &render)
        .await?;
    Ok(answer::created(onboarded))
}
