//! Signatures of what programs are told (rule C3).
//!
//! Invariant: what is signed never changes its form, because the programs that verify it are shipped once and used for
//! years. A signature is of one key, one question and one answer: with another of the three it is not valid.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::basic::time::Time;

/// With what the signed bytes of an answer begin. Nothing else that Purser signs begins so.
const ANSWER: &str = "purser-answer-v1";

/// The name of a key: the first 64 bits of the SHA-256 of its public half. So a key has the same name for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, derive_more::Display)]
#[serde(transparent)]
pub struct SigningKeyId(String);

#[cfg(feature = "schema")]
crate::value_schema!(SigningKeyId, "The name of a signing key, which it keeps for ever.", hex(16), "56475aa75463474c");

/// The public half of a signing key: 32 bytes, written in base64url without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerificationKey(VerifyingKey);

#[cfg(feature = "schema")]
crate::value_schema!(
    VerificationKey,
    "The 32 bytes of an Ed25519 public key (RFC 8032), in base64url without padding (RFC 4648, section 5).",
    pattern(43, 43, "^[A-Za-z0-9_-]{43}$"),
    "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the 32 bytes of an Ed25519 public key in base64url without padding")]
pub struct NotAPublicKey;

impl VerificationKey {
    pub fn id(&self) -> SigningKeyId {
        let hash: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        SigningKeyId(HEXLOWER.encode(hash.split_at(8).0))
    }
}

impl From<&SigningKey> for VerificationKey {
    fn from(key: &SigningKey) -> Self {
        Self(key.verifying_key())
    }
}

impl TryFrom<String> for VerificationKey {
    type Error = NotAPublicKey;

    fn try_from(text: String) -> Result<Self, NotAPublicKey> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        VerifyingKey::from_bytes(&bytes.ok_or(NotAPublicKey)?).map(Self).map_err(|_| NotAPublicKey)
    }
}

impl From<VerificationKey> for String {
    fn from(key: VerificationKey) -> Self {
        BASE64URL_NOPAD.encode(key.0.as_bytes())
    }
}

/// What a key signs. A signature by a key of another use is not valid, whatever it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SigningKeyUse))]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// Answers to programs.
    Answers,
    /// Licence files.
    Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SigningKeyStatus))]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// It will sign.
    Next,
    /// It signs.
    Active,
    /// It signs no more. What it signed is still valid.
    Retired,
    /// Somebody else may know it. Nothing that it signed is valid.
    Revoked,
}

/// What anybody may know of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedKey {
    pub r#use: KeyUse,
    pub public_key: VerificationKey,
    /// From when on the key signs.
    pub since: Time,
}

/// The place of the key that signs at `now` among keys of one use, of which each signs from one of `times` on: that of
/// the last that has begun, or of the first as long as none has.
pub fn place_of_active(times: impl IntoIterator<Item = Time>, now: Time) -> usize {
    times.into_iter().enumerate().filter(|(_, since)| *since <= now).last().map_or(0, |(place, _)| place)
}

/// The key that signs answers.
#[derive(Clone)]
pub struct AnswerKey {
    key: SigningKey,
    id: SigningKeyId,
}

impl AnswerKey {
    pub fn of(bytes: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(bytes);
        let id = VerificationKey::from(&key).id();
        Self { key, id }
    }

    pub fn public_key(&self) -> VerificationKey {
        (&self.key).into()
    }

    /// Signs the bytes of an answer to a request with these bytes.
    pub fn sign(&self, request: &[u8], answer: &[u8]) -> AnswerSignature {
        let signature = self.key.sign(&signed_bytes(&self.id, request, answer)).to_bytes();
        AnswerSignature { kid: self.id.clone(), signature }
    }
}

/// What is signed. The request is there as a hash, so that a full stop ends it wherever it has one.
fn signed_bytes(kid: &SigningKeyId, request: &[u8], answer: &[u8]) -> Vec<u8> {
    let request = BASE64URL_NOPAD.encode(&Sha256::digest(request));
    let mut bytes = format!("{ANSWER}.{kid}.{request}.").into_bytes();
    bytes.extend_from_slice(answer);
    bytes
}

/// The signature of an answer. It is written as the value of the header `Purser-Signature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSignature {
    kid: SigningKeyId,
    signature: [u8; 64],
}

impl fmt::Display for AnswerSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kid=\"{}\", sig=\"{}\"", self.kid, BASE64URL_NOPAD.encode(&self.signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"key": "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA", "nonce": "b7Jq0yXk3c"}"#;
    const ANSWER: &str =
        r#"{"valid":true,"code":"valid","checked_at":"2026-01-31T09:30:00Z","nonce":"b7Jq0yXk3c","licence":null}"#;

    /// The key of the bytes 0 to 31.
    fn key() -> AnswerKey {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
        AnswerKey::of(&bytes)
    }

    /// Another program made this vector, and docs/api.md names it. If it changes, shipped programs believe no answer.
    #[test]
    fn a_signature_is_the_same_in_every_version() {
        let public_key = String::from(key().public_key());
        assert_eq!(public_key, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        let signed = concat!(
            "purser-answer-v1.56475aa75463474c.ZuxZ4HJB9BLCxqjmDVKyjbrW5-lI98o1vdtQjSeTOtA.",
            r#"{"valid":true,"code":"valid","checked_at":"2026-01-31T09:30:00Z","nonce":"b7Jq0yXk3c","licence":null}"#,
        );
        let bytes = signed_bytes(&key().public_key().id(), REQUEST.as_bytes(), ANSWER.as_bytes());
        assert_eq!(String::from_utf8(bytes).unwrap(), signed);
        let expected = concat!(
            "kid=\"56475aa75463474c\", sig=\"",
            "_fhw-ZMIhy493HQKm-T8vPdagbhbxE3M9QT-tTPudcm_beIlUY4cSFQJV_pOfx-i4HaCxIhGCL6gQTDVVeNmCw\"",
        );
        assert_eq!(key().sign(REQUEST.as_bytes(), ANSWER.as_bytes()).to_string(), expected);
    }

    #[test]
    fn a_public_key_is_read_as_it_is_written() {
        let read = |text: &str| VerificationKey::try_from(text.to_owned());
        let written = String::from(key().public_key());
        assert_eq!(read(&written), Ok(key().public_key()));
        // No point of the curve has this form.
        let off_curve = BASE64URL_NOPAD.encode(&[2; 32]);
        let padded = format!("{written}=");
        for wrong in ["", "A6EH", padded.as_str(), &written.replace('_', "/"), &off_curve] {
            assert_eq!(read(wrong), Err(NotAPublicKey), "{wrong}");
        }
    }

    #[test]
    fn the_last_key_that_has_begun_signs() {
        let at = |seconds: i64| Time::of(jiff::Timestamp::from_second(seconds).unwrap());
        let times = [10, 20, 30].map(at);
        for (now, place) in [(0, 0), (10, 0), (19, 0), (20, 1), (29, 1), (30, 2), (99, 2)] {
            assert_eq!(place_of_active(times, at(now)), place, "{now}");
        }
    }
}
