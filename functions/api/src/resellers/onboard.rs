//! `onboard-reseller`: creates a reseller with its wallet and first user in one commit (rule B1).
//!
//! Invariant: only operators onboard resellers.

use purser_domain::basic::{EmailAddress, Name, ResellerRefid};
use purser_domain::money::{Threshold, Tier};
use purser_domain::parties::{Metadata, NewReseller, ResellerStatus};
use purser_edge::prelude::*;
use serde_json::{Map, Value};

use crate::clients::body::metadata;
use crate::resellers::view::ResellerView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(onboard_reseller))
}

/// A reseller to create, with its first user.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"company_name": "Elite Partners", "email": "partner@elite.example", "tier": "platinum"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct OnboardReseller {
    company_name: Name,
    /// The e-mail address of the reseller's first user; unique among users.
    email: EmailAddress,
    /// `standard` if omitted.
    tier: Option<Tier>,
    /// The balance below which the reseller is warned; the deployment's default if omitted.
    low_credit_threshold: Option<Threshold>,
    /// White-label settings (`name`, `logo`, `colours`) and any other members, at most 16 KiB.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
    /// The refid of the parent reseller, which must be active and on one of the top four levels.
    #[schema(value_type = Option<ResellerRefid>)]
    parent: Option<String>,
}

/// Onboard a reseller
///
/// Needs the scopes `admin`, because it makes a user, and `manage`; and of a signed-in user a recent proof.
#[utoipa::path(
    post, path = "/v1/resellers", tag = "resellers", request_body = OnboardReseller,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
    ),
    responses(
        (status = 201, body = ResellerView),
        Refused<(
            Forbidden, ProofRequired, DuplicateEmail, ResellerSuspended, ResellerPending, InvalidParent, ParentTooDeep,
            SensitiveMetadata, MetadataTooLarge, AnswerErased,
        )>,
    )
)]
async fn onboard_reseller(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Operator<Proven<Onboarding>>, (), Option<Key>, Body<OnboardReseller>>,
) -> Result<Response, Problem> {
    // The fingerprint covers the resolved tier, so a repeat that spells out the default counts as the same request.
    let tier = body.tier.unwrap_or_default();
    let resolved = OnboardReseller { tier: Some(tier), ..body.clone() };
    let (key, metadata) = key.judged(|| metadata(&body.metadata.clone().unwrap_or_default()))?;
    let request = call.repeatable(key, &resolved)?;
    let parent = match &body.parent {
        Some(text) => Some(ResellerRefid::parse(text).ok_or(Refusal::InvalidParent)?),
        None => None,
    };
    let threshold = body.low_credit_threshold.map(Threshold::credits);
    let new = NewReseller {
        company_name: body.company_name,
        email: body.email,
        tier,
        status: ResellerStatus::Active,
        low_credit_threshold: threshold.unwrap_or(app.config.low_credit_threshold),
        metadata,
    };
    let refid = app.store.new_reseller_refid()?;
    let onboarded = app.store.onboard_reseller::<ResellerView>(&refid, &new, parent.as_ref(), &request).await?;
    Ok(answer::created(onboarded))
}
