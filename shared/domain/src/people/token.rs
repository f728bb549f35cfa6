//! Tokens: what the links in mails carry (rule D2).
//!
//! Invariant: a token is 256 random bits that stand in one mail and nowhere else, is good for one thing, once, for a
//! short time, and only as long as its user has the address it was mailed to and the epoch it was made in.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::UserRefid;
use crate::basic::time::Time;
use crate::people::password::PasswordHash;
use crate::people::user::User;
use crate::refusal::Refusal;

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Confirms the address of a registration, and makes its password valid.
    Confirm {
        /// The password of the registration.
        password: PasswordHash,
    },
    /// Sets a new password.
    Reset,
    /// Sets the first password of a login that somebody else made.
    SetPassword,
    /// Confirms another address for a login.
    ChangeEmail {
        /// The address it was mailed to.
        email: EmailAddress,
    },
}

impl Purpose {
    /// How long a token is good for it.
    pub const fn lasts(&self) -> SignedDuration {
        match self {
            Self::Reset => SignedDuration::from_mins(10),
            Self::Confirm { .. } | Self::SetPassword | Self::ChangeEmail { .. } => SignedDuration::from_hours(24),
        }
    }

    /// Whether it sets a password that comes with it.
    pub const fn sets_password(&self) -> bool {
        matches!(self, Self::Reset | Self::SetPassword)
    }
}

/// A token as it is kept, under the hash of what the mail carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What it is good for.
    pub purpose: Purpose,
    /// Whose it is.
    pub user: UserRefid,
    /// The address the user had when it was made.
    pub email: EmailAddress,
    /// The user's epoch when it was made.
    pub epoch: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it stops being good.
    pub expires_at: Time,
    /// Always 1: a token is made and used, never changed.
    pub version: u64,
}

impl Token {
    /// A token for `user`.
    pub fn mint(user: &User, purpose: Purpose, now: Time) -> Self {
        Self {
            user: user.refid.clone(),
            email: user.email.clone(),
            epoch: user.epoch,
            created_at: now,
            expires_at: now.plus(purpose.lasts()),
            purpose,
            version: 1,
        }
    }

    /// Refuses a token that is no longer good for `user`. What is wrong with it stays untold.
    pub fn must_be_good_for(&self, user: &User, now: Time) -> Result<(), Refusal> {
        let confirms = matches!(self.purpose, Purpose::Confirm { .. });
        let good = self.expires_at > now
            && self.user == user.refid
            && self.email.folded() == user.email.folded()
            && self.epoch == user.epoch
            && user.may_sign_in()
            // A registration's password is not for a login that somebody else gave a role.
            && !(confirms && (user.confirmed_at.is_some() || !user.is_plain()));
        good.then_some(()).ok_or(Refusal::InvalidToken)
    }
}

/// What somebody asked for who is then mailed a link. It waits in the table for whoever mails it, so that the answer to
/// the request neither depends on what is known of the address nor takes the time to find out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRequest {
    /// Its id, random.
    pub id: String,
    /// What was asked for.
    pub asks: Asks,
    /// When.
    pub created_at: Time,
    /// Always 1.
    pub version: u64,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// A login with this address.
    Register {
        /// The address.
        email: EmailAddress,
        /// The name it goes by.
        name: crate::basic::text::Name,
        /// Its password.
        password: PasswordHash,
    },
    /// The confirmation once more.
    Resend {
        /// The address.
        email: EmailAddress,
    },
    /// A way in without the password.
    Reset {
        /// The address.
        email: EmailAddress,
    },
    /// Another address for a login, whose owner proved to be it.
    ChangeEmail {
        /// The login.
        user: UserRefid,
        /// The new address.
        email: EmailAddress,
        /// The login's epoch when it asked.
        epoch: u64,
    },
}

impl Asks {
    /// The address it is about.
    pub fn email(&self) -> &EmailAddress {
        match self {
            Self::Register { email, .. }
            | Self::Resend { email }
            | Self::Reset { email }
            | Self::ChangeEmail { email, .. } => email,
        }
    }

    /// The login that asks, when that is known.
    pub fn user(&self) -> Option<&UserRefid> {
        match self {
            Self::ChangeEmail { user, .. } => Some(user),
            Self::Register { .. } | Self::Resend { .. } | Self::Reset { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        let start = Time::try_from("2026-01-01T00:00:00.000Z".to_owned()).unwrap();
        start.plus(SignedDuration::from_secs(seconds))
    }

    fn confirm() -> Purpose {
        let password = "$argon2id$".to_owned().try_into().unwrap();
        Purpose::Confirm { password }
    }

    fn user() -> User {
        let refid = UserRefid::parse("US-0123456789ABCDEF").unwrap();
        let email = EmailAddress::try_from("a@example.com".to_owned()).unwrap();
        let name = crate::basic::text::Name::try_from("A".to_owned()).unwrap();
        User::new(refid, email, name, at(0))
    }

    #[test]
    fn tokens_last_as_long_as_they_should() {
        for (purpose, lasts) in [(Purpose::Reset, 600), (Purpose::SetPassword, 86_400), (confirm(), 86_400)] {
            let token = Token::mint(&user(), purpose, at(0));
            assert_eq!(token.must_be_good_for(&user(), at(lasts - 1)), Ok(()));
            let late = token.must_be_good_for(&user(), at(lasts));
            assert_eq!(late, Err(Refusal::InvalidToken));
        }
    }

    #[test]
    fn a_token_ends_with_what_it_was_made_for() {
        let token = Token::mint(&user(), Purpose::Reset, at(0));
        let email = EmailAddress::try_from("b@example.com".to_owned()).unwrap();
        let suspended = crate::people::user::UserChange {
            status: Some(crate::people::user::UserStatus::Suspended),
            ..crate::people::user::UserChange::default()
        };
        for other in [
            user().next_epoch(),
            user().moved_to(&email, at(1)),
            user().changed(&suspended).unwrap(),
            User { refid: UserRefid::parse("US-0123456789ABCDE0").unwrap(), ..user() },
        ] {
            let used = token.must_be_good_for(&other, at(1));
            assert_eq!(used, Err(Refusal::InvalidToken), "{other:?}");
        }
        let again = Token::mint(&user(), confirm(), at(0));
        let invited = User { invited: true, ..user() };
        let client = crate::basic::refid::ClientRefid::parse("CL-0123456789ABCDEF").unwrap();
        for other in [user().confirmed(at(0)), invited, user().bound_to(&client).unwrap()] {
            let used = again.must_be_good_for(&other, at(1));
            assert_eq!(used, Err(Refusal::InvalidToken), "{other:?}");
        }
    }
}
