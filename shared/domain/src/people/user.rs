//! Users: logins.
//!
//! Invariant: one e-mail address, one user (rule D1); one user, at most one client (rule A7). Whatever a user may
//! do ends with its epoch: a new one begins with each change of password, roles or status, and no session lasts into
//! it. How a user proves who it is stands apart, in its [`crate::people::credentials::Credentials`].

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, ResellerRefid, UserRefid};
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::caller::RoleName;
use crate::refusal::Refusal;

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// It may.
    #[default]
    Active,
    /// An operator, or its reseller, keeps it out.
    Suspended,
}

impl UserStatus {
    /// The status as JSON spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A login as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct User {
    /// Its public id.
    pub refid: UserRefid,
    /// The address it signs in with, unique among users.
    pub email: EmailAddress,
    /// The address it had before, which is told of the change.
    #[serde(default)]
    pub previous_email: Option<EmailAddress>,
    /// The name it goes by.
    pub name: Name,
    /// Whether it is an operator.
    #[serde(default)]
    pub operator: bool,
    /// The reseller it is a member of.
    pub reseller: Option<ResellerRefid>,
    /// The client it is bound to: whose customer it is.
    pub client: Option<ClientRefid>,
    /// Whether it may sign in.
    #[serde(default)]
    pub status: UserStatus,
    /// Whether an operator keeps it out; then nobody else lets it in again.
    #[serde(default)]
    pub kept_out: bool,
    /// Whether somebody made it for its owner, who is then mailed a link to set a password.
    #[serde(default)]
    pub invited: bool,
    /// Whether it signs in with a second factor.
    #[serde(default)]
    pub second_factor: bool,
    /// Counts what ended its sessions.
    #[serde(default)]
    pub epoch: u64,
    /// When its address was confirmed.
    pub confirmed_at: Option<Time>,
    /// When it last signed in.
    #[serde(default)]
    pub last_login_at: Option<Time>,
    /// When it was created.
    pub created_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

/// What an operator may change of a user; what is none stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserChange {
    /// Its name.
    pub name: Option<Name>,
    /// Whether it is an operator.
    pub operator: Option<bool>,
    /// The reseller it is a member of.
    pub reseller: Option<Option<ResellerRefid>>,
    /// Whether it may sign in.
    pub status: Option<UserStatus>,
    /// Whether it is an operator who says so.
    pub by_operator: bool,
}

impl User {
    /// A user nobody has signed in as yet.
    pub fn new(refid: UserRefid, email: EmailAddress, name: Name, now: Time) -> Self {
        Self {
            refid,
            email,
            previous_email: None,
            name,
            operator: false,
            reseller: None,
            client: None,
            status: UserStatus::Active,
            kept_out: false,
            invited: false,
            second_factor: false,
            epoch: 0,
            confirmed_at: None,
            last_login_at: None,
            created_at: now,
            version: 1,
        }
    }

    /// The roles it holds, the most powerful first.
    pub fn roles(&self) -> Vec<RoleName> {
        let roles = [
            self.operator.then_some(RoleName::Operator),
            self.reseller.as_ref().map(|_| RoleName::Reseller),
            self.client.as_ref().map(|_| RoleName::Customer),
        ];
        roles.into_iter().flatten().collect()
    }

    /// Whether it is nobody's but its owner's: not made by somebody else, and without a role.
    pub fn is_plain(&self) -> bool {
        !self.invited && self.roles().is_empty()
    }

    /// Whether it may sign in, as far as it is not a matter of proof.
    pub fn may_sign_in(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// The user in its next version.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// The user in its next epoch: its sessions end.
    #[must_use]
    pub fn next_epoch(&self) -> Self {
        Self { epoch: self.epoch + 1, ..self.next() }
    }

    /// The user with its address confirmed, if it was not.
    #[must_use]
    pub fn confirmed(mut self, now: Time) -> Self {
        self.confirmed_at = self.confirmed_at.or(Some(now));
        self
    }

    /// The user at another address, which was just confirmed; its sessions end.
    #[must_use]
    pub fn moved_to(&self, email: &EmailAddress, now: Time) -> Self {
        Self {
            email: email.clone(),
            previous_email: Some(self.email.clone()),
            confirmed_at: Some(now),
            ..self.next_epoch()
        }
    }

    /// The user as an operator changes it; none when nothing is different. Other roles or another status are another
    /// epoch.
    pub fn changed(&self, change: &UserChange) -> Option<Self> {
        let mut new = self.next();
        if let Some(name) = &change.name {
            new.name = name.clone();
        }
        new.operator = change.operator.unwrap_or(self.operator);
        if let Some(reseller) = &change.reseller {
            new.reseller.clone_from(reseller);
        }
        new.status = change.status.unwrap_or(self.status);
        let stays_out = change.by_operator && change.status.is_some() || self.kept_out;
        new.kept_out = new.status == UserStatus::Suspended && stays_out;
        let powers = |user: &Self| (user.operator, user.reseller.clone(), user.status);
        if powers(&new) != powers(self) {
            new.epoch += 1;
        }
        let as_before = Self { version: self.version, ..new.clone() };
        (as_before != *self).then_some(new)
    }

    /// The user bound to `client`. One that seems to be bound to it already is bound again, because what was read may
    /// be what it was before it was released.
    pub fn bound_to(&self, client: &ClientRefid) -> Result<Self, Refusal> {
        match &self.client {
            Some(bound) if bound != client => Err(Refusal::UserBound),
            _ => Ok(Self { client: Some(client.clone()), ..self.next() }),
        }
    }

    /// The user bound to no client.
    #[must_use]
    pub fn unbound(&self) -> Self {
        Self { client: None, ..self.next() }
    }

    /// Whether a new client with its address may be bound to it without being asked: its address is proven to be
    /// its own, and no other client has it (rule A7).
    pub fn takes_clients(&self) -> bool {
        self.confirmed_at.is_some() && self.client.is_none()
    }

    /// Refuses to delete what others are built on: an operator, a member of a reseller, somebody's customer (rule D6).
    pub fn must_be_unbound(&self) -> Result<(), Refusal> {
        if !self.roles().is_empty() {
            return Err(Refusal::UserInUse);
        }
        Ok(())
    }
}
