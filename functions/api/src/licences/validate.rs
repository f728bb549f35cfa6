//! `validate-licence`: tells a program whether it may run (rule C3).
//!
//! Invariant: whoever has a key learns what a program needs, and nothing about whose the licence is. A key that no
//! licence ever had costs a guess; one that was replaced does not, because installed programs go on asking with it.
//! Nothing is written.

use purser_domain::basic::Time;
use purser_domain::licences::{
    Domain, Feature, Fingerprint, Installation, NamedProduct, Nonce, Outcome, ParallelUses, ProductReference, Question,
    ShownStatus, TermsKind, TypedKey,
};
use purser_domain::parties::ClientStatus;
use purser_edge::caller::call::{Anybody, Connection};
use purser_edge::http::extract::Known;
use purser_edge::http::problem::Guesses;
use purser_edge::prelude::*;
use purser_store::licences::licence::ShownLicence;
use purser_store::licences::rotation::KeyTarget;

use crate::licences::body::Features;

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

/// Whether a program may run, and if not, why.
#[derive(Debug, Serialize, ToSchema)]
struct Validation {
    valid: bool,
    /// The first of what can be said, in the order of the codes. More codes may follow.
    code: Outcome,
    checked_at: Time,
    /// The nonce of the request.
    #[schema(required = true)]
    nonce: Option<Nonce>,
    /// Null if no licence has this key.
    #[schema(required = true)]
    licence: Option<ValidatedLicence>,
}

/// What a program may know about its licence.
#[derive(Debug, Serialize, ToSchema)]
struct ValidatedLicence {
    product: ProductReference,
    kind: TermsKind,
    status: ShownStatus,
    #[schema(required = true)]
    activated_at: Option<Time>,
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// Versions that were released until then are covered; null: every version, as long as the licence is valid.
    #[schema(required = true)]
    updates_until: Option<Time>,
    #[schema(required = true)]
    support_until: Option<Time>,
    features: Vec<Feature>,
    /// How many installations may use the licence at the same time; null means any number.
    #[schema(required = true)]
    parallel_uses: Option<ParallelUses>,
    /// The number of installations that use it; null if any number may, because then nothing counts them.
    #[schema(required = true)]
    activations: Option<u32>,
}

impl From<&ShownLicence> for ValidatedLicence {
    fn from(shown: &ShownLicence) -> Self {
        let licence = &shown.licence;
        Self {
            product: licence.product.clone(),
            kind: licence.terms.kind(),
            status: licence.status_at(shown.at),
            activated_at: licence.activated_at,
            expires_at: licence.expires_at,
            updates_until: licence.updates_until,
            support_until: licence.support_until,
            features: licence.grants.features.clone(),
            parallel_uses: licence.parallel_uses,
            activations: shown.seats,
        }
    }
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
    let found = match body.key.key() {
        Some(key) => app.store.unlock(&key, request.now).await?,
        None => KeyTarget::Nothing,
    };
    let guessed = found == KeyTarget::Nothing;
    let (code, licence) = match found {
        KeyTarget::Nothing | KeyTarget::Former => (Outcome::NotFound, None),
        KeyTarget::Licence(shown) => {
            let asked = Question {
                product: body.product,
                released_at: body.released_at,
                features: body.features.map(Vec::from).unwrap_or_default(),
                domain: body.domain,
                address: from.whole_address,
                // No installation has a seat yet.
                installation: body.fingerprint.map(|_| Installation::Unknown),
            };
            let client = status_of_client(&app, &shown).await?;
            (Outcome::of(&shown.licence, client, &asked, request.now), Some(ValidatedLicence::from(&*shown)))
        }
    };
    let valid = code == Outcome::Valid;
    let validation = Validation { valid, code, checked_at: request.now, nonce: body.nonce, licence };
    let mut answered = answer::ok(&validation)?;
    if guessed {
        answered.extensions_mut().insert(Guesses(1));
    }
    Ok(answered)
}

/// The status of the client that owns a licence; `None` if it has none, or one that was deleted.
async fn status_of_client(app: &App, shown: &ShownLicence) -> Result<Option<ClientStatus>, Problem> {
    let Some(client) = &shown.licence.client else { return Ok(None) };
    let found = app.store.client_particulars(client, None).await?;
    Ok(found.map(|client| client.status))
}
