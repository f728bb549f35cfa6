//! Who a bearer token belongs to: an API key's, or the session's of somebody who signed in.
//!
//! Invariant: it costs one consistent read of one item, whether the token is anybody's or not; what a session is good
//! for is what its user is at that moment, because it ends with every change of it. Secrets are compared by their
//! hashes, in constant time.

use http::header::AUTHORIZATION;
use http::request::Parts;
use purser_domain::basic::refid::{ApiKeyRefid, UserRefid};
use purser_domain::people::api_key::ApiKey;
use purser_domain::people::caller::{Actor, Caller, Role};
use purser_domain::people::session::Sessions;
use purser_store::StoreError;
use purser_store::engine::secrets::sha256_hex;
use subtle::ConstantTimeEq;

use crate::http::problem::Problem;
use crate::process::app::App;

/// What the refids of users begin with, and so the tokens of their sessions.
const USERS: &str = "US-";

/// Whose token it is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Who asks, in the most powerful of its roles.
    pub(crate) caller: Caller,
    /// The user and the session, of somebody who signed in.
    pub(crate) session: Option<(UserRefid, String)>,
    /// Whether its powers wait for a second factor, which this deployment asks of operators.
    pub(crate) withheld: bool,
}

pub(crate) async fn authenticate(parts: &Parts, app: &App) -> Result<Identity, Problem> {
    let mut given = parts.headers.get_all(AUTHORIZATION).iter();
    // Gateways do different things with a second one, so it counts as none at all.
    let (Some(header), None) = (given.next(), given.next()) else {
        return Err(Problem::unauthenticated());
    };
    let token = bearer(header.as_bytes()).ok_or_else(Problem::unauthenticated)?;
    // Whoever sends none has not guessed; whoever sends a wrong one may have.
    let identity = identity_of(token, app).await?;
    identity.ok_or_else(|| Problem::unauthenticated().guessed())
}

async fn identity_of(token: &[u8], app: &App) -> Result<Option<Identity>, StoreError> {
    let hash = sha256_hex(token);
    if let Some(operator) = &app.config.operator_key_sha256
        && same(operator, &hash)
    {
        return Ok(Some(Identity::of_key("operator", Role::Operator)));
    }
    let parts = std::str::from_utf8(token).ok();
    let Some((refid, secret)) = parts.and_then(|text| text.split_once('.')) else {
        return Ok(None);
    };
    if refid.starts_with(USERS) {
        return match UserRefid::parse(refid) {
            Some(user) => of_session(user, secret, app).await,
            None => Ok(None),
        };
    }
    let Some(refid) = ApiKeyRefid::parse(refid) else {
        return Ok(None);
    };
    let found: Option<ApiKey> = app.store.api_key(&refid).await?;
    let hash = sha256_hex(secret.as_bytes());
    // An empty comparison value has another length and never matches.
    let kept = found.as_ref().map_or("", |key| key.secret_sha256.as_str());
    let right = same(kept, &hash);
    Ok(found.filter(|_| right).map(|key| Identity::of_key(key.refid.as_str(), key.role)))
}

/// The session of `user` that `secret` is of, if it lasts. That it was used is noted now and then.
async fn of_session(user: UserRefid, secret: &str, app: &App) -> Result<Option<Identity>, StoreError> {
    let hash = sha256_hex(secret.as_bytes());
    let Some((sessions, seen)) = app.store.sessions(&user).await? else {
        return Ok(None);
    };
    let now = app.clock.now();
    let own = |session: &&purser_domain::people::session::Session| same(&session.secret_sha256, &hash);
    let Some(session) = sessions.sessions.iter().find(own) else {
        return Ok(None);
    };
    let last = seen.get(&session.id);
    if !session.lasts(last, app.config.accounts.sessions, now) {
        return Ok(None);
    }
    if session.is_worth_noting(last, now) {
        let noted = app.store.note_session_used(&user, &session.id, now).await;
        // What is lost then is five minutes of idling; no reason to refuse a request.
        if let Err(error) = noted {
            tracing::warn!(%error, "that a session is in use was not noted");
        }
    }
    let id = session.id.clone();
    let withheld = sessions.operator && app.config.accounts.operator_second_factor && !sessions.second_factor;
    Ok(Some(Identity {
        caller: Caller { actor: Actor::new(user.as_str()), role: role(sessions, withheld) },
        session: Some((user, id)),
        withheld,
    }))
}

fn role(sessions: Sessions, withheld: bool) -> Role {
    match sessions.reseller {
        _ if sessions.operator && !withheld => Role::Operator,
        Some(reseller) if !withheld => Role::Reseller(reseller),
        _ => Role::Customer,
    }
}

impl Identity {
    fn of_key(actor: &str, role: Role) -> Self {
        Self { caller: Caller { actor: Actor::new(actor), role }, session: None, withheld: false }
    }
}

fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii()).filter(|key| !key.is_empty())
}
