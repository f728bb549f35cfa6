//! Passwords: what may be one, and how one is kept.
//!
//! Invariant: a [`Password`] keeps to the policy it was chosen under; text is compared in one normal form, so that it
//! does not matter on which keyboard it was typed (NIST SP 800-63B, 3.1.1.2). None is ever shown by `Debug`, and the
//! memory of each is wiped when it is dropped.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use crate::basic::email::EmailAddress;
use crate::basic::text::Name;

/// The most characters of a password.
pub const MOST: usize = 256;
/// The fewest characters that a deployment may ask for.
pub const FEWEST: usize = 8;
/// The fewest characters, unless a deployment asks for others (rule D2).
pub const USUAL: usize = 12;
/// How many characters are judged, from the first one: judging takes time that grows with their square, and with the
/// ways to read digits as letters. For a hundred such characters it was a second, for these it is less than a tenth.
const JUDGED: usize = 32;

/// A password as somebody typed it, in normal form (NFKC): at most [`MOST`] characters, and otherwise anything.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GivenPassword(Zeroizing<String>);

#[cfg(feature = "schema")]
crate::value_schema!(
    GivenPassword as "Password", "A password, at most 256 characters in any script.", secret(0, MOST),
    "correct horse battery staple"
);

/// A new password that keeps to the policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(GivenPassword);

#[cfg(feature = "schema")]
crate::value_schema!(
    Password as "NewPassword",
    "A password nobody guesses: 12 characters, or as many as the deployment asks for, and none of the common ones.",
    secret(FEWEST, MOST), "correct horse battery staple"
);

/// Why a password is refused. The message is meant for people, and quotes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than the policy asks for.
    #[error("must be at least {least} characters")]
    TooShort {
        /// The fewest characters.
        least: usize,
    },
    /// More characters than anybody's may have.
    #[error("must be at most {most} characters")]
    TooLong {
        /// The most characters.
        most: usize,
    },
    /// It is one of the first that somebody would try who knows its owner.
    #[error("is too easy to guess{}{advice}", if advice.is_empty() { "" } else { ": " })]
    Common {
        /// What makes it so, and what would help; can be empty.
        advice: String,
    },
}

impl GivenPassword {
    /// The password as bytes, to be hashed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How many characters (Unicode scalar values) it has.
    fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl TryFrom<String> for GivenPassword {
    type Error = WeakPassword;
    fn try_from(text: String) -> Result<Self, WeakPassword> {
        let text = Zeroizing::new(text);
        let too_long = WeakPassword::TooLong { most: MOST };
        // Decomposed text can be several times as long as its normal form. What is longer than that is not looked at.
        if text.len() > MOST * 16 {
            return Err(too_long);
        }
        // With room for all of it from the start no part is left behind where the text would have been moved from.
        let mut normal = Zeroizing::new(String::with_capacity((MOST + 1) * 4));
        normal.extend(text.nfkc().take(MOST + 1));
        let given = Self(normal);
        if given.length() > MOST {
            return Err(too_long);
        }
        Ok(given)
    }
}

impl Password {
    /// The password as bytes, to be hashed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<Password> for GivenPassword {
    fn from(password: Password) -> Self {
        password.0
    }
}

/// What a deployment asks of new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    least: usize,
}

/// A policy that would ask for too little, or for what nobody can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from {FEWEST} to {MOST}")]
pub struct LaxPolicy;

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { least: USUAL }
    }
}

impl PasswordPolicy {
    /// Passwords of at least so many characters.
    pub fn at_least(least: usize) -> Result<Self, LaxPolicy> {
        if (FEWEST..=MOST).contains(&least) { Ok(Self { least }) } else { Err(LaxPolicy) }
    }

    /// The fewest characters.
    pub fn least(self) -> usize {
        self.least
    }

    /// The new password of whoever has this address and name; no other kinds of characters are asked for, because such
    /// rules make passwords worse (NIST SP 800-63B, 3.1.1.2). It computes for a few milliseconds, and for less than a
    /// tenth of a second whatever it is given.
    pub fn accept(
        self,
        given: GivenPassword,
        email: &EmailAddress,
        name: Option<&Name>,
    ) -> Result<Password, WeakPassword> {
        if given.length() < self.least {
            return Err(WeakPassword::TooShort { least: self.least });
        }
        let end = given.0.char_indices().nth(JUDGED).map(|(at, _)| at);
        let beginning = end.and_then(|end| given.0.get(..end));
        let judged = zxcvbn(beginning.unwrap_or(&given.0), &known(email, name));
        if judged.score() >= Score::Three {
            return Ok(Password(given));
        }
        let feedback = judged.feedback();
        let warning = feedback.and_then(zxcvbn::feedback::Feedback::warning);
        let suggestions = feedback.map_or(&[][..], |it| it.suggestions());
        let advice = warning.map(|it| it.to_string()).into_iter();
        let advice: Vec<String> = advice.chain(suggestions.iter().map(ToString::to_string)).collect();
        Err(WeakPassword::Common { advice: advice.join(" ") })
    }
}

/// What somebody who knows the owner would try first.
fn known<'a>(email: &'a EmailAddress, name: Option<&'a Name>) -> Vec<&'a str> {
    let whole = [email.as_str()].into_iter().chain(name.map(Name::as_str));
    let words = whole.clone().flat_map(|text| {
        text.split(|c: char| !c.is_alphanumeric())
            // A letter or two of a name can stand in any good password.
            .filter(|word| word.chars().count() > 2)
            .take(16)
    });
    whole.chain(words).collect()
}

/// The hash of a password with its parameters and salt, as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

/// Text that is no PHC string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the hash of a password")]
pub struct NoPasswordHash;

impl PasswordHash {
    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = NoPasswordHash;
    fn try_from(text: String) -> Result<Self, NoPasswordHash> {
        let shown = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.starts_with('$') && text.len() <= 512 && shown { Ok(Self(text)) } else { Err(NoPasswordHash) }
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

macro_rules! hidden {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

hidden! { GivenPassword Password PasswordHash }

#[cfg(test)]
mod tests;
