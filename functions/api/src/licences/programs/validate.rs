//! `validate-licence`: tells a program whether it may run (rule C3).
//!
//! Invariant: nothing is written.

use http::StatusCode;
use purser_domain::basic::Time;
use purser_domain::licences::{
    ActivationStatus, Domain, Feature, Fingerprint, Installation, NamedProduct, Nonce, Outcome, Question, TypedKey,
};
use purser_edge::caller::call::{Anybody, Connection};
use purser_edge::http::extract::Known;
use purser_edge::prelude::*;
use purser_store::licences::rotation::KeyTarget;

use crate::licences::body::Features;
use crate::licences::programs::validation::{Told, Validation, status_of_client, unlock};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(validate_licence))
}

/// What a program says about itself. Unknown members are ignored, so that programs of any age can ask.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"key": "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA", "product": "PRO-1Y", "nonce": "b7Jq0yXk3c"}))]
#[serde(expecting = "an object")]
struct ValidateLicence {
    /// The key that the customer typed in.
    key: TypedKey,
    /// The product that the program is; a licence for another one is refused.
    product: Option<NamedProduct>,
    /// The installation. One that has not been activated is refused; without it, that is not judged.
    fingerprint: Option<Fingerprint>,
    domain: Option<Domain>,
    /// Features that the program wants to offer, all of which the licence must have.
    #[schema(value_type = Option<Vec<Feature>>, max_items = 32)]
    features: Option<Features>,
    /// When this version of the program was released.
    released_at: Option<Time>,
    nonce: Option<Nonce>,
}

/// Ask whether a program may run
#[utoipa::path(
    post, path = "/v1/licences/validate", tag = "licences", request_body = ValidateLicence,
    responses((status = 200, body = Validation)), security(())
)]
async fn validate_licence(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Known(body)): Input<Anybody, (), (), Known<ValidateLicence>>,
) -> Result<Response, Problem> {
    let now = request.now;
    let found = unlock(&app, body.key, body.fingerprint.as_ref(), now).await?;
    let told = Told::of(&found, body.nonce, now);
    let KeyTarget::Licence(unlocked) = found else {
        return told.outcome(StatusCode::OK, Outcome::NotFound, None);
    };
    let licence = &unlocked.shown.licence;
    let status = unlocked.activation.as_ref().map(|it| it.status_at(licence.grants.lease, now));
    let installation = match status {
        Some(ActivationStatus::Active) => Installation::Seated,
        Some(ActivationStatus::Lapsed | ActivationStatus::Deactivated) | None => Installation::Unknown,
    };
    let asked = Question {
        product: body.product,
        released_at: body.released_at,
        features: body.features.map(Vec::from).unwrap_or_default(),
        domain: body.domain,
        address: from.whole_address,
        installation: body.fingerprint.map(|_| installation),
    };
    let client = status_of_client(&app, &unlocked.shown).await?;
    let own = unlocked.activation.as_ref().zip(status);
    told.outcome(StatusCode::OK, Outcome::of(licence, client, &asked, now), own)
}
