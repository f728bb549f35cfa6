//! Users: the accounts of people.
//!
//! Invariant: an e-mail address belongs to at most one user (rule D1), and a user is bound to at most one client (rule
//! A7). A changed password, address, role or status begins a new epoch, and no session outlasts its epoch. How a user
//! proves who they are is stored apart, in [`crate::people::credentials::Credentials`].

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, RecordCode, ResellerRefid, UserRefid};
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::caller::RoleName;
use crate::people::caller::scope::{ResellerRole, Scopes};
use crate::refusal::Refusal;

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum UserStatus {
    /// The user may sign in.
    #[default]
    Active,
    /// An operator, or the user's reseller, does not let the user sign in.
    Suspended,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct User {
    pub refid: UserRefid,
    /// The address that the user signs in with. No other user has it.
    pub email: EmailAddress,
    /// The address before the last change. A notice of the change goes there.
    #[serde(default)]
    pub previous_email: Option<EmailAddress>,
    pub name: Name,
    #[serde(default)]
    pub operator: bool,
    /// What the user may do as an operator; `None` for everything.
    #[serde(default)]
    pub scopes: Option<Scopes>,
    pub reseller: Option<ResellerRefid>,
    /// What the user may do as a member of the reseller. Those who joined before there were such roles are owners.
    #[serde(default)]
    pub reseller_role: ResellerRole,
    /// The client that the user is bound to, which makes the user a customer.
    pub client: Option<ClientRefid>,
    #[serde(default)]
    pub status: UserStatus,
    /// Whether an operator suspended the user. Then only an operator can end the suspension.
    #[serde(default)]
    pub kept_out: bool,
    /// Whether somebody else created the user, who then gets a link by e-mail to set a password.
    #[serde(default)]
    pub invited: bool,
    /// Whether a stranger may have chosen the name: the user registered, and has not proven the address since.
    #[serde(default)]
    pub registered: bool,
    #[serde(default)]
    pub second_factor: bool,
    /// When the second factor was last turned on or off.
    #[serde(default)]
    pub second_factor_changed_at: Option<Time>,
    /// When the owner last replaced the password by another.
    #[serde(default)]
    pub password_replaced_at: Option<Time>,
    /// Counts the changes that ended the user's sessions.
    #[serde(default)]
    pub epoch: u64,
    /// When the current address was confirmed.
    pub confirmed_at: Option<Time>,
    #[serde(default)]
    pub last_login_at: Option<Time>,
    /// The record of the command that created the user. `None` without one, and for users from before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordCode>,
    pub created_at: Time,
    pub version: u64,
}

/// The changes to make to a user; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserChange {
    pub name: Option<Name>,
    pub operator: Option<bool>,
    /// `Some(None)` gives an operator all scopes.
    pub scopes: Option<Option<Scopes>>,
    /// `Some(None)` ends the membership.
    pub reseller: Option<Option<ResellerRefid>>,
    pub reseller_role: Option<ResellerRole>,
    pub status: Option<UserStatus>,
    /// Whether an operator makes the change, and not the user's reseller.
    pub by_operator: bool,
}

impl User {
    pub fn new(refid: UserRefid, email: EmailAddress, name: Name, now: Time) -> Self {
        Self {
            refid,
            email,
            previous_email: None,
            name,
            operator: false,
            scopes: None,
            reseller: None,
            reseller_role: ResellerRole::default(),
            client: None,
            status: UserStatus::Active,
            kept_out: false,
            invited: false,
            registered: false,
            second_factor: false,
            second_factor_changed_at: None,
            password_replaced_at: None,
            epoch: 0,
            confirmed_at: None,
            last_login_at: None,
            record: None,
            created_at: now,
            version: 1,
        }
    }

    /// The user's roles, the most powerful first.
    pub fn roles(&self) -> Vec<RoleName> {
        let roles = [
            self.operator.then_some(RoleName::Operator),
            self.reseller.as_ref().map(|_| RoleName::Reseller),
            self.client.as_ref().map(|_| RoleName::Customer),
        ];
        roles.into_iter().flatten().collect()
    }

    pub fn operator_scopes(&self) -> Scopes {
        self.scopes.clone().unwrap_or_else(Scopes::all)
    }

    /// What the user may do as the most powerful of their roles; `None` without such a role.
    pub fn rights(&self) -> Option<Scopes> {
        let member = || self.reseller.as_ref().map(|_| self.reseller_role.scopes());
        if self.operator { Some(self.operator_scopes()) } else { member() }
    }

    /// Whether the user registered without being invited and holds no role.
    pub fn is_plain(&self) -> bool {
        !self.invited && self.roles().is_empty()
    }

    /// Whether a password that a stranger may have set must not open the account: nobody has proven the address, and
    /// the user holds a role, which would be the stranger's (rule D1). A link for a new password proves it.
    pub fn awaits_proof(&self) -> bool {
        self.confirmed_at.is_none() && !self.roles().is_empty()
    }

    /// Whether the user's status allows signing in. A proof of who they are is needed in any case.
    pub fn may_sign_in(&self) -> bool {
        self.status == UserStatus::Active
    }

    #[must_use]
    pub fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// The user in the next epoch, in which all earlier sessions have ended.
    #[must_use]
    pub fn next_epoch(&self) -> Self {
        Self { epoch: self.epoch + 1, ..self.next() }
    }

    /// The user after a link proved that somebody reads the address's e-mails; all sessions end. With the first proof,
    /// a stranger's name and last sign-in end, too (rule D1). The user gets the name `named` or, without it, one made
    /// of the address.
    #[must_use]
    pub fn proven(&self, named: Option<Name>, now: Time) -> Self {
        let mut proven = self.next_epoch();
        if self.confirmed_at.is_some() {
            return proven;
        }
        let strangers = self.registered || self.is_plain();
        if let Some(name) = named.or_else(|| strangers.then(|| self.email.name())) {
            proven.name = name;
        }
        Self { confirmed_at: Some(now), registered: false, last_login_at: None, ..proven }
    }

    /// The user with another address, which has just been confirmed. All sessions end.
    #[must_use]
    pub fn moved_to(&self, email: &EmailAddress, now: Time) -> Self {
        Self {
            email: email.clone(),
            previous_email: Some(self.email.clone()),
            confirmed_at: Some(now),
            ..self.next_epoch()
        }
    }

    /// The user with `change` applied; `None` if that changes nothing. A change of roles or status begins a new
    /// epoch.
    pub fn changed(&self, change: &UserChange) -> Option<Self> {
        let mut new = self.next();
        if let Some(name) = &change.name {
            new.name = name.clone();
            new.registered &= !change.by_operator;
        }
        new.operator = change.operator.unwrap_or(self.operator);
        if let Some(scopes) = &change.scopes {
            new.scopes.clone_from(scopes);
        }
        if let Some(reseller) = &change.reseller {
            new.reseller.clone_from(reseller);
        }
        new.reseller_role = change.reseller_role.unwrap_or(self.reseller_role);
        new.status = change.status.unwrap_or(self.status);
        let stays_out = change.by_operator && change.status.is_some() || self.kept_out;
        new.kept_out = new.status == UserStatus::Suspended && stays_out;
        let powers = |user: &Self| (user.operator, user.reseller.clone(), user.rights(), user.status);
        if powers(&new) != powers(self) {
            new.epoch += 1;
        }
        let as_before = Self { version: self.version, ..new.clone() };
        (as_before != *self).then_some(new)
    }

    /// The user bound to `client`. A user who seems to be bound to that client already gets a new version, too, because
    /// that binding may have ended since the user was read.
    pub fn bound_to(&self, client: &ClientRefid) -> Result<Self, Refusal> {
        match &self.client {
            Some(bound) if bound != client => Err(Refusal::UserBound),
            _ => Ok(Self { client: Some(client.clone()), ..self.next() }),
        }
    }

    #[must_use]
    pub fn unbound(&self) -> Self {
        Self { client: None, ..self.next() }
    }

    /// Whether a new client with the user's address may be bound to the user automatically: the address is confirmed,
    /// and the user holds no role, so a reseller can't make customers of operators or of others' staff (rule A7).
    pub fn takes_clients(&self) -> bool {
        self.confirmed_at.is_some() && self.roles().is_empty()
    }

    /// Refuses to delete a user who holds a role: an operator, a member of a reseller, or a customer (rule D6).
    pub fn must_be_unbound(&self) -> Result<(), Refusal> {
        if !self.roles().is_empty() {
            return Err(Refusal::UserInUse);
        }
        Ok(())
    }
}
