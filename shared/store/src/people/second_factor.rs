//! Second factors in the credentials: sealed secrets and hashed recovery codes.
//!
//! Invariant: a sealed secret opens only for its own user, and a code is used up in the same commit that accepts it.

use data_encoding::BASE64;
use purser_domain::Refusal;
use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::second_factor::{RECOVERY_CODES, recovery_code, recovery_hash, use_recovery_code};
use purser_domain::people::{Credentials, RecoveryHash, SecondFactor, TotpSecret};

use crate::engine::secrets::{Seal, random};
use crate::{Store, StoreError};

pub(crate) fn place(user: &UserRefid) -> String {
    format!("second factor of {user}")
}

#[derive(Debug)]
pub struct RecoveryCodes {
    /// The codes, to be shown once.
    pub shown: Vec<String>,
    pub kept: Vec<RecoveryHash>,
}

impl RecoveryCodes {
    pub fn draw() -> Result<Self, StoreError> {
        let draw = |_| Ok(recovery_code(random()?));
        let shown = (0..RECOVERY_CODES).map(draw).collect::<Result<Vec<String>, StoreError>>()?;
        let kept = shown.iter().filter_map(|it| recovery_hash(it)).collect();
        Ok(Self { shown, kept })
    }
}

impl Store {
    /// A new secret for `user`, in clear and sealed.
    pub fn new_totp_secret(&self, user: &UserRefid) -> Result<(TotpSecret, String), StoreError> {
        let secret = TotpSecret::new(self.secrets.random()?);
        let sealed = self.secrets.seal(Seal::Factor, &place(user), secret.as_bytes())?;
        Ok((secret, BASE64.encode(&sealed)))
    }

    fn totp_secret(&self, user: &UserRefid, sealed: &str) -> Result<TotpSecret, StoreError> {
        let unreadable = || StoreError::Unreadable("the secret of a second factor".to_owned());
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| unreadable())?;
        let secret = self.secrets.open(Seal::Factor, &place(user), &sealed)?;
        TotpSecret::try_from(secret.as_slice()).map_err(|_| unreadable())
    }

    /// Uses up `code`, from the app or for recovery; returns the second factor to store. Refused if the code is wrong.
    pub fn use_second_factor(
        &self,
        user: &UserRefid,
        factor: &SecondFactor,
        code: &str,
        now: Time,
    ) -> Result<SecondFactor, StoreError> {
        let mut used = factor.clone();
        let secret = self.totp_secret(user, &factor.sealed)?;
        if let Some(step) = secret.verify(code, now, factor.last_step) {
            used.last_step = Some(step);
        } else {
            let left = use_recovery_code(&factor.recovery, code);
            used.recovery = left.ok_or(Refusal::InvalidCode)?;
        }
        Ok(used)
    }

    /// The second factor that was offered to `user`, once a first code proves that the app knows its secret.
    pub fn prove_second_factor(
        &self,
        credentials: &Credentials,
        code: &str,
        recovery: Vec<RecoveryHash>,
        now: Time,
    ) -> Result<SecondFactor, StoreError> {
        let sealed = credentials.offered_factor.clone();
        let sealed = sealed.ok_or(Refusal::SecondFactorDisabled)?;
        let secret = self.totp_secret(&credentials.user, &sealed)?;
        let step = secret.verify(code, now, None).ok_or(Refusal::InvalidCode)?;
        Ok(SecondFactor { sealed, last_step: Some(step), recovery, since: now })
    }
}
