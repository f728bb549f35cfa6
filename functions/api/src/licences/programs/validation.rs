//! What a program is told about its licence, by every route that takes a key (rule C3).
//!
//! Invariant: whoever has a key learns what a program needs, and nothing about whose the licence is. A key that no
//! licence ever had costs a guess; one that was replaced does not, because installed programs go on asking with it.

use http::StatusCode;
use purser_domain::basic::{ActivationRefid, Time};
use purser_domain::licences::{
    Activation, ActivationStatus, Domain, Feature, Fingerprint, Nonce, Outcome, ParallelUses, ProductReference,
    ShownStatus, TermsKind, TypedKey,
};
use purser_domain::parties::ClientStatus;
use purser_edge::http::problem::Guesses;
use purser_edge::prelude::*;
use purser_store::licences::licence::ShownLicence;
use purser_store::licences::rotation::KeyTarget;
use purser_store::licences::seating::MOST_TOLD;

/// Whether a program may run, and if not, why.
#[derive(Debug, Serialize, ToSchema)]
pub struct Validation {
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
    /// The installation that asks for its seat, uses it or gives it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<OwnActivation>,
}

/// What a program may know about its licence.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidatedLicence {
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
    /// The number of installations that hold a seat. Those that have lapsed count until others take theirs.
    activations: u32,
}

/// What a program may know about its own installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnActivation {
    refid: ActivationRefid,
    #[schema(required = true)]
    fingerprint: Option<Fingerprint>,
    #[schema(required = true)]
    domain: Option<Domain>,
    activated_at: Time,
    last_seen_at: Time,
    status: ActivationStatus,
}

/// A problem: an installation got no seat, has none, or may not use it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedActivation {
    /// Always `about:blank`; `code` identifies the problem.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// The first of what can be said, in the order of the codes. More codes may follow.
    code: Outcome,
    /// What it means, for people.
    detail: &'static str,
    /// Always false.
    valid: bool,
    checked_at: Time,
    /// The nonce of the request.
    #[schema(required = true)]
    nonce: Option<Nonce>,
    /// Null if no licence has this key.
    #[schema(required = true)]
    licence: Option<ValidatedLicence>,
    /// With `too_many_activations`: who holds the seats, at most 25, first those of which nothing was heard for
    /// longest, if all were looked at. Each can be named in `replace`, unless the licence has more than 1,000 seats, or
    /// fewer than are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<SeatHolder>, required = false)]
    activations: Option<Vec<SeatHolder>>,
}

/// An installation that holds a seat.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatHolder {
    refid: ActivationRefid,
    activated_at: Time,
    last_seen_at: Time,
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

/// What is told of a request: when it came, its nonce, and the licence that its key opened, if it did.
#[derive(Debug)]
pub struct Told {
    pub now: Time,
    pub nonce: Option<Nonce>,
    pub licence: Option<ValidatedLicence>,
    /// No licence ever had the key.
    pub guessed: bool,
}

impl Told {
    /// That no licence has the key, or what is told of the licence that has it.
    pub fn of(found: &KeyTarget, nonce: Option<Nonce>, now: Time) -> Self {
        let licence = match found {
            KeyTarget::Licence(unlocked) => Some(ValidatedLicence::from(&unlocked.shown)),
            KeyTarget::Former | KeyTarget::Nothing => None,
        };
        Self { now, nonce, licence, guessed: matches!(found, KeyTarget::Nothing) }
    }

    #[must_use]
    pub fn with(self, shown: &ShownLicence) -> Self {
        Self { licence: Some(ValidatedLicence::from(shown)), ..self }
    }

    /// The outcome, which is no refusal of the request.
    pub fn outcome(
        self,
        status: StatusCode,
        code: Outcome,
        own: Option<(&Activation, ActivationStatus)>,
    ) -> Result<Response, Problem> {
        let Self { now: checked_at, nonce, licence, guessed } = self;
        let activation = own.map(|(it, status)| OwnActivation {
            refid: it.refid.clone(),
            fingerprint: it.fingerprint.clone(),
            domain: it.domain.clone(),
            activated_at: it.created_at,
            last_seen_at: it.last_seen_at,
            status,
        });
        let valid = code == Outcome::Valid;
        let validation = Validation { valid, code, checked_at, nonce, licence, activation };
        Ok(charged(guessed, answer::told(status, &validation)?))
    }

    /// The outcome as the reason why the request is refused.
    pub fn refusal(self, code: Outcome, holders: &[Activation]) -> Result<Response, Problem> {
        let Self { now: checked_at, nonce, licence, guessed } = self;
        let holders = holders.iter().take(usize::try_from(MOST_TOLD).unwrap_or_default()).map(|it| SeatHolder {
            refid: it.refid.clone(),
            activated_at: it.created_at,
            last_seen_at: it.last_seen_at,
        });
        let status = StatusCode::CONFLICT;
        let refused = RefusedActivation {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: code.sentence(),
            valid: false,
            checked_at,
            nonce,
            licence,
            activations: (code == Outcome::TooManyActivations).then(|| holders.collect()),
        };
        Ok(charged(guessed, answer::told(status, &refused)?))
    }
}

fn charged(guessed: bool, mut response: Response) -> Response {
    if guessed {
        response.extensions_mut().insert(Guesses(1));
    }
    response
}

/// What a key that somebody typed opens.
pub async fn unlock(
    app: &App,
    key: TypedKey,
    installation: Option<&Fingerprint>,
    now: Time,
) -> Result<KeyTarget, Problem> {
    match key.key() {
        Some(key) => Ok(app.store.unlock(&key, installation, now).await?),
        None => Ok(KeyTarget::Nothing),
    }
}

/// The status of the client that owns a licence; `None` if it has none, or one that was deleted.
pub async fn status_of_client(app: &App, shown: &ShownLicence) -> Result<Option<ClientStatus>, Problem> {
    let Some(client) = &shown.licence.client else { return Ok(None) };
    let found = app.store.client_particulars(client, None).await?;
    Ok(found.map(|client| client.status))
}
