//! The deployment's root secret, and the keys derived from it.
//!
//! Invariant: refids are HMACs of natural ids, so a single "put if absent" gives uniqueness, look-up and idempotency
//! at once, and no licence key appears in a key of the table. A sealed value opens only in the place it was sealed
//! for. Random bytes come from the operating system; only a simulation draws them from a seed, so that a run can be
//! repeated exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, Mac};
use purser_domain::basic::refid::BYTES;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::StoreError;

const NONCE: usize = 24;
const MAC: usize = 16;

/// The keys derived from the root secret. `Debug` shows none of them.
#[derive(Clone)]
pub struct Secrets {
    ids: [u8; 32],
    cursors: [u8; 32],
    devices: [u8; 32],
    seal: XChaCha20Poly1305,
    checkpoints: Arc<SigningKey>,
    draws: Option<Arc<Draws>>,
}

/// Random bytes for simulations, determined by a seed and by how many blocks were drawn before.
#[derive(Debug)]
struct Draws {
    seed: u64,
    drawn: AtomicU64,
}

impl Draws {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let block = hmac(&self.seed.to_be_bytes(), &[&number.to_be_bytes()]);
            chunk.copy_from_slice(block.split_at(chunk.len()).0);
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// The root secret has fewer than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deployment secret must be at least 32 bytes")]
pub struct WeakSecret;

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC accepts a key of any length, so this fallback is never reached.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        // The length before each part keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Secrets {
    /// Derives all keys from the root secret, which must have at least 32 bytes.
    pub fn from_root(root: &[u8]) -> Result<Self, WeakSecret> {
        if root.len() < 32 {
            return Err(WeakSecret);
        }
        let seal = hmac(root, &[b"purser seal 1"]);
        let checkpoints = hmac(root, &[b"purser checkpoints 1"]);
        Ok(Self {
            ids: hmac(root, &[b"purser ids 1"]),
            cursors: hmac(root, &[b"purser cursors 1"]),
            devices: hmac(root, &[b"purser devices 1"]),
            seal: XChaCha20Poly1305::new(&Key::from(seal)),
            checkpoints: Arc::new(SigningKey::from_bytes(&checkpoints)),
            draws: None,
        })
    }

    /// Makes the store's random values follow from `seed`. Random refids determine shards and the order within a batch,
    /// so otherwise no two runs of a simulation would be the same.
    #[must_use]
    pub fn drawing_from(self, seed: u64) -> Self {
        let drawn = AtomicU64::new(0);
        Self { draws: Some(Arc::new(Draws { seed, drawn })), ..self }
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        let Some(draws) = &self.draws else {
            return random();
        };
        let mut bytes = [0; N];
        draws.fill(&mut bytes);
        Ok(bytes)
    }

    /// The 80 bits that `parts` determine for a refid of `noun`.
    pub fn bits(&self, noun: &str, parts: &[&str]) -> [u8; BYTES] {
        let mut all = vec![noun.as_bytes()];
        all.extend(parts.iter().map(|part| part.as_bytes()));
        let mut bits = [0; BYTES];
        bits.copy_from_slice(hmac(&self.ids, &all).split_at(BYTES).0);
        bits
    }

    /// Encrypts `plain` for `place`. The result is 40 bytes longer.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self
            .seal
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Failed("encryption failed".into()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what was sealed for `place`. Fails if it was altered or sealed for another place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let unreadable = || StoreError::Unreadable(format!("what was sealed for {place} can't be decrypted"));
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(unreadable)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.seal.decrypt(&XNonce::from(*nonce), payload).map_err(|_| unreadable())
    }

    /// The text with a MAC after it, by which [`Self::vouched`] recognises it. `text` has no full stop at its end.
    pub(crate) fn vouch(&self, text: &str) -> String {
        let mac = hmac(&self.devices, &[text.as_bytes()]);
        let mac = data_encoding::BASE64URL_NOPAD.encode(mac.split_at(MAC).0);
        format!("{text}.{mac}")
    }

    /// The text that [`Self::vouch`] put a MAC after.
    pub(crate) fn vouched<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (vouched, _) = text.rsplit_once('.')?;
        bool::from(self.vouch(vouched).as_bytes().ct_eq(text.as_bytes())).then_some(vouched)
    }

    pub fn checkpoint_key(&self) -> &SigningKey {
        &self.checkpoints
    }

    /// The MAC that makes a cursor tamper-proof and binds it to `scope`.
    pub(crate) fn cursor_mac(&self, scope: &str, position: &str) -> [u8; MAC] {
        let mut mac = [0; MAC];
        mac.copy_from_slice(hmac(&self.cursors, &[scope.as_bytes(), position.as_bytes()]).split_at(MAC).0);
        mac
    }
}

pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Failed(format!("no random bytes from the operating system: {error}")))?;
    Ok(bytes)
}

/// SHA-256 in hexadecimal. The table stores this hash for secrets that it only recognises.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_from_a_seed_only_where_there_is_one() {
        let secrets = || Secrets::from_root(&[7; 32]).unwrap();
        let twice = |secrets: &Secrets| -> [[u8; 48]; 2] { [secrets.random().unwrap(), secrets.random().unwrap()] };
        let [one, other] = twice(&secrets().drawing_from(1));
        assert_ne!(one, other);
        assert_eq!(twice(&secrets().drawing_from(1)), [one, other]);
        assert_ne!(twice(&secrets().drawing_from(2)), [one, other]);
        assert_ne!(twice(&secrets()), twice(&secrets()));
    }

    #[test]
    fn ids_are_stable_and_parts_do_not_run_together() {
        let secrets = Secrets::from_root(&[7; 32]).unwrap();
        assert_eq!(secrets.bits("client", &["a"]), secrets.bits("client", &["a"]));
        assert_ne!(secrets.bits("client", &["ab", "c"]), secrets.bits("client", &["a", "bc"]));
        assert_ne!(secrets.bits("client", &["a"]), Secrets::from_root(&[8; 32]).unwrap().bits("client", &["a"]));
        assert!(Secrets::from_root(&[7; 31]).is_err());
    }

    #[test]
    fn a_seal_opens_only_in_its_place_and_whole() {
        let secrets = Secrets::from_root(&[7; 32]).unwrap();
        let mut sealed = secrets.seal("here", b"key").unwrap();
        assert_eq!(secrets.open("here", &sealed).unwrap(), b"key");
        assert!(secrets.open("there", &sealed).is_err());
        sealed[30] ^= 1;
        assert!(secrets.open("here", &sealed).is_err());
        assert!(secrets.open("here", &[]).is_err());
    }
}
