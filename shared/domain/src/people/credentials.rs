//! Credentials: how a user proves who it is.
//!
//! Invariant: they stand apart from the user, so that no list, index or page ever holds them; a password becomes valid
//! only with a proof that its owner reads the mail at the address.

use serde::{Deserialize, Serialize};

use crate::basic::refid::UserRefid;
use crate::basic::time::Time;
use crate::people::password::PasswordHash;
use crate::people::second_factor::RecoveryHash;

/// What a user proves itself with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credentials {
    /// Whose they are.
    pub user: UserRefid,
    /// Its password; none until it is set.
    pub password: Option<PasswordHash>,
    /// When its owner last set it. A hash that was only made stronger is the same password.
    pub password_set_at: Option<Time>,
    /// The password of a registration that waits for its confirmation.
    pub registration: Option<PasswordHash>,
    /// How many registrations there were before one was confirmed.
    pub registrations: u32,
    /// The second factor, once it is proven to work.
    pub second_factor: Option<SecondFactor>,
    /// The sealed secret of one that is not yet.
    pub offered_factor: Option<String>,
    /// When they were first kept.
    pub created_at: Time,
    /// When they last changed.
    pub changed_at: Option<Time>,
    /// Counts their changes from 1.
    pub version: u64,
}

/// A second factor that is in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Its secret, sealed.
    pub sealed: String,
    /// The last step of time that a code was taken for; it and what is before it are used up.
    pub last_step: Option<u64>,
    /// What is kept of the recovery codes that are left.
    pub recovery: Vec<RecoveryHash>,
    /// Since when.
    pub since: Time,
}

impl Credentials {
    /// None so far.
    pub fn none(user: &UserRefid, now: Time) -> Self {
        Self {
            user: user.clone(),
            password: None,
            password_set_at: None,
            registration: None,
            registrations: 0,
            second_factor: None,
            offered_factor: None,
            created_at: now,
            changed_at: None,
            version: 0,
        }
    }

    /// The credentials in their next version.
    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { changed_at: Some(now), version: self.version + 1, ..self.clone() }
    }

    /// The credentials with a password that the user's owner set; registrations are over.
    #[must_use]
    pub fn with_password(&self, password: PasswordHash, now: Time) -> Self {
        Self {
            password: Some(password),
            password_set_at: Some(now),
            registration: None,
            offered_factor: None,
            ..self.next(now)
        }
    }

    /// The credentials with one more registration, whose password waits.
    #[must_use]
    pub fn registered(&self, password: PasswordHash, now: Time) -> Self {
        Self { registration: Some(password), registrations: self.registrations.saturating_add(1), ..self.next(now) }
    }

    /// The password that a link sent once more may confirm. After several registrations nobody knows whose the last one
    /// was, so then none: the link asks for a new password.
    pub fn confirmable(&self) -> Option<&PasswordHash> {
        let one = self.registrations == 1;
        self.registration.as_ref().filter(|_| one)
    }
}
