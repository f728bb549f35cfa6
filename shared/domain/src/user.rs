//! Users: logins.
//!
//! Invariant: one e-mail address, one user (SPEC, "user"). A user made by onboarding has no password until its
//! owner sets one.

use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::refid::{ResellerRefid, UserRefid};
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
    /// When its address was confirmed.
    pub confirmed_at: Option<Time>,
    /// When it was created.
    pub created_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}
