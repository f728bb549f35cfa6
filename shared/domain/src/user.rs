//! Users: logins.
//!
//! Invariant: one e-mail address, one user (SPEC, "user"); one user, at most one client (SPEC A7). A user made by
//! onboarding has no password until its owner sets one.

use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::refid::{ClientRefid, ResellerRefid, UserRefid};
use crate::refusal::Refusal;
use crate::text::Name;
use crate::time::Time;

/// A login as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Its public id.
    pub refid: UserRefid,
    /// The address it signs in with, unique among users.
    pub email: EmailAddress,
    /// The name it goes by.
    pub name: Name,
    /// The reseller it is a member of.
    pub reseller: Option<ResellerRefid>,
    /// The client it is bound to.
    pub client: Option<ClientRefid>,
    /// When its address was confirmed.
    pub confirmed_at: Option<Time>,
    /// When it was created.
    pub created_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

impl User {
    /// The user bound to `client`. One that seems to be bound to it already is bound again, because what was read may
    /// be what it was before it was released.
    pub fn bound_to(&self, client: &ClientRefid) -> Result<Self, Refusal> {
        match &self.client {
            Some(bound) if bound != client => Err(Refusal::UserBound),
            _ => Ok(Self {
                client: Some(client.clone()),
                version: self.version + 1,
                ..self.clone()
            }),
        }
    }

    /// The user bound to no client.
    #[must_use]
    pub fn unbound(&self) -> Self {
        Self {
            client: None,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// Whether a new client with its address may be bound to it without being asked: its address is proven to be
    /// its own, and no other client has it (SPEC A7).
    pub fn takes_clients(&self) -> bool {
        self.confirmed_at.is_some() && self.client.is_none()
    }
}
