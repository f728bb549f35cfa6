//! A call: who asks, in which request, on which route, when.
//!
//! Invariant: there is no [`Call`] without a caller, so a handler that takes one is authenticated, and everything
//! it may reach is decided by [`Caller::owns`] (rule A8). Customers have no calls: what they may ask is their own
//! account, which takes a [`SignedIn`].

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use purser_domain::Refusal;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid, UserRefid};
use purser_domain::basic::time::Time;
use purser_domain::parties::client::Client;
use purser_domain::people::caller::{Actor, Caller, Role};
use purser_domain::people::user::User;
use purser_domain::refusal::What;
use purser_store::engine::command::Request;
use purser_store::engine::command::idempotency::{Fingerprint, IdempotencyKey};
use purser_store::engine::item::{Origin, Stamp};
use serde::Serialize;

use crate::caller::authenticate::{Identity, authenticate};
use crate::http::extract::Key;
use crate::http::problem::Problem;
use crate::process::app::App;

/// The id a request goes by in logs and records; made here, never taken from the caller.
#[derive(Debug, Clone)]
pub struct RequestId {
    /// 80 random bits, as text.
    pub id: String,
    /// The function that answers it.
    pub function: &'static str,
    /// Who asks, once that is known.
    pub caller: Arc<OnceLock<Caller>>,
}

/// An authenticated request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// When.
    pub now: Time,
    request: String,
    function: &'static str,
    route: String,
    origin: Origin,
}

impl Call {
    /// The reseller this call is for, when a body names `named`: of a reseller itself, of an operator the one
    /// named, if any. A malformed refid is an unknown one.
    pub fn reseller(&self, named: Option<&str>) -> Result<Option<ResellerRefid>, Problem> {
        let unknown = || match self.caller.role {
            Role::Operator => Refusal::InvalidReseller,
            Role::Reseller(_) | Role::Customer => Refusal::NotFound(What::Reseller),
        };
        let named = named.map(|text| ResellerRefid::parse(text).ok_or_else(unknown)).transpose()?;
        Ok(self.caller.reseller(named)?)
    }

    /// The login that a body names for a client; only operators may name one (rule A7).
    pub fn login(&self, named: Option<&str>) -> Result<Option<UserRefid>, Problem> {
        let Some(text) = named else { return Ok(None) };
        self.caller.must_operate()?;
        let user = UserRefid::parse(text).ok_or(Refusal::InvalidUser)?;
        Ok(Some(user))
    }

    /// The client at `refid`, when the caller may reach it; someone else's is none (rule A8).
    pub async fn client(&self, app: &App, refid: &ClientRefid) -> Result<Client, Problem> {
        let found = app.store.client(refid).await?;
        let own = found.filter(|client| self.may_reach(client));
        own.ok_or_else(|| Refusal::NotFound(What::Client).into())
    }

    /// Whether the caller may see and change this client.
    pub fn may_reach(&self, client: &Client) -> bool {
        self.caller.owns(client.reseller.as_ref())
    }

    /// Whether the caller may see and manage this login (rules D4, B1).
    pub fn may_manage(&self, user: &User) -> bool {
        match &self.caller.role {
            Role::Operator => true,
            Role::Reseller(own) => user.reseller.as_ref() == Some(own) && !user.operator,
            Role::Customer => false,
        }
    }

    /// Whose things a list shows when its query names `named`.
    pub fn listed(&self, named: Option<&str>) -> Result<Listed, Problem> {
        match named.map(ResellerRefid::parse) {
            Some(None) if self.caller.must_operate().is_ok() => Ok(Listed::Nobodys),
            Some(None) => Err(Refusal::NotFound(What::Reseller).into()),
            Some(Some(named)) => Ok(Listed::Of(self.caller.reseller(Some(named))?)),
            None => Ok(Listed::Of(self.caller.reseller(None)?)),
        }
    }

    /// This call as the store needs to know it.
    pub fn request(&self) -> Request {
        self.keyed(None)
    }

    /// The same, remembered under `key` if there is one; a repeat must have the same `body`.
    pub fn repeatable(&self, key: Option<Key>, body: &impl Serialize) -> Result<Request, Problem> {
        Ok(self.keyed(key.map(|key| self.idempotency_key(key, body)).transpose()?))
    }

    /// The same for a command that moves credits, which has a key always.
    pub fn once(&self, key: Key, body: &impl Serialize) -> Result<Request<IdempotencyKey>, Problem> {
        Ok(self.keyed(self.idempotency_key(key, body)?))
    }

    fn keyed<K>(&self, key: K) -> Request<K> {
        let stamp = Stamp {
            actor: self.caller.actor.clone(),
            request: self.request.clone(),
            origin: self.origin,
            cause: self.function.to_owned(),
        };
        Request { key, stamp, now: self.now }
    }

    fn idempotency_key(&self, key: Key, body: &impl Serialize) -> Result<IdempotencyKey, Problem> {
        let tenant = self.caller.tenant();
        let fingerprint = Fingerprint::of(&self.route, tenant, body)?;
        Ok(IdempotencyKey { tenant: tenant.to_owned(), key: key.into(), fingerprint })
    }

    /// The scope of a cursor: this route and caller, and what the list is filtered by.
    pub fn cursor_scope(&self, filters: &impl Serialize) -> String {
        // Serialising a filter can't fail; were it to, the scope would match no cursor.
        let filters = serde_json::to_string(filters).unwrap_or_default();
        format!("{} {} {filters}", self.route, self.caller.tenant())
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (identity, known) = identify(parts, app).await?;
        let route = format!("{} {}", parts.method, parts.uri.path());
        if identity.withheld {
            return Err(Refusal::SecondFactorMissing.into());
        }
        if identity.caller.role == Role::Customer {
            return Err(Refusal::Forbidden.into());
        }
        Ok(Self {
            caller: identity.caller,
            now: app.clock.now(),
            request: known.id,
            function: known.function,
            route,
            origin: app.origin,
        })
    }
}

/// Who asks, counted against its limits.
async fn identify(parts: &Parts, app: &App) -> Result<(Identity, RequestId), Problem> {
    let identity = authenticate(parts, app).await?;
    let known: Option<RequestId> = parts.extensions.get().cloned();
    let known = known.ok_or_else(Problem::internal)?;
    // A request is counted once, however many extractors ask who sent it.
    if known.caller.set(identity.caller.clone()).is_ok() {
        app.limits.admit_caller(&identity.caller)?;
    }
    Ok((identity, known))
}

/// A request of somebody who signed in, about their own account. An API key has none.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: UserRefid,
    /// In which session.
    pub session: String,
    /// The request.
    pub request: Request,
    route: String,
}

impl SignedIn {
    /// The scope of a cursor: this route and this user's.
    pub fn cursor_scope(&self) -> String {
        format!("{} {}", self.route, self.user)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (identity, known) = identify(parts, app).await?;
        let route = format!("{} {}", parts.method, parts.uri.path());
        let (user, session) = identity.session.ok_or(Refusal::Forbidden)?;
        let stamp = Stamp {
            actor: identity.caller.actor,
            request: known.id,
            origin: app.origin,
            cause: known.function.to_owned(),
        };
        Ok(Self { user, session, request: Request { key: None, stamp, now: app.clock.now() }, route })
    }
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The network address, if it is known.
    pub address: Option<String>,
    /// What the browser or program calls itself, cut.
    pub agent: Option<String>,
}

impl FromRequestParts<App> for Connection {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let agent = parts.headers.get(USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        let address = crate::http::limits::address(&parts.extensions);
        Ok(Self {
            address: address.map(|address| address.to_string()),
            agent: agent.and_then(purser_domain::people::session::agent),
        })
    }
}

/// A request of anybody, on a route that needs no caller.
#[derive(Debug, Clone)]
pub struct Anybody(pub Request);

impl FromRequestParts<App> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let known = parts.extensions.get::<RequestId>();
        let known = known.ok_or_else(Problem::internal)?;
        Ok(Self(Request {
            key: None,
            stamp: Stamp {
                actor: Actor::new("anybody"),
                request: known.id.clone(),
                origin: app.origin,
                cause: known.function.to_owned(),
            },
            now: app.clock.now(),
        }))
    }
}

/// Whose things a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A reseller's, or everybody's.
    Of(Option<ResellerRefid>),
    /// Those of a reseller that can't exist.
    Nobodys,
}
