//! Authentication: finds the caller that a bearer token identifies, by an API key or by the session of a sign-in.
//!
//! Invariant: authentication is one strongly consistent read, whether or not the token is valid: of the key or the
//! sessions, and of the wallet of the reseller that the token names, which has the reseller's standing. A session has
//! the rights that its user has at that moment, because every change of those rights ends the session. Secrets are
//! compared by their hashes, in constant time.

use http::header::AUTHORIZATION;
use http::request::Parts;
use purser_domain::basic::{ApiKeyRefid, ResellerRefid, Time, UserRefid};
use purser_domain::people::{Actor, ApiKey, Caller, Role, Scopes, Sessions};
use purser_store::StoreError;
use purser_store::engine::secrets::sha256_hex;
use purser_store::people::caller::Standing;
use subtle::ConstantTimeEq;

use crate::http::limits;
use crate::http::problem::Problem;
use crate::process::app::App;
use crate::process::metrics::Metric;

/// The prefix of user refids. A session's token begins with the refid of its user, an API key's token with that of
/// the key.
const USERS: &str = "US-";

#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The caller, in the most powerful of its roles.
    pub(crate) caller: Caller,
    /// With which credentials the caller has authenticated.
    pub(crate) credentials: Presented,
    /// The standing of the reseller that the caller acts for.
    pub(crate) standing: Standing,
    /// Whether the caller is an operator who lacks the second factor that this deployment requires of operators.
    pub(crate) withheld: bool,
}

/// The credentials that a caller has presented.
#[derive(Debug, Clone)]
pub(crate) enum Presented {
    /// The deployment's first key.
    FirstKey,
    Key(ApiKey),
    Session {
        user: UserRefid,
        id: String,
        /// Until when the user counts as having just proven who they are.
        proved_until: Option<Time>,
    },
}

pub(crate) async fn authenticate(parts: &Parts, app: &App) -> Result<Identity, Problem> {
    let mut given = parts.headers.get_all(AUTHORIZATION).iter();
    // Gateways disagree about a second Authorization header, so a request with two counts as unauthenticated.
    let (Some(header), None) = (given.next(), given.next()) else {
        return Err(Problem::unauthenticated());
    };
    let token = bearer(header.as_bytes()).ok_or_else(Problem::unauthenticated)?;
    let address = limits::address(&parts.extensions).map(|address| address.to_string());
    let Some(identity) = identity_of(token, app).await? else {
        let named = std::str::from_utf8(token).ok().and_then(Token::parse);
        let named = named.map(|token| token.refid).filter(|refid| is_refid(refid));
        app.security(Metric::CallerRefused, named.unwrap_or("unknown"), address.as_deref());
        // A request without a token is not a guess; one with a wrong token may be.
        return Err(Problem::unauthenticated().guessed());
    };
    // It names nobody and lets anybody in, so each of its uses is on record, except on a laptop, where it is the
    // developer's own.
    if matches!(identity.credentials, Presented::FirstKey) && app.first_key != Scopes::all() {
        app.security(Metric::FirstKeyUsed, Actor::DEPLOYMENT, address.as_deref());
    }
    Ok(identity)
}

/// Whether text has the form of a refid. What a stranger sends otherwise is not logged.
fn is_refid(text: &str) -> bool {
    UserRefid::parse(text).is_some() || ApiKeyRefid::parse(text).is_some()
}

async fn identity_of(token: &[u8], app: &App) -> Result<Option<Identity>, StoreError> {
    let hash = sha256_hex(token);
    if let Some(operator) = &app.config.operator_key_sha256
        && same(operator, &hash)
    {
        return Ok(Some(Identity {
            caller: Caller {
                actor: Actor::new(Actor::DEPLOYMENT),
                role: Role::Operator,
                scopes: app.first_key.clone(),
            },
            credentials: Presented::FirstKey,
            standing: None,
            withheld: false,
        }));
    }
    let Some(Token { refid, tenant, secret }) = std::str::from_utf8(token).ok().and_then(Token::parse) else {
        return Ok(None);
    };
    if refid.starts_with(USERS) {
        return match UserRefid::parse(refid) {
            Some(user) => of_session(user, tenant, secret, app).await,
            None => Ok(None),
        };
    }
    match ApiKeyRefid::parse(refid) {
        Some(refid) => of_key(refid, tenant, secret, app).await,
        None => Ok(None),
    }
}

/// The API key `refid`, if `secret` belongs to it and it has not expired. The time of its last use is stored only now
/// and then, to save writes.
async fn of_key(
    refid: ApiKeyRefid,
    tenant: Option<ResellerRefid>,
    secret: &str,
    app: &App,
) -> Result<Option<Identity>, StoreError> {
    let now = app.clock.now();
    let found = app.store.caller_by_key(&refid, tenant).await?;
    let hash = sha256_hex(secret.as_bytes());
    // An unknown key is compared with the empty string, whose length never matches that of a hash.
    let kept = found.as_ref().map_or("", |(key, ..)| key.secret_sha256.as_str());
    let right = same(kept, &hash);
    let Some((key, seen, tenancy)) = found.filter(|(key, ..)| right && key.expires_at > now) else {
        return Ok(None);
    };
    let Some(standing) = app.store.standing(tenancy, key.reseller()).await? else {
        return Ok(None);
    };
    if ApiKey::is_worth_noting(seen, now) {
        let noted = app.store.note_key_used(&refid, now).await;
        // A lost note makes the key seem unused for five minutes longer, which is no reason to refuse a request.
        if let Err(error) = noted {
            tracing::warn!(%error, "could not record that an API key is in use");
        }
    }
    let actor = Actor::new(refid.as_str());
    Ok(Some(Identity {
        caller: Caller { actor, role: key.role.clone(), scopes: key.scopes.clone() },
        credentials: Presented::Key(key),
        standing,
        withheld: false,
    }))
}

/// The parts of a token: the refid of a key or a user, the refid of its reseller, and the secret. Operators' tokens,
/// and older ones, name no reseller.
struct Token<'a> {
    refid: &'a str,
    tenant: Option<ResellerRefid>,
    secret: &'a str,
}

impl<'a> Token<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (refid, rest) = text.split_once('.')?;
        match rest.split_once('.') {
            Some((tenant, secret)) => Some(Self { refid, tenant: Some(ResellerRefid::parse(tenant)?), secret }),
            None => Some(Self { refid, tenant: None, secret: rest }),
        }
    }
}

/// The session of `user` that `secret` belongs to, unless it has expired. The time of its last use is stored only now
/// and then, to save writes.
async fn of_session(
    user: UserRefid,
    tenant: Option<ResellerRefid>,
    secret: &str,
    app: &App,
) -> Result<Option<Identity>, StoreError> {
    let hash = sha256_hex(secret.as_bytes());
    let Some((sessions, seen, tenancy)) = app.store.caller_by_session(&user, tenant).await? else {
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
    let Some(standing) = app.store.standing(tenancy, sessions.reseller.as_ref()).await? else {
        return Ok(None);
    };
    if session.is_worth_noting(last, now) {
        let noted = app.store.note_session_used(&user, &session.id, now).await;
        // A lost note makes the session seem idle for five minutes longer, which is no reason to refuse a request.
        if let Err(error) = noted {
            tracing::warn!(%error, "could not record that a session is in use");
        }
    }
    let credentials =
        Presented::Session { user: user.clone(), id: session.id.clone(), proved_until: session.proved_until };
    let withheld = sessions.operator && app.config.accounts.operator_second_factor && !sessions.second_factor;
    Ok(Some(Identity {
        caller: Caller {
            actor: Actor::new(user.as_str()),
            // A record from before there were scopes is of an operator or an owner, who have all of them.
            scopes: sessions.scopes.clone().unwrap_or_else(Scopes::all),
            role: role(sessions, withheld),
        },
        credentials,
        standing,
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

fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii()).filter(|key| !key.is_empty())
}
