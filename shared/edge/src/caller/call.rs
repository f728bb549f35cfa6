//! The extractors that authenticate a request: [`Call`] for operators and resellers, [`SignedIn`] for a user's own
//! account, and [`Anybody`] for routes without a caller.
//!
//! Invariant: each [`Call`] has an authenticated caller, and [`Caller::owns`] decides what that caller may reach (rule
//! A8). Customers get no [`Call`]: they may only reach their own account, through a [`SignedIn`].

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use purser_domain::Refusal;
use purser_domain::basic::{ClientRefid, ResellerRefid, Time, UserRefid};
use purser_domain::parties::{Access, Client};
use purser_domain::people::{Actor, ApiKey, Caller, KeyOwner, Role, Scope, Scopes, User};
use purser_domain::refusal::ResourceKind;
use purser_store::StoreError;
use purser_store::engine::item::Origin;
use purser_store::engine::{Fingerprint, IdempotencyKey, Request, Stamp};
use purser_store::parties::guesses::Asker;
use serde::Serialize;

use crate::caller::authenticate::{Identity, Presented, authenticate};
use crate::http::extract::Key;
use crate::http::limits::whole_address;
use crate::http::problem::Problem;
use crate::process::app::App;

/// The id of a request in logs and stored items. Purser generates it; it is never taken from the caller.
#[derive(Debug, Clone)]
pub struct RequestId {
    /// 80 random bits, as text.
    pub id: String,
    pub function: &'static str,
    pub caller: Arc<OnceLock<Caller>>,
}

/// An authenticated request of an operator or a reseller.
#[derive(Debug, Clone)]
pub struct Call {
    pub caller: Caller,
    pub now: Time,
    presented: Presented,
    request: String,
    function: &'static str,
    route: String,
    origin: Origin,
}

impl Call {
    /// The reseller that this call acts for: a reseller acts for itself, an operator for the reseller that the body
    /// names as `named`, if any. A malformed refid is refused like an unknown one.
    pub fn reseller(&self, named: Option<&str>) -> Result<Option<ResellerRefid>, Problem> {
        let unknown = || match self.caller.role {
            Role::Operator => Refusal::InvalidReseller,
            Role::Reseller(_) | Role::Customer => Refusal::NotFound(ResourceKind::Reseller),
        };
        let named = named.map(|text| ResellerRefid::parse(text).ok_or_else(unknown)).transpose()?;
        Ok(self.caller.reseller(named)?)
    }

    /// The user that a body names for a client; only operators may name one (rule A7).
    pub fn login(&self, named: Option<&str>) -> Result<Option<UserRefid>, Problem> {
        let Some(text) = named else { return Ok(None) };
        self.caller.must_operate()?;
        let user = UserRefid::parse(text).ok_or(Refusal::InvalidUser)?;
        Ok(Some(user))
    }

    /// The client `refid`, without its metadata. A client that the caller may not reach is refused as if it did not
    /// exist (rule A8).
    pub async fn client(&self, app: &App, refid: &ClientRefid) -> Result<Client, Problem> {
        let found = app.store.client_particulars(refid, self.caller.role.reseller()).await?;
        let own = found.filter(|client| self.may_reach(client));
        own.ok_or_else(|| Refusal::NotFound(ResourceKind::Client).into())
    }

    /// Whether the caller may see and change this client (rule A8).
    pub fn may_reach(&self, client: &Client) -> bool {
        self.caller.owns(client.reseller.as_ref())
    }

    /// Whether the caller may see and manage this user (rules D4, B1).
    pub fn may_manage(&self, user: &User) -> bool {
        match &self.caller.role {
            Role::Operator => true,
            Role::Reseller(own) => user.reseller.as_ref() == Some(own) && !user.operator,
            Role::Customer => false,
        }
    }

    /// To whom an API key belongs that this caller makes. What a key makes belongs to its own owner.
    pub fn key_owner(&self) -> KeyOwner {
        match &self.presented {
            Presented::FirstKey => KeyOwner::Deployment,
            Presented::Key(key) => key.owner.clone(),
            Presented::Session { user, .. } => KeyOwner::User(user.clone()),
        }
    }

    /// The API key that the caller has presented.
    pub fn key(&self) -> Option<&ApiKey> {
        match &self.presented {
            Presented::Key(key) => Some(key),
            Presented::FirstKey | Presented::Session { .. } => None,
        }
    }

    /// Refuses a user who has not proven lately who they are. Keys are bounded by their scopes instead.
    pub(crate) fn must_be_proven(&self) -> Result<(), Refusal> {
        match &self.presented {
            Presented::Session { proved_until, .. } if proved_until.is_none_or(|until| until <= self.now) => {
                Err(Refusal::ProofRequired)
            }
            Presented::Session { .. } | Presented::Key(_) | Presented::FirstKey => Ok(()),
        }
    }

    /// Refuses to grant a scope that the caller lacks. The deployment's first key lets operators in, whatever they may
    /// do then.
    pub fn may_grant(&self, scopes: &Scopes) -> Result<(), Refusal> {
        match self.presented {
            Presented::FirstKey => Ok(()),
            Presented::Key(_) | Presented::Session { .. } => self.caller.must_have_all(scopes),
        }
    }

    /// The reseller that asks about addresses and external ids by a command that names so many of them. `None` if it
    /// names none, and for operators, who may see everything that they could guess.
    pub fn asker(&self, named: u32) -> Option<Asker> {
        let reseller = self.caller.role.reseller().filter(|_| named > 0);
        reseller.map(|reseller| Asker { reseller: reseller.clone(), named })
    }

    /// The outcome of a command of `asker`. If it is a refusal, all that the command named is charged before it is
    /// told: whether it was refused for one of them or not, it says something about the others (rule A2).
    pub async fn told<T>(
        &self,
        app: &App,
        asker: Option<&Asker>,
        outcome: Result<T, StoreError>,
    ) -> Result<T, Problem> {
        match outcome {
            Err(StoreError::Refused(refusal)) => {
                self.charge(app, asker).await?;
                Err(refusal.into())
            }
            outcome => Ok(outcome?),
        }
    }

    pub async fn charge(&self, app: &App, asker: Option<&Asker>) -> Result<(), Problem> {
        match asker {
            Some(asker) => Ok(app.store.charge_guesses(asker, self.now).await?),
            None => Ok(()),
        }
    }

    /// Whose resources a list shows, if its query names the reseller `named`.
    pub fn listed(&self, named: Option<&str>) -> Result<Listed, Problem> {
        match named.map(ResellerRefid::parse) {
            Some(None) if self.caller.must_operate().is_ok() => Ok(Listed::Nobodys),
            Some(None) => Err(Refusal::NotFound(ResourceKind::Reseller).into()),
            Some(Some(named)) => Ok(Listed::Of(self.caller.reseller(Some(named))?)),
            None => Ok(Listed::Of(self.caller.reseller(None)?)),
        }
    }

    /// This call as a store request, without an idempotency key.
    pub fn request(&self) -> Request {
        self.keyed(None)
    }

    /// This call as a store request. With a `key`, the store keeps the answer under it, and a repeat needs the same
    /// `body`.
    pub fn repeatable(&self, key: Option<Key>, body: &impl Serialize) -> Result<Request, Problem> {
        Ok(self.keyed(key.map(|key| self.idempotency_key(key, body)).transpose()?))
    }

    /// A command that moves credits, as a store request. It always has an idempotency key.
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
        let (key, doubt) = key.into_parts();
        Ok(IdempotencyKey { tenant: tenant.to_owned(), key, fingerprint, doubt })
    }

    /// The scope of a cursor: this route, this caller, and the filters of the list.
    pub fn cursor_scope(&self, filters: &impl Serialize) -> String {
        // Serialising filters can't fail. If it did, the scope would lack its filters and match no valid cursor.
        let filters = serde_json::to_string(filters).unwrap_or_default();
        format!("{} {} {filters}", self.route, self.caller.tenant())
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = Problem;

    /// Authenticates, and judges the caller by what the method does: look or change.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let needs = if parts.method.is_safe() { Needs::LOOK } else { Needs::CHANGE };
        Self::admitted(parts, app, needs).await
    }
}

impl Call {
    /// Authenticates the caller. The standing of a reseller is judged before anything else (rule B14), and then whether
    /// the caller has the scopes that the route needs.
    pub(crate) async fn admitted(parts: &Parts, app: &App, needs: Needs) -> Result<Self, Problem> {
        let (identity, known) = identify(parts, app).await?;
        let route = format!("{} {}", parts.method, parts.uri.path());
        if identity.withheld {
            return Err(Refusal::SecondFactorMissing.into());
        }
        match (&identity.caller.role, identity.standing) {
            (Role::Customer, _) => return Err(Refusal::Forbidden.into()),
            (Role::Reseller(_), Some(standing)) => standing.must_allow(needs.access)?,
            // A reseller's standing is always known; an operator has none, even as a member of a reseller.
            (Role::Reseller(_), None) => return Err(Problem::unauthenticated()),
            (Role::Operator, _) => {}
        }
        needs.scopes.iter().try_for_each(|scope| identity.caller.must_have(*scope))?;
        Ok(Self {
            caller: identity.caller,
            now: app.clock.now(),
            presented: identity.credentials,
            request: known.id,
            function: known.function,
            route,
            origin: app.origin,
        })
    }
}

/// What a route needs of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// What a reseller's standing must allow.
    pub(crate) access: Access,
    /// The scopes that the caller must have, all of them.
    pub(crate) scopes: &'static [Scope],
}

impl Needs {
    const LOOK: Self = Self { access: Access::Read, scopes: &[Scope::Read] };
    const CHANGE: Self = Self { access: Access::Change, scopes: &[Scope::Manage] };
}

/// Authenticates the caller and counts the request against the caller's rate limit.
async fn identify(parts: &Parts, app: &App) -> Result<(Identity, RequestId), Problem> {
    let identity = authenticate(parts, app).await?;
    let known: Option<RequestId> = parts.extensions.get().cloned();
    let known = known.ok_or_else(Problem::internal)?;
    // A request counts once, even when several extractors authenticate it.
    if known.caller.set(identity.caller.clone()).is_ok() {
        app.limits.admit_caller(&identity.caller)?;
    }
    Ok((identity, known))
}

/// A request of a signed-in user about their own account. A request with an API key is refused.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: UserRefid,
    pub session: String,
    pub request: Request,
    route: String,
}

impl SignedIn {
    /// The scope of a cursor: this route and this user.
    pub fn cursor_scope(&self) -> String {
        format!("{} {}", self.route, self.user)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (identity, known) = identify(parts, app).await?;
        let route = format!("{} {}", parts.method, parts.uri.path());
        let Presented::Session { user, id: session, .. } = identity.credentials else {
            return Err(Refusal::Forbidden.into());
        };
        let stamp = Stamp {
            actor: identity.caller.actor,
            request: known.id,
            origin: app.origin,
            cause: known.function.to_owned(),
        };
        Ok(Self { user, session, request: Request { key: None, stamp, now: app.clock.now() }, route })
    }
}

/// Where a request comes from; people see it in the list of their sessions.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The IP address, if it is known; for IPv6, the /64 network.
    pub address: Option<String>,
    pub agent: Option<String>,
    /// The whole IP address, which is kept nowhere.
    pub whole_address: Option<IpAddr>,
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
            whole_address: whole_address(&parts.extensions),
        })
    }
}

/// A request on a route that needs no authentication.
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

/// The reseller whose resources a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// The resources of this reseller, or with `None` those of all resellers.
    Of(Option<ResellerRefid>),
    /// No resources, because the refid in the query is malformed and no reseller can have it.
    Nobodys,
}
