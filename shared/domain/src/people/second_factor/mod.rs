//! The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.
//!
//! Invariant: a code is good for one login. Of a code the step it belongs to is remembered, and that step and all
//! before it are refused from then on; a recovery code is taken off the list. `Debug` shows no secret.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::basic::email::EmailAddress;
use crate::basic::refid::{self, BYTES};
use crate::basic::time::Time;

/// Bytes of a secret: as many as SHA-1 has (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;

/// How long a code is shown, in seconds.
const STEP: u64 = 30;
/// How many steps a clock may be off, either way.
const SKEW: u16 = 1;
const DIGITS: u8 = 6;
/// How many symbols of a recovery code are shown together.
const GROUP: usize = 4;

/// What an authenticator app and we both know: 160 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// Bytes that are no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a TOTP secret is {SECRET_BYTES} bytes")]
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
    /// The secret of these random bytes.
    pub fn new(random: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// The secret as bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret as people type it into an app that can't scan: base 32.
    pub fn to_base32(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(self.as_bytes())
    }

    /// The `otpauth://` URI that apps scan: for the account `email` at `brand`.
    pub fn uri(&self, brand: &str, email: &EmailAddress) -> String {
        // A colon parts issuer and account; neither may hold one.
        let plain = |text: &str| text.replace(':', "");
        let totp = self
            .builder()
            .with_issuer(Some(plain(brand)))
            .with_account_name(plain(email.as_str()))
            .build_noncompliant();
        // It fails without an account's name alone, and an address is never empty.
        totp.to_url().unwrap_or_default()
    }

    /// The step that `code` is of, when it is one of this secret's about `now`, and later than `last_step`, the latest
    /// that was used. Spaces are not looked at, because apps show codes in groups.
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

/// What stays of a recovery code: its SHA-256. It has 80 random bits, which nobody guesses, so a slow hash would add
/// nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryHash(String);

impl std::fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryHash(…)")
    }
}

/// A recovery code, as it is shown once: `7ZK3-M9QW-X2AB-CDEF`.
pub fn recovery_code(random: [u8; BYTES]) -> String {
    let code = refid::code(random);
    let symbols: Vec<char> = code.chars().collect();
    let groups = symbols.chunks(GROUP).map(String::from_iter);
    groups.collect::<Vec<String>>().join("-")
}

/// What is kept of a recovery code, however it was typed: in either case, grouped or not, and with the letters that
/// look like digits for these (Crockford's base 32). None: it can't be one.
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

/// What is left of the codes kept, after `typed` was used up; none when it is not among them.
pub fn use_recovery_code(kept: &[RecoveryHash], typed: &str) -> Option<Vec<RecoveryHash>> {
    let used = recovery_hash(typed)?;
    // Both are hashes of what nobody else knows, so how long they are alike tells nothing.
    let left: Vec<_> = kept.iter().filter(|hash| **hash != used).cloned().collect();
    (left.len() < kept.len()).then_some(left)
}

#[cfg(test)]
mod tests;
