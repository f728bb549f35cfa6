//! Credentials: how a user proves who they are.
//!
//! Invariant: credentials are stored apart from the user, so no list, index or page ever holds them. A password
//! becomes valid only with a proof that its owner receives the e-mails to the address.

use serde::{Deserialize, Serialize};

use crate::basic::refid::UserRefid;
use crate::basic::time::Time;
use crate::people::password::PasswordHash;
use crate::people::second_factor::RecoveryHash;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credentials {
    pub user: UserRefid,
    /// The valid password; `None` until one is set.
    pub password: Option<PasswordHash>,
    /// When the owner last set the password. Replacing the hash by a stronger one of the same password does not
    /// change this.
    pub password_set_at: Option<Time>,
    /// The password of a registration that has not been confirmed.
    pub registration: Option<PasswordHash>,
    /// How many registrations were made before one of them was confirmed.
    pub registrations: u32,
    /// The second factor, once a code has shown that it works.
    pub second_factor: Option<SecondFactor>,
    /// The sealed secret of a second factor that has not been shown to work yet.
    pub offered_factor: Option<String>,
    pub created_at: Time,
    pub changed_at: Option<Time>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondFactor {
    pub sealed: String,
    /// The time step of the last accepted code. Codes of this step and of earlier ones are refused.
    pub last_step: Option<u64>,
    /// The hashes of the recovery codes that have not been used.
    pub recovery: Vec<RecoveryHash>,
    pub since: Time,
}

impl Credentials {
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

    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { changed_at: Some(now), version: self.version + 1, ..self.clone() }
    }

    /// The credentials with a password that their owner set. Registrations that wait for a confirmation end.
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

    /// The credentials with one more registration, whose password waits for a confirmation.
    #[must_use]
    pub fn registered(&self, password: PasswordHash, now: Time) -> Self {
        Self { registration: Some(password), registrations: self.registrations.saturating_add(1), ..self.next(now) }
    }

    /// The password that a repeated confirmation link may make valid. After several registrations it is unknown who
    /// made the last one, so there is none, and the link asks for a new password.
    pub fn confirmable(&self) -> Option<&PasswordHash> {
        let one = self.registrations == 1;
        self.registration.as_ref().filter(|_| one)
    }
}
