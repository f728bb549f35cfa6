//! Logins, sessions, sign-ins.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here: no password, no secret half of
//! a token but the one that was just made.

use purser_domain::basic::time::Time;
use purser_domain::people::clean_up::{Reason, Stale};
use purser_domain::people::session::{Login, Session};
use purser_domain::people::user::{User, UserStatus};
use purser_store::people::sign_in::SignedIn;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ClientRefidShape, DeviceShape, EmailShape, NameShape, ResellerRefidShape, UserRefidShape};

/// A login.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserShape {
    #[schema(value_type = UserRefidShape)]
    refid: String,
    #[schema(value_type = EmailShape)]
    email: String,
    #[schema(value_type = NameShape)]
    name: String,
    /// The roles it holds, the most powerful first.
    #[schema(value_type = Vec<RoleShape>)]
    roles: Vec<&'static str>,
    /// The reseller it is a member of.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The client it is bound to.
    #[schema(required = true, value_type = Option<ClientRefidShape>)]
    client: Option<String>,
    #[schema(value_type = UserStatusShape)]
    status: UserStatus,
    /// Whether it signs in with a second factor.
    second_factor: bool,
    /// When its address was confirmed.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Time>,
    /// When it last signed in.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Time>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    version: u64,
}

/// What somebody may be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
pub enum RoleShape {
    Operator,
    Reseller,
    Customer,
}

/// Whether a login may sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserStatus, rename_all = "lowercase")]
pub enum UserStatusShape {
    Active,
    Suspended,
}

impl From<&User> for UserShape {
    fn from(user: &User) -> Self {
        Self {
            refid: user.refid.to_string(),
            email: user.email.to_string(),
            name: user.name.to_string(),
            roles: user.roles(),
            reseller: user.reseller.as_ref().map(ToString::to_string),
            client: user.client.as_ref().map(ToString::to_string),
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
pub struct SessionTokenShape {
    /// What goes as `Authorization: Bearer`; shown this once.
    token: String,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
    /// The roles of whoever signed in, the most powerful first.
    #[schema(value_type = Vec<RoleShape>)]
    roles: Vec<&'static str>,
    /// Who that is.
    #[schema(value_type = UserRefidShape)]
    user: String,
    /// What the next sign-in from this device shows as `device`.
    #[schema(value_type = DeviceShape)]
    device: String,
}

impl From<&SignedIn> for SessionTokenShape {
    fn from(signed_in: &SignedIn) -> Self {
        Self {
            token: signed_in.token.clone(),
            expires_at: signed_in.expires_at,
            roles: signed_in.user.roles(),
            user: signed_in.user.refid.to_string(),
            device: signed_in.device.clone(),
        }
    }
}

/// A login that nobody needs any more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaleUser)]
pub struct StaleUserShape {
    #[schema(value_type = UserRefidShape)]
    refid: String,
    #[schema(value_type = EmailShape)]
    email: String,
    #[schema(value_type = NameShape)]
    name: String,
    #[schema(value_type = StaleReasonShape)]
    reason: Reason,
    /// When it was made, or when it was last of use.
    #[schema(value_type = String, format = DateTime)]
    since: Time,
    /// What `If-Match` must be, in quotation marks, to delete it as it is now.
    version: u64,
}

/// Why nobody needs a login.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaleReason, rename_all = "lowercase")]
pub enum StaleReasonShape {
    Unconfirmed,
    Dormant,
}

impl StaleUserShape {
    /// A login, and why it may go.
    pub fn of(user: &User, stale: &Stale) -> Self {
        Self {
            refid: user.refid.to_string(),
            email: user.email.to_string(),
            name: user.name.to_string(),
            reason: stale.reason,
            since: stale.since,
            version: user.version,
        }
    }
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionShape {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was last used, to five minutes.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Time,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
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

impl SessionShape {
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
pub struct LoginShape {
    id: String,
    #[schema(value_type = String, format = DateTime)]
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

impl From<&Login> for LoginShape {
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
