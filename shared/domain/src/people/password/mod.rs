//! Passwords: which ones are accepted, and how their hashes are stored.
//!
//! Invariant: a [`Password`] satisfies the policy under which it was chosen. Passwords are compared in one normal
//! form, so the keyboard on which they are typed does not matter (NIST SP 800-63B, 3.1.1.2). `Debug` never shows a
//! password, and the memory of a password is wiped when it is dropped.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use crate::basic::email::EmailAddress;
use crate::basic::text::Name;

/// The longest password, in characters.
pub const MOST: usize = 256;
/// The smallest minimum length that a deployment may choose, in characters.
pub const FEWEST: usize = 8;
/// The minimum length in characters, unless a deployment chooses another (rule D2).
pub const USUAL: usize = 12;
/// How many characters are judged, counted from the first. The time to judge grows with the square of the length and
/// with the ways to read digits as letters: a hundred digits took a second, and this many take less than a tenth of a
/// second.
const JUDGED: usize = 32;

/// A password as someone typed it, in normal form (NFKC): at most [`MOST`] characters of any kind.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GivenPassword(Zeroizing<String>);

#[cfg(feature = "schema")]
crate::value_schema!(
    GivenPassword as "Password", "A password, at most 256 characters in any script.", secret(0, MOST),
    "a quiet harbour at dusk"
);

/// A new password that satisfies the policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(GivenPassword);

#[cfg(feature = "schema")]
crate::value_schema!(
    Password as "NewPassword",
    "A password that is hard to guess: at least 12 characters, or the minimum of the deployment, and not a common one.",
    secret(FEWEST, MOST), "a quiet harbour at dusk"
);

/// Why a password is refused. People read the message, and it does not quote the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("must be at least {least} characters")]
    TooShort { least: usize },
    /// The password is longer than any deployment allows.
    #[error("must be at most {most} characters")]
    TooLong { most: usize },
    /// The password is one of the first that somebody who knows its owner would try.
    #[error("is too easy to guess{}{advice}", if advice.is_empty() { "" } else { ": " })]
    Common {
        /// What makes the password weak, and what would help; can be empty.
        advice: String,
    },
}

impl GivenPassword {
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl TryFrom<String> for GivenPassword {
    type Error = WeakPassword;
    fn try_from(text: String) -> Result<Self, WeakPassword> {
        let text = Zeroizing::new(text);
        let too_long = WeakPassword::TooLong { most: MOST };
        // Decomposed text can be several times as long as its normal form. Text that is longer than that is not
        // normalized.
        if text.len() > MOST * 16 {
            return Err(too_long);
        }
        // The capacity is enough for the whole text from the start, so the buffer never moves and leaves no copy
        // behind.
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
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<Password> for GivenPassword {
    fn from(password: Password) -> Self {
        password.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    least: usize,
}

/// The minimum length is too small, or larger than any password may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from {FEWEST} to {MOST}")]
pub struct LaxPolicy;

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { least: USUAL }
    }
}

impl PasswordPolicy {
    pub fn at_least(least: usize) -> Result<Self, LaxPolicy> {
        if (FEWEST..=MOST).contains(&least) { Ok(Self { least }) } else { Err(LaxPolicy) }
    }

    pub fn least(self) -> usize {
        self.least
    }

    /// Accepts a new password for the owner of this address and name. It requires no particular kinds of characters,
    /// because such rules make passwords worse (NIST SP 800-63B, 3.1.1.2). It takes a few milliseconds, and less than a
    /// tenth of a second for any input.
    pub fn accept(
        self,
        given: GivenPassword,
        email: &EmailAddress,
        name: Option<&Name>,
        brand: &str,
    ) -> Result<Password, WeakPassword> {
        if given.length() < self.least {
            return Err(WeakPassword::TooShort { least: self.least });
        }
        let known = known(email, name, brand);
        if is_made_of(&given.0, &known) {
            let advice = "Names, the name of the service and dates are what others try first.".to_owned();
            return Err(WeakPassword::Common { advice });
        }
        let typed = beginning(given.0.chars());
        let judged = zxcvbn(&typed, &known);
        if judged.score() >= Score::Three {
            let bare = bare(&given.0);
            if bare.is_empty() || zxcvbn(&bare, &known).score() >= Score::Three {
                return Ok(Password(given));
            }
        }
        let feedback = judged.feedback();
        let warning = feedback.and_then(zxcvbn::feedback::Feedback::warning);
        let suggestions = feedback.map_or(&[][..], |it| it.suggestions());
        let advice = warning.map(|it| it.to_string()).into_iter();
        let advice: Vec<String> = advice.chain(suggestions.iter().map(ToString::to_string)).collect();
        Err(WeakPassword::Common { advice: advice.join(" ") })
    }
}

/// Words that people put before a year to have a new password.
const OF_THE_YEAR: [&str; 40] = [
    "spring",
    "summer",
    "autumn",
    "fall",
    "winter",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "frühling",
    "sommer",
    "herbst",
    "januar",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "primavera",
    "verano",
    "otoño",
    "invierno",
    "hiver",
];

/// What people write here because they have read it somewhere: roles, the phrases of a comic and of our own document,
/// and greetings.
const FAMOUS: [&str; 27] = [
    "account",
    "admin",
    "administrator",
    "change",
    "client",
    "company",
    "credits",
    "customer",
    "hello",
    "letmein",
    "licence",
    "license",
    "login",
    "name",
    "operator",
    "partner",
    "pass",
    "password",
    "reseller",
    "secret",
    "user",
    "welcome",
    "word",
    "пароль",
    "correct horse battery staple",
    "four random common words no less",
    "tr0ub4dor&3",
];

/// Words that somebody who knows the owner, and where the password is for, would try first.
fn known<'a>(email: &'a EmailAddress, name: Option<&'a Name>, brand: &'a str) -> Vec<&'a str> {
    let whole = [email.as_str(), brand].into_iter().chain(name.map(Name::as_str));
    let words = whole.clone().flat_map(|text| {
        text.split(|c: char| !c.is_alphanumeric())
            // A part of a name with only one or two letters occurs in many good passwords.
            .filter(|word| word.chars().count() > 2)
            .take(16)
    });
    whole.chain(words).chain(OF_THE_YEAR).chain(FAMOUS).collect()
}

/// A password without what everybody adds: capitals, and what stands between the words. The signs over the digits of a
/// keyboard count as these digits.
fn bare(text: &str) -> Zeroizing<String> {
    let unshifted = |c: char| "!@#$%^&*()".find(c).and_then(|at| "1234567890".chars().nth(at)).unwrap_or(c);
    // Signs at the end are an ending, no keys.
    let keys = text.trim_end_matches(|c: char| !c.is_alphanumeric()).chars().map(unshifted);
    beginning(keys.filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase))
}

/// As many characters as are judged. The capacity is enough from the start, so no copy is left behind.
fn beginning(characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut beginning = Zeroizing::new(String::with_capacity(JUDGED * 4));
    beginning.extend(characters.take(JUDGED));
    beginning
}

/// Whether the letters of a password are only those of known words, with no more digits than a date has beside them.
/// Whatever else stands between them, such as a hyphen or an exclamation mark, is what everybody adds.
fn is_made_of(text: &str, known: &[&str]) -> bool {
    let folded =
        |text: &str| text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect::<String>();
    let mut words: Vec<String> = known.iter().map(|word| folded(word)).filter(|word| word.len() > 2).collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    let letters = folded(text);
    let left = words.iter().fold(letters.clone(), |left, word| left.replace(word.as_str(), ""));
    left.is_empty() && !letters.is_empty() && text.chars().filter(|c| c.is_numeric()).count() <= 8
}

/// The hash of a password with its parameters and salt, as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, derive_more::Into)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a password hash in the PHC format")]
pub struct NoPasswordHash;

impl PasswordHash {
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
