//! Users, sessions, sign-ins and API keys, as the API shows them.
//!
//! Invariant: members are never removed, and only what is listed here is shown. Passwords are never shown, and a
//! token's secret only once, in the answer that creates it.

use purser_domain::basic::{ApiKeyRefid, ClientRefid, EmailAddress, Name, ResellerRefid, Time, UserRefid};
use purser_domain::people::clean_up::{Reason, Stale};
use purser_domain::people::{
    Actor, ApiKey, GivenDevice, Login, ResellerRole, RoleName, Scope, Scopes, Session, User, UserStatus,
};
use purser_store::people::sign_in::OpenedSession;
use serde::Serialize;
use utoipa::ToSchema;

/// A user: a person's account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    refid: UserRefid,
    email: EmailAddress,
    name: Name,
    /// The roles that the user holds, the most powerful first.
    roles: Vec<RoleName>,
    /// The reseller whose staff the user belongs to; null if there is none.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// What the user may do as a member of the reseller; null for a user who is none.
    #[schema(required = true)]
    reseller_role: Option<ResellerRole>,
    /// What the user may do in the most powerful of the roles: `operator`, else `reseller`; empty without such a role.
    scopes: Vec<Scope>,
    /// The client that the user is bound to; null if there is none.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    status: UserStatus,
    /// Whether the user signs in with a second factor.
    second_factor: bool,
    /// When the user's address was confirmed; null until then.
    #[schema(required = true)]
    confirmed_at: Option<Time>,
    /// When the user last signed in; null before the first time.
    #[schema(required = true)]
    last_login_at: Option<Time>,
    created_at: Time,
    version: u64,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            refid: user.refid.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            roles: user.roles(),
            reseller: user.reseller.clone(),
            reseller_role: user.reseller.as_ref().map(|_| user.reseller_role),
            scopes: user.rights().into_iter().flatten().collect(),
            client: user.client.clone(),
            status: user.status,
            second_factor: user.second_factor,
            confirmed_at: user.confirmed_at,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
            version: user.version,
        }
    }
}

/// A session that has just begun.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionToken)]
pub struct SessionTokenView {
    /// The token to send as `Authorization: Bearer`. It is shown only this once.
    token: String,
    /// When the session ends at the latest.
    expires_at: Time,
    /// The roles of the signed-in user, the most powerful first.
    roles: Vec<RoleName>,
    /// The signed-in user.
    user: UserRefid,
    /// The value to send as `device` with the next sign-in from this device.
    #[schema(value_type = GivenDevice)]
    device: String,
}

impl From<&OpenedSession> for SessionTokenView {
    fn from(signed_in: &OpenedSession) -> Self {
        Self {
            token: signed_in.token.clone(),
            expires_at: signed_in.expires_at,
            roles: signed_in.user.roles(),
            user: signed_in.user.refid.clone(),
            device: signed_in.device.clone(),
        }
    }
}

/// A user that nobody seems to need any more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaleUser)]
pub struct StaleUserView {
    refid: UserRefid,
    email: EmailAddress,
    name: Name,
    reason: Reason,
    /// When the user was last confirmed or signed in, or was created if neither ever happened.
    since: Time,
    /// The version to send as `If-Match`, in quotation marks, so that the user is deleted only if nothing has
    /// changed.
    version: u64,
}

impl StaleUserView {
    pub fn of(user: &User, stale: &Stale) -> Self {
        Self {
            refid: user.refid.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            reason: stale.reason,
            since: stale.since,
            version: user.version,
        }
    }
}

/// A session of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    id: String,
    created_at: Time,
    /// When the session was last used, accurate to five minutes.
    last_used_at: Time,
    /// When the session ends at the latest.
    expires_at: Time,
    /// The network address from which the user signed in; null if unknown.
    #[schema(required = true)]
    address: Option<String>,
    /// The `User-Agent` of the browser or program; null if it sent none.
    #[schema(required = true)]
    agent: Option<String>,
    /// Whether this is the session that sends the request.
    current: bool,
}

impl SessionView {
    pub fn of(session: &Session, last_used_at: Time, current: bool) -> Self {
        Self {
            id: session.id.clone(),
            created_at: session.created_at,
            last_used_at,
            expires_at: session.expires_at,
            address: session.address.clone(),
            agent: session.agent.clone(),
            current,
        }
    }
}

/// A sign-in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Login)]
pub struct LoginView {
    id: String,
    created_at: Time,
    /// The network address from which the user signed in; null if unknown.
    #[schema(required = true)]
    address: Option<String>,
    /// The `User-Agent` of the browser or program; null if it sent none.
    #[schema(required = true)]
    agent: Option<String>,
    /// Whether this was the first sign-in from a device. It is false for the user's very first sign-in.
    new_device: bool,
}

impl From<&Login> for LoginView {
    fn from(login: &Login) -> Self {
        Self {
            id: login.id.clone(),
            created_at: login.created_at,
            address: login.address.clone(),
            agent: login.agent.clone(),
            new_device: login.new_device,
        }
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    refid: ApiKeyRefid,
    name: Name,
    /// The reseller that the key acts for; null for an operator's key.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// Whose key it is: the refid of a user or an older key, or `operator` for the deployment. When the owner loses one
    /// of the key's rights, the key ends.
    #[schema(value_type = String, example = "US-7ZK3M9QWX2ABCDEF")]
    owner: Actor,
    scopes: Scopes,
    /// When the key stops working.
    expires_at: Time,
    /// When the key was last used, accurate to five minutes; null if it never was.
    #[schema(required = true)]
    last_used_at: Option<Time>,
    created_at: Time,
}

impl ApiKeyView {
    pub fn of(key: &ApiKey, last_used_at: Option<Time>) -> Self {
        Self {
            refid: key.refid.clone(),
            name: key.name.clone(),
            reseller: key.reseller().cloned(),
            owner: key.owner.clone().into(),
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
            last_used_at,
            created_at: key.created_at,
        }
    }
}
