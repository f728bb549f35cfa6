//! Stored answers: what a command answered the first time, to be repeated byte for byte.
//!
//! Invariant: an answer is compressed, so that the record of a money command stays within one kilobyte, and sealed
//! for the record it belongs to, because it holds licence keys. The dictionary of a version never changes.

use purser_domain::Refusal;
use serde::Serialize;

use crate::StoreError;
use crate::engine::secrets::{Seal, Secrets};

/// Text that answers have in common, as a dictionary for the compressor. Changing it makes stored answers unreadable:
/// add a new version instead, and keep this one for reading.
const DICTIONARY_1: &str = concat!(
    r#""reference":null,"tiers":null,"company_name":"","tier":"standard","tier":"gold","tier":"platinum","#,
    r#""hold_provisioning":false,"low_credit_threshold":500,"parent":null,"type":"credit","#,
    r#""licences":[],"client":null,"duration_days":null,"parallel_uses":null,"status":"pending","#,
    r#""activated_at":null,"expires_at":null,"activations":0,"version":1},{"refid":"LI-","key":"","product":"","#,
    r#"{"refid":"PV-","cost":,"balance":,"client":{"refid":"CL-","client_id":"","name":"","email":"@example.com","#,
    r#""phone":null,"status":"active","status":"pending","reseller":"RS-","user":null,"metadata":{},"#,
    r#""created_at":"2026-T00:00:00.000Z","updated_at":"2026-","version":1},"licences":[{"refid":"LI-","key":"","#,
    r#""product":"PROD-001","client":"CL-","client_id":"","email":null,"reseller":"RS-","provision":"PV-","#,
    r#""status":"pending","duration_days":365,"parallel_uses":null,"activations":0,"activated_at":null,"#,
    r#""expires_at":null,"created_at":"2026-T00:00:00.000Z","updated_at":"2026-","version":1}],"#,
    r#""entry":{"sequence":1,"type":"debit","amount":100,"balance_after":0,"reference":null,"description":null,"#,
    r#""actor":"AK-","created_at":"2026-","previous_hash":"","hash":"","provision":"PV-","#,
    r#""sale":{"product":"","quantity":1,"list_price":,"tier":"","discount_basis_points":}}}"#,
);
const VERSION_1: u8 = 1;
/// The largest answer before compression. It has room for 32 clients with 16 KiB of metadata each, and their
/// licences.
const LARGEST: usize = 1024 * 1024;
/// The largest compressed answer, in bytes, that leaves room for the rest of its item; an item holds 400 KB. A command
/// with a larger answer is refused. Only many clients with incompressible metadata cause one.
const LARGEST_PACKED: usize = 350 * 1024;
const LEVEL: i32 = 9;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: Vec<u8>,
    pub replayed: bool,
}

impl Answer {
    pub fn first(body: Vec<u8>) -> Self {
        Self { body, replayed: false }
    }
}

/// The view of a `T` that an answer shows: the type whose JSON is stored and sent.
pub trait View<T>: for<'a> From<&'a T> + Serialize {}

impl<T, V: for<'a> From<&'a T> + Serialize> View<T> for V {}

#[derive(Debug, Serialize)]
pub struct NoView;

impl<T> From<&T> for NoView {
    fn from(_: &T) -> Self {
        Self
    }
}

/// Serialises the body of an answer as JSON.
pub fn write(body: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(body).map_err(|error| StoreError::Failed(format!("can't serialise an answer: {error}")))
}

/// The body that shows `it` as `V`. Each try of a command makes a new body, because the stored answer is committed with
/// the effect (docs/adr/0004).
pub(crate) fn show<V: View<T>, T>(it: &T) -> Result<Vec<u8>, StoreError> {
    write(&V::from(it))
}

/// Compresses `body` and seals it for the record at `place`. `context` is text of the same item that never changes;
/// it extends the dictionary, so that the answer takes less room.
pub(crate) fn pack(secrets: &Secrets, place: &str, context: &str, body: &[u8]) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::Failed(format!("can't compress an answer: {error}"));
    let dictionary = format!("{context}{DICTIONARY_1}");
    let mut compressor = zstd::bulk::Compressor::with_dictionary(LEVEL, dictionary.as_bytes()).map_err(failed)?;
    // Reading needs no checksum or size: the seal detects damage, `LARGEST` bounds the length.
    compressor.include_checksum(false).map_err(failed)?;
    compressor.include_contentsize(false).map_err(failed)?;
    let small = compressor.compress(body).map_err(failed)?;
    if body.len() > LARGEST || small.len() > LARGEST_PACKED {
        return Err(Refusal::TooLarge { most: LARGEST_PACKED, what: "bytes of compressed response" }.into());
    }
    secrets.seal(Seal::Record, place, &[&[VERSION_1], small.as_slice()].concat())
}

pub(crate) fn unpack(secrets: &Secrets, place: &str, context: &str, packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let unreadable = |why: String| StoreError::Unreadable(format!("a stored answer: {why}"));
    let opened = secrets.open(Seal::Record, place, packed)?;
    let Some((&VERSION_1, small)) = opened.split_first() else {
        return Err(unreadable("its version".into()));
    };
    let dictionary = format!("{context}{DICTIONARY_1}");
    let mut decompressor = zstd::bulk::Decompressor::with_dictionary(dictionary.as_bytes())
        .map_err(|error| unreadable(error.to_string()))?;
    decompressor.decompress(small, LARGEST).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_byte_for_byte() {
        let secrets = Secrets::from_root(&[1; 32]).unwrap();
        for body in [&b"{}"[..], r#"{"name":"株式会社"}"#.as_bytes(), &"x".repeat(100_000).into_bytes()] {
            let packed = pack(&secrets, "here", "x", body).unwrap();
            assert_eq!(unpack(&secrets, "here", "x", &packed).unwrap(), body);
            assert!(unpack(&secrets, "there", "x", &packed).is_err());
        }
    }

    /// Answers that live systems have stored must stay readable.
    #[test]
    fn the_dictionary_does_not_change() {
        assert_eq!(
            crate::engine::secrets::sha256_hex(DICTIONARY_1.as_bytes()),
            "143712fd1086dd077a732a9ca6aa23cf38513fa5824c2a7ab7c834a2d6c42367"
        );
    }
}
