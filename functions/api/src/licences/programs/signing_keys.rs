//! `read-signing-keys`: the public keys by which programs verify what Purser signs (rule C3).
//!
//! Invariant: the function holds no private key, so whoever takes it over can sign nothing.

use std::cmp::Ordering;

use http::HeaderValue;
use http::header::CACHE_CONTROL;
use purser_domain::basic::Time;
use purser_domain::licences::signature::place_of_active;
use purser_domain::licences::{KeyStatus, KeyUse, PublishedKey, SigningKeyId, VerificationKey};
use purser_edge::prelude::*;

/// For how long programs, and what stands between them and Purser, may keep the list.
const KEPT_FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("max-age=3600");

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_signing_keys))
}

/// The keys that sign, will sign and have signed. Those of each use are in the order in which they sign.
#[derive(Debug, Serialize, ToSchema)]
struct SigningKeys {
    data: Vec<SigningKeyView>,
}

/// The public half of a signing key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct SigningKeyView {
    kid: SigningKeyId,
    /// What the key signs: `answers` to programs, or licence `files`.
    r#use: KeyUse,
    algorithm: SigningAlgorithm,
    public_key: VerificationKey,
    /// `next` will sign, `active` signs, `retired` signs no more; what a `revoked` key has signed is not valid.
    status: KeyStatus,
    /// From when on the key signs.
    since: Time,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
enum SigningAlgorithm {
    Ed25519,
}

/// List the keys by which programs verify answers
///
/// `Purser-Signature` names the key of an answer as `kid`. More keys may follow, and more values of `use`.
#[utoipa::path(
    get, path = "/v1/signing-keys", tag = "licences", responses((status = 200, body = SigningKeys)), security(())
)]
async fn list_signing_keys(State(app): State<App>) -> Result<Response, Problem> {
    let published = app.store.secrets().published()?;
    let mut answered = answer::ok(&SigningKeys { data: shown(&published, app.clock.now()) })?;
    answered.headers_mut().insert(CACHE_CONTROL, KEPT_FOR_AN_HOUR);
    Ok(answered)
}

fn shown(published: &[PublishedKey], now: Time) -> Vec<SigningKeyView> {
    let mut data = Vec::new();
    for r#use in [KeyUse::Answers, KeyUse::Files] {
        let of_use = published.iter().filter(|key| key.r#use == r#use);
        let active = place_of_active(of_use.clone().map(|key| key.since), now);
        data.extend(of_use.enumerate().map(|(place, key)| SigningKeyView {
            kid: key.public_key.id(),
            r#use,
            algorithm: SigningAlgorithm::Ed25519,
            public_key: key.public_key,
            status: match place.cmp(&active) {
                Ordering::Less => KeyStatus::Retired,
                Ordering::Equal => KeyStatus::Active,
                Ordering::Greater => KeyStatus::Next,
            },
            since: key.since,
        }));
    }
    data
}
