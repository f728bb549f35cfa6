//! `activate-installation`: installations take seats of a licence, use them and give them back (rule C4).
//!
//! Invariant: a repeated request leads to the same end: an installation has one seat, however often it asks, and none,
//! however often it gives it back. A program that has the licence's key may always give its seat back, whatever the
//! status of the licence.

use http::StatusCode;
use purser_domain::basic::Time;
use purser_domain::licences::{
    ActivationStatus, Domain, Feature, Fingerprint, Licence, NamedProduct, Nonce, Outcome, Program, Question, Replace,
    TypedKey,
};
use purser_edge::caller::call::{Anybody, Connection};
use purser_edge::http::extract::Known;
use purser_edge::prelude::*;
use purser_store::engine::Request;
use purser_store::licences::licence::ShownLicence;
use purser_store::licences::rotation::KeyTarget;
use purser_store::licences::seating::{Asked, Seating};

use crate::licences::body::Features;
use crate::licences::programs::validation::{RefusedActivation, Told, Validation, status_of_client, unlock};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(activate_installation))
        .routes(routes!(report_installation))
        .routes(routes!(deactivate_installation))
}

/// Why an installation is refused, in the order in which it is looked at.
const CODES: &str = "`not_found`, `wrong_product`, `revoked`, `suspended`, `client_suspended`, `expired`, \
    `version_not_covered`, `feature_missing`, `ip_not_allowed`, `domain_not_allowed`, `not_activated`, \
    `not_yet_active`, `too_many_activations`.";

/// Why a seat can't be given back.
const NO_SEAT: &str = "`not_found`, `not_activated`.";

/// What an installation says about itself. Unknown members are ignored, so that programs of any age can ask.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({
    "key": "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA", "fingerprint": "6b1e5e0c-4a4e-4a7f-9d2b-0f4a9f7e2c11"
}))]
#[serde(expecting = "an object")]
struct UseLicence {
    /// The key that the customer typed in.
    key: TypedKey,
    /// The name of the installation, which the program chooses once and keeps.
    fingerprint: Fingerprint,
    /// The product that the program is; a licence for another one is refused.
    product: Option<NamedProduct>,
    /// The domain that it runs on. A licence for certain domains refuses an installation that names none.
    domain: Option<Domain>,
    /// Features that the program wants to offer, all of which the licence must have.
    #[schema(value_type = Option<Vec<Feature>>, max_items = 32)]
    features: Option<Features>,
    /// When this version of the program was released.
    released_at: Option<Time>,
    /// Only for activating.
    replace: Option<Replace>,
    nonce: Option<Nonce>,
}

/// The installation that gives its seat back. Unknown members are ignored.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({
    "key": "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA", "fingerprint": "6b1e5e0c-4a4e-4a7f-9d2b-0f4a9f7e2c11"
}))]
#[serde(expecting = "an object")]
struct LeaveLicence {
    key: TypedKey,
    fingerprint: Fingerprint,
    nonce: Option<Nonce>,
}

/// Take a seat of a licence
#[utoipa::path(
    post, path = "/v1/activations", tag = "activations", request_body = UseLicence,
    responses(
        (status = 201, body = Validation, description = "The installation has a seat now."),
        (status = 200, body = Validation, description = "It had one before."),
        (status = 409, body = RefusedActivation, content_type = "application/problem+json", description = CODES),
    ),
    security(())
)]
async fn activate_installation(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Known(body)): Input<Anybody, (), (), Known<UseLicence>>,
) -> Result<Response, Problem> {
    seat(&app, &from, &request, body, true).await
}

/// Say that an installation is in use
#[utoipa::path(
    post, path = "/v1/activations/heartbeat", tag = "activations", request_body = UseLicence,
    responses(
        (status = 200, body = Validation),
        (status = 409, body = RefusedActivation, content_type = "application/problem+json", description = CODES),
    ),
    security(())
)]
async fn report_installation(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), (), (), Known(body)): Input<Anybody, (), (), Known<UseLicence>>,
) -> Result<Response, Problem> {
    seat(&app, &from, &request, body, false).await
}

/// Give a seat of a licence back
#[utoipa::path(
    post, path = "/v1/activations/deactivate", tag = "activations", request_body = LeaveLicence,
    responses(
        (status = 200, body = Validation, description = "The seat is free, since now or before; `not_activated`."),
        (status = 409, body = RefusedActivation, content_type = "application/problem+json", description = NO_SEAT),
    ),
    security(())
)]
async fn deactivate_installation(
    State(app): State<App>,
    Input(Anybody(request), (), (), Known(body)): Input<Anybody, (), (), Known<LeaveLicence>>,
) -> Result<Response, Problem> {
    let found = unlock(&app, body.key, None, request.now).await?;
    let told = Told::of(&found, body.nonce, request.now);
    let KeyTarget::Licence(unlocked) = found else { return told.refusal(Outcome::NotFound, &[]) };
    let left = app.store.unseat_named(&unlocked.shown.licence.refid, &body.fingerprint, &request).await?;
    let Some(left) = left else { return told.refusal(Outcome::NotActivated, &[]) };
    let seats = unlocked.shown.seats.saturating_sub(u32::from(left.freed));
    let told = told.with(&ShownLicence { seats, ..unlocked.shown });
    told.outcome(StatusCode::OK, Outcome::NotActivated, Some((&left.activation, ActivationStatus::Deactivated)))
}

/// Gives an installation a seat if it `joins`, or else notes that it uses the one that it has.
async fn seat(
    app: &App,
    from: &Connection,
    request: &Request,
    body: UseLicence,
    joins: bool,
) -> Result<Response, Problem> {
    let now = request.now;
    let found = unlock(app, body.key, Some(&body.fingerprint), now).await?;
    let told = Told::of(&found, body.nonce, now);
    let KeyTarget::Licence(unlocked) = found else { return told.refusal(Outcome::NotFound, &[]) };
    let question = Question {
        product: body.product,
        released_at: body.released_at,
        features: body.features.map(Vec::from).unwrap_or_default(),
        domain: body.domain.clone(),
        address: from.whole_address,
        installation: None,
    };
    let client = status_of_client(app, &unlocked.shown).await?;
    let judge = |licence: &Licence, installation| {
        let question = Question { installation: Some(installation), ..question.clone() };
        Outcome::of(licence, client, &question, now)
    };
    let nameless = unlocked.shown.licence.client.is_some() && client.is_none();
    let program = Program { fingerprint: body.fingerprint, domain: body.domain, address: from.whole_address, nameless };
    let asked = Asked { program, joins, replace: body.replace.filter(|_| joins) };
    match app.store.seat(&unlocked, &asked, request, judge).await? {
        Seating::Seated { activation, shown, new } => {
            let status = if new && joins { StatusCode::CREATED } else { StatusCode::OK };
            told.with(&shown).outcome(status, Outcome::Valid, Some((&activation, ActivationStatus::Active)))
        }
        Seating::Refused { outcome, shown, holders } => {
            if joins {
                app.store.count_refused(&shown.licence.refid, now).await;
            }
            told.with(&shown).refusal(outcome, &holders)
        }
    }
}
