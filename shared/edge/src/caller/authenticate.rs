//! Authentication: finds the caller that a bearer token identifies, by an API key or by the session of a sign-in.
//!
//! Invariant: authentication is one strongly consistent read, whether or not the token is valid: of the key or the
//! sessions, and of the wallet of the reseller that the token names, which has the reseller's standing. A session has
//! the rights that its user has at that moment, because every change of those rights ends the session. Secrets are
//! compared by their hashes, in constant time.

use http::header::AUTHORIZATION;
use http::request::Parts;
use purser_domain::basic::{ApiKeyRefid, ResellerRefid, UserRefid};
use purser_domain::people::{Actor, Caller, Role, Sessions};
use purser_store::StoreError;
use purser_store::engine::secrets::sha256_hex;
use purser_store::people::caller::Standing;
use subtle::ConstantTimeEq;

use crate::http::problem::Problem;
use crate::process::app::App;

/// The prefix of user refids. A session's token begins with the refid of its user, an API key's token with that of
/// the key.
const USERS: &str = "US-";

#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The caller, in the most powerful of its roles.
    pub(crate) caller: Caller,
    /// The user and the id of the session; `None` for an API key.
    pub(crate) session: Option<(UserRefid, String)>,
    /// The standing of the reseller that the caller acts for.
    pub(crate) standing: Standing,
    /// Whether the caller is an operator who lacks the second factor that this deployment requires of operators.
    pub(crate) withheld: bool,
}

pub(crate) async fn authenticate(parts: &Parts, app: &App) -> Result<Identity, Problem> {
    let mut given = parts.headers.get_all(AUTHORIZATION).iter();
    // Gateways disagree about a second Authorization header, so a request with two counts as unauthenticated.
    let (Some(header), None) = (given.next(), given.next()) else {
        return Err(Problem::unauthenticated());
    };
    let token = bearer(header.as_bytes()).ok_or_else(Problem::unauthenticated)?;
    // A request without a token is not a guess; one with a wrong token may be.
    let identity = identity_of(token, app).await?;
    identity.ok_or_else(|| Problem::unauthenticated().guessed())
}

async fn identity_of(token: &[u8], app: &App) -> Result<Option<Identity>, StoreError> {
    let hash = sha256_hex(token);
    if let Some(operator) = &app.config.operator_key_sha256
        && same(operator, &hash)
    {
        return Ok(Some(Identity::of_key("operator", Role::Operator, None)));
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
    let Some(refid) = ApiKeyRefid::parse(refid) else {
        return Ok(None);
    };
    let found = app.store.caller_by_key(&refid, tenant).await?;
    let hash = sha256_hex(secret.as_bytes());
    // An unknown key is compared with the empty string, whose length never matches that of a hash.
    let kept = found.as_ref().map_or("", |(key, _)| key.secret_sha256.as_str());
    let right = same(kept, &hash);
    let Some((key, tenancy)) = found.filter(|_| right) else {
        return Ok(None);
    };
    let reseller = match &key.role {
        Role::Reseller(reseller) => Some(reseller),
        Role::Operator | Role::Customer => None,
    };
    let standing = app.store.standing(tenancy, reseller).await?;
    Ok(standing.map(|standing| Identity::of_key(key.refid.as_str(), key.role, standing)))
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
    let id = session.id.clone();
    let withheld = sessions.operator && app.config.accounts.operator_second_factor && !sessions.second_factor;
    Ok(Some(Identity {
        caller: Caller { actor: Actor::new(user.as_str()), role: role(sessions, withheld) },
        session: Some((user, id)),
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

impl Identity {
    fn of_key(actor: &str, role: Role, standing: Standing) -> Self {
        Self { caller: Caller { actor: Actor::new(actor), role }, session: None, standing, withheld: false }
    }
}

fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii()).filter(|key| !key.is_empty())
}
