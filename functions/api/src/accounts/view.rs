//! Users, sessions, sign-ins and API keys, as the API shows them.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here: no password, no secret half of
//! a token but the one that was just made.

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ApiKeyRefid, ClientRefid, ResellerRefid, UserRefid};
use purser_domain::basic::text::Name;
use purser_domain::basic::time::Time;
use purser_domain::people::api_key::ApiKey;
use purser_domain::people::caller::{Role, RoleName};
use purser_domain::people::clean_up::{Reason, Stale};
use purser_domain::people::given::GivenDevice;
use purser_domain::people::session::{Login, Session};
use purser_domain::people::user::{User, UserStatus};
use purser_store::people::sign_in::SignedIn;
use serde::Serialize;
use utoipa::ToSchema;

/// A login.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    refid: UserRefid,
    email: EmailAddress,
    name: Name,
    /// The roles it holds, the most powerful first.
    roles: Vec<RoleName>,
    /// The reseller it is a member of.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The client it is bound to.
    #[schema(required = true)]
    client: Option<ClientRefid>,
    status: UserStatus,
    /// Whether it signs in with a second factor.
    second_factor: bool,
    /// When its address was confirmed.
    #[schema(required = true)]
    confirmed_at: Option<Time>,
    /// When it last signed in.
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

/// A session that just began.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionToken)]
pub struct SessionTokenView {
    /// What goes as `Authorization: Bearer`; shown this once.
    token: String,
    /// When it ends at the latest.
    expires_at: Time,
    /// The roles of whoever signed in, the most powerful first.
    roles: Vec<RoleName>,
    /// Who that is.
    user: UserRefid,
    /// What the next sign-in from this device shows as `device`.
    #[schema(value_type = GivenDevice)]
    device: String,
}

impl From<&SignedIn> for SessionTokenView {
    fn from(signed_in: &SignedIn) -> Self {
        Self {
            token: signed_in.token.clone(),
            expires_at: signed_in.expires_at,
            roles: signed_in.user.roles(),
            user: signed_in.user.refid.clone(),
            device: signed_in.device.clone(),
        }
    }
}

/// A login that nobody needs any more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaleUser)]
pub struct StaleUserView {
    refid: UserRefid,
    email: EmailAddress,
    name: Name,
    reason: Reason,
    /// When it was made, or when it was last of use.
    since: Time,
    /// What `If-Match` must be, in quotation marks, to delete it as it is now.
    version: u64,
}

impl StaleUserView {
    /// A login, and why it may go.
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

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    id: String,
    created_at: Time,
    /// When it was last used, to five minutes.
    last_used_at: Time,
    /// When it ends at the latest.
    expires_at: Time,
    /// The network address it began at.
    #[schema(required = true)]
    address: Option<String>,
    /// What the browser or program called itself.
    #[schema(required = true)]
    agent: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    /// A session that was last used then.
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
    /// The network address.
    #[schema(required = true)]
    address: Option<String>,
    /// What the browser or program called itself.
    #[schema(required = true)]
    agent: Option<String>,
    /// Whether it was the first one from a device, though not the login's first.
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
    /// The reseller it acts for; null for an operator's.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    created_at: Time,
}

impl From<&ApiKey> for ApiKeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            refid: key.refid.clone(),
            name: key.name.clone(),
            reseller: match &key.role {
                Role::Operator | Role::Customer => None,
                Role::Reseller(reseller) => Some(reseller.clone()),
            },
            created_at: key.created_at,
        }
    }
}
