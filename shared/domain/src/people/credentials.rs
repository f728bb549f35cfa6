//! Credentials: how a user proves who they are.
//!
//! Invariant: credentials are stored apart from the user, so no list, index or page ever holds them. A password
//! becomes valid only with a proof that its owner receives the e-mails to the address. A deployment may accept
//! passwords without that proof; the proof, when it comes, then ends them.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::refid::UserRefid;
use crate::basic::time::Time;
use crate::people::password::PasswordHash;
use crate::people::second_factor::RecoveryHash;

/// How long an operator's permission to remove a second factor lasts.
const FACTOR_RELEASED: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credentials {
    pub user: UserRefid,
    /// The valid password; `None` until one is set.
    pub password: Option<PasswordHash>,
    /// When the owner last set the password. Replacing the hash by a stronger one of the same password does not
    /// change this.
    pub password_set_at: Option<Time>,
    /// The second factor, once a code has shown that it works.
    pub second_factor: Option<SecondFactor>,
    /// The sealed secret of a second factor that has not been shown to work yet.
    pub offered_factor: Option<String>,
    /// When an operator last allowed that a link for a new password removes the second factor.
    #[serde(default)]
    pub factor_released_at: Option<Time>,
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
            second_factor: None,
            offered_factor: None,
            factor_released_at: None,
            created_at: now,
            changed_at: None,
            version: 0,
        }
    }

    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { changed_at: Some(now), version: self.version + 1, ..self.clone() }
    }

    /// The credentials with a password that their owner set.
    #[must_use]
    pub fn with_password(&self, password: PasswordHash, now: Time) -> Self {
        Self { password: Some(password), password_set_at: Some(now), offered_factor: None, ..self.next(now) }
    }

    /// The credentials without a second factor.
    #[must_use]
    pub fn without_factor(self) -> Self {
        Self { second_factor: None, offered_factor: None, factor_released_at: None, ..self }
    }

    /// Whether a link for a new password, made at `made`, also removes the second factor, because an operator has
    /// allowed that lately, and before.
    pub fn factor_is_released(&self, now: Time, made: Time) -> bool {
        self.factor_released_at.is_some_and(|since| since.plus(FACTOR_RELEASED) > now && since <= made)
    }
}
