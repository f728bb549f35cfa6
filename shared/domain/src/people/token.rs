//! Tokens: the secrets in links that are e-mailed to users (rule D2).
//!
//! Invariant: a token is 256 random bits that only one e-mail contains. It works once, for one purpose and for a short
//! time, and only until the address or the epoch of the user changes.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::UserRefid;
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::password::PasswordHash;
use crate::people::user::User;
use crate::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Confirms the address of a registration. Whoever follows the link chooses the password, because the registration
    /// may be a stranger's. Tokens from before carried a password, which is not read.
    Confirm {},
    Reset,
    /// Sets the first password of a user whom somebody else created.
    SetPassword,
    /// Confirms a new address of a user, together with the user's password: the reader of the e-mail may be a stranger
    /// to the user.
    ChangeEmail {
        /// The new address, which the token was sent to.
        email: EmailAddress,
    },
}

impl Purpose {
    pub const fn lasts(&self) -> SignedDuration {
        match self {
            Self::Reset => SignedDuration::from_mins(10),
            Self::Confirm {} | Self::SetPassword | Self::ChangeEmail { .. } => SignedDuration::from_hours(24),
        }
    }

    /// Whether the link sets a password.
    pub const fn sets_password(&self) -> bool {
        matches!(self, Self::Confirm {} | Self::Reset | Self::SetPassword)
    }
}

/// In seconds.
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A token as it is stored, under the hash of the secret in the e-mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub purpose: Purpose,
    pub user: UserRefid,
    /// The user's address when the token was created.
    pub email: EmailAddress,
    /// The user's epoch when the token was created.
    pub epoch: u64,
    pub created_at: Time,
    pub expires_at: Time,
    /// Always 1: a token is created and used, but never changed.
    pub version: u64,
}

impl Token {
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

    pub fn lasts(&self) -> SignedDuration {
        SignedDuration::from_secs(self.expires_at.unix_seconds() - self.created_at.unix_seconds())
    }

    /// The token, good at least until a while after `next`, when its owner may ask for another.
    #[must_use]
    pub fn bridging(self, next: Time) -> Self {
        let wanted = next.plus(Purpose::Reset.lasts()).unix_seconds() - self.created_at.unix_seconds();
        let unit = if wanted > HOUR { HOUR } else { MINUTE };
        let whole = SignedDuration::from_secs(wanted.saturating_add(unit - 1) / unit * unit);
        Self { expires_at: self.expires_at.max(self.created_at.plus(whole)), ..self }
    }

    /// Refuses a token that `user` can't use any more, without revealing why.
    pub fn must_be_good_for(&self, user: &User, now: Time) -> Result<(), Refusal> {
        let registers = self.purpose == Purpose::Confirm {};
        // The link was asked for, and is confirmed, with a password that does not open the account.
        let takes_away = matches!(self.purpose, Purpose::ChangeEmail { .. }) && user.awaits_proof();
        let good = self.expires_at > now
            && self.user == user.refid
            && self.email.folded() == user.email.folded()
            && self.epoch == user.epoch
            && user.may_sign_in()
            && !(registers && user.confirmed_at.is_some())
            && !takes_away;
        good.then_some(()).ok_or(Refusal::InvalidToken)
    }
}

/// A request for a link by e-mail. It waits in the table until a worker sends the link, so neither the answer nor the
/// time that it takes depends on what is known about the address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRequest {
    pub id: String,
    pub asks: Asks,
    pub created_at: Time,
    /// Always 1: a request is stored and never changed.
    pub version: u64,
}

/// What someone asks a link for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Registering a user with this address.
    Register {
        email: EmailAddress,
        name: Option<Name>,
        /// The password of the new user, if the deployment does not ask for a confirmation of the address.
        password: Option<PasswordHash>,
    },
    /// Sending the link of a registration again.
    Resend { email: EmailAddress },
    /// Setting a new password without knowing the old one.
    Reset { email: EmailAddress },
    /// Changing the address of a user who has proved who they are.
    ChangeEmail { user: UserRefid, email: EmailAddress, epoch: u64 },
}

impl Asks {
    /// The request without the password that it brings, and that password.
    #[must_use]
    pub fn without_password(mut self) -> (Self, Option<PasswordHash>) {
        let taken = match &mut self {
            Self::Register { password, .. } => password.take(),
            Self::Resend { .. } | Self::Reset { .. } | Self::ChangeEmail { .. } => None,
        };
        (self, taken)
    }

    pub fn email(&self) -> &EmailAddress {
        match self {
            Self::Register { email, .. }
            | Self::Resend { email }
            | Self::Reset { email }
            | Self::ChangeEmail { email, .. } => email,
        }
    }

    /// The user who asks; `None` if the request only names an address.
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

    fn user() -> User {
        let refid = UserRefid::parse("US-0123456789ABCDEF").unwrap();
        let email = EmailAddress::try_from("a@example.com".to_owned()).unwrap();
        let name = crate::basic::text::Name::try_from("A".to_owned()).unwrap();
        User::new(refid, email, name, at(0))
    }

    #[test]
    fn tokens_last_as_long_as_they_should() {
        for (purpose, lasts) in [(Purpose::Reset, 600), (Purpose::SetPassword, 86_400), (Purpose::Confirm {}, 86_400)] {
            let token = Token::mint(&user(), purpose, at(0));
            assert_eq!(token.must_be_good_for(&user(), at(lasts - 1)), Ok(()));
            let late = token.must_be_good_for(&user(), at(lasts));
            assert_eq!(late, Err(Refusal::InvalidToken));
        }
    }

    #[test]
    fn a_confirmation_from_before_is_read_without_its_password() {
        let before = serde_json::json!({"confirm": {"password": "$argon2id$"}});
        assert_eq!(serde_json::from_value::<Purpose>(before).unwrap(), Purpose::Confirm {});
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
        let moves = Token::mint(&user(), Purpose::ChangeEmail { email: email.clone() }, at(0));
        assert_eq!(moves.must_be_good_for(&user(), at(1)), Ok(()));
        let customer = User { client: crate::basic::ClientRefid::parse("CL-0123456789ABCDEF"), ..user() };
        assert_eq!(moves.must_be_good_for(&customer, at(1)), Err(Refusal::InvalidToken));
        let again = Token::mint(&user(), Purpose::Confirm {}, at(0));
        let confirmed = again.must_be_good_for(&user().proven(None, at(0)), at(1));
        assert_eq!(confirmed, Err(Refusal::InvalidToken));
    }
}
