//! The second factor: codes from an authenticator app (TOTP, RFC 6238), and recovery codes for when the app is lost.
//!
//! Invariant: a code works for one sign-in. The time step of an accepted code is stored, and codes of that step and
//! of earlier ones are refused from then on; a used recovery code is removed from the list. `Debug` shows no secret.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::basic::email::EmailAddress;
use crate::basic::refid::{self, BYTES};
use crate::basic::time::Time;

/// The length of a secret in bytes: that of a SHA-1 hash, as recommended by RFC 4226, section 4.
pub const SECRET_BYTES: usize = 20;
pub const RECOVERY_CODES: usize = 10;

/// The length of a time step, in seconds.
const STEP: u64 = 30;
/// How many time steps a clock may be ahead or behind.
const SKEW: u16 = 1;
const DIGITS: u8 = 6;
/// How many symbols of a recovery code form a group.
const GROUP: usize = 4;

/// The secret that an authenticator app and Purser share: 160 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a TOTP secret must be {SECRET_BYTES} bytes")]
pub struct NoTotpSecret;

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TryFrom<&[u8]> for TotpSecret {
    type Error = NoTotpSecret;
    fn try_from(bytes: &[u8]) -> Result<Self, NoTotpSecret> {
        let bytes = bytes.try_into().map_err(|_| NoTotpSecret)?;
        Ok(Self::new(bytes))
    }
}

impl TotpSecret {
    pub fn new(random: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(random))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret in base 32, for typing it into an app that can't scan.
    pub fn to_base32(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(self.as_bytes())
    }

    /// The `otpauth://` URI that apps scan, for the account `email` at `brand`.
    pub fn uri(&self, brand: &str, email: &EmailAddress) -> String {
        // A colon separates issuer and account, so neither may contain one.
        let plain = |text: &str| text.replace(':', "");
        let totp = self
            .builder()
            .with_issuer(Some(plain(brand)))
            .with_account_name(plain(email.as_str()))
            .build_noncompliant();
        // Building the URI fails only if the account name is empty, and an address is never empty.
        totp.to_url().unwrap_or_default()
    }

    /// The time step of `code`, if this secret gives that code around `now` and the step is later than `last_step`,
    /// the step of the last accepted code. Spaces are ignored, because apps show codes in groups.
    pub fn verify(&self, code: &str, now: Time, last_step: Option<u64>) -> Option<u64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let now = u64::try_from(now.unix_seconds()).ok()?;
        let step = self.totp().check(&code, now)?;
        last_step.is_none_or(|last| step > last).then_some(step)
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW)
            .with_step_duration(STEP)
            .with_secret(*self.0)
    }

    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }
}

/// The SHA-256 of a recovery code, which is all that is stored of it. A code has 80 random bits, which nobody can
/// guess, so a slow hash would add nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryHash(String);

impl std::fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryHash(…)")
    }
}

/// Makes a recovery code in the form in which it is shown once: `7ZK3-M9QW-X2AB-CDEF`.
pub fn recovery_code(random: [u8; BYTES]) -> String {
    let code = refid::code(random);
    let symbols: Vec<char> = code.chars().collect();
    let groups = symbols.chunks(GROUP).map(String::from_iter);
    groups.collect::<Vec<String>>().join("-")
}

/// The hash of a recovery code that someone typed, in upper or lower case, in groups or not, and with letters for the
/// digits that they look like (Crockford's base 32). `None` if it can't be a recovery code.
pub fn recovery_hash(typed: &str) -> Option<RecoveryHash> {
    let mut symbols = Zeroizing::new(String::with_capacity(64));
    let typed = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    symbols.extend(typed.take(17).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        symbol => symbol,
    }));
    refid::is_code(&symbols).then(|| RecoveryHash(data_encoding::HEXLOWER.encode(&Sha256::digest(symbols.as_bytes()))))
}

/// The stored codes without `typed`; `None` if `typed` is not one of them.
pub fn use_recovery_code(kept: &[RecoveryHash], typed: &str) -> Option<Vec<RecoveryHash>> {
    let used = recovery_hash(typed)?;
    // Both sides are hashes of random codes, so the time that the comparison takes reveals nothing.
    let left: Vec<_> = kept.iter().filter(|hash| **hash != used).cloned().collect();
    (left.len() < kept.len()).then_some(left)
}

#[cfg(test)]
mod tests;
