//! Seals: encryption under a key that can be replaced while what other keys have sealed still opens.
//!
//! Invariant: a sealed value opens only in the place it was sealed for, and only under the key that sealed it. A value
//! names its key, so a new key may begin to seal at any time, and older ones are kept as long as anything needs them.
//! Key 0 is the one that was derived from a root secret; it seals in the older form, which names no key.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use purser_domain::basic::Time;

use super::purpose::{KeyText, NotASecret};
use super::random;
use crate::StoreError;

const NONCE: usize = 24;
/// The first byte of a value that names its key in the second one.
const NAMED: u8 = 2;
/// The number of the key whose values name no key.
const ROOT: u8 = 0;

/// The keys of one kind of seals.
#[derive(Clone)]
pub(super) struct Ring {
    keys: Vec<(u8, XChaCha20Poly1305)>,
    /// The place in `keys` of the one that seals.
    sealing: usize,
}

impl Ring {
    /// The key that seals is the one that began to do so last, at `now`. Others only open: those before it, and those
    /// that other processes may not have read yet.
    pub(super) fn new(keys: &[KeyText], now: Time) -> Result<Self, NotASecret> {
        let begun = keys.iter().enumerate().filter(|(_, key)| key.from <= now.unix_seconds());
        let (sealing, _) = begun.max_by_key(|(_, key)| (key.from, key.id)).ok_or(NotASecret)?;
        let keys = keys.iter().map(|key| (key.id, XChaCha20Poly1305::new(&Key::from(key.key.0))));
        Ok(Self { keys: keys.collect(), sealing })
    }

    /// One key for values that are gone within minutes, in the older form.
    pub(super) fn fleeting(key: [u8; 32]) -> Self {
        Self { keys: vec![(ROOT, XChaCha20Poly1305::new(&Key::from(key)))], sealing: 0 }
    }

    fn key(&self, id: u8) -> Option<&XChaCha20Poly1305> {
        self.keys.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }

    /// Encrypts `plain` for `place`. The result is 40 bytes longer, and two more if it names its key.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let failed = || StoreError::Failed("encryption failed".into());
        let (id, key) = self.keys.get(self.sealing).ok_or_else(failed)?;
        let nonce: [u8; NONCE] = random()?;
        let (head, bound) = match *id {
            ROOT => (Vec::new(), place.as_bytes().to_vec()),
            id => (vec![NAMED, id], bound(id, place)),
        };
        let payload = Payload { msg: plain, aad: &bound };
        let sealed = key.encrypt(&XNonce::from(nonce), payload).map_err(|_| failed())?;
        Ok([head.as_slice(), nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what was sealed for `place`. Fails if it was altered, sealed for another place, or sealed under a key
    /// that is not known here.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.opened(place, sealed)
            .map(|(_, plain)| plain)
            .ok_or_else(|| StoreError::Unreadable(format!("what was sealed for {place} can't be decrypted")))
    }

    /// The same content under the key that seals now; `None` if it is sealed under that key already.
    pub(super) fn renewed(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let opened = self.opened(place, sealed);
        let (id, plain) =
            opened.ok_or_else(|| StoreError::Unreadable(format!("what was sealed for {place} can't be decrypted")))?;
        let current = self.keys.get(self.sealing).is_some_and(|(sealing, _)| *sealing == id);
        if current { Ok(None) } else { self.seal(place, &plain).map(Some) }
    }

    /// The content, with the number of the key that sealed it. The older form begins with a nonce, which is random and
    /// may look like the name of a key: then both forms are tried, and the authentication tells which one it is.
    fn opened(&self, place: &str, sealed: &[u8]) -> Option<(u8, Vec<u8>)> {
        if let Some((&[NAMED, id], rest)) = sealed.split_first_chunk()
            && let Some(plain) =
                self.key(id).filter(|_| id != ROOT).and_then(|key| decrypt(key, &bound(id, place), rest))
        {
            return Some((id, plain));
        }
        self.key(ROOT).and_then(|key| decrypt(key, place.as_bytes(), sealed)).map(|plain| (ROOT, plain))
    }
}

/// What a seal that names its key is bound to besides the content.
fn bound(id: u8, place: &str) -> Vec<u8> {
    [&[NAMED, id], place.as_bytes()].concat()
}

fn decrypt(key: &XChaCha20Poly1305, bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    key.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: bound }).ok()
}

#[cfg(test)]
mod tests {
    use super::super::purpose::Bytes;
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::of(jiff::Timestamp::from_second(seconds).unwrap())
    }

    fn ring(keys: &[(u8, i64)], now: i64) -> Ring {
        let text = |(id, from): &(u8, i64)| KeyText { id: *id, key: Bytes([*id; 32]), from: *from };
        Ring::new(&keys.iter().map(text).collect::<Vec<_>>(), at(now)).unwrap()
    }

    #[test]
    fn seals_of_three_ages_open_and_the_newest_key_that_has_begun_seals() {
        let all = [(0, 0), (1, 100), (2, 200)];
        let sealed: Vec<_> = [50, 150, 250].map(|now| ring(&all, now).seal("here", b"key").unwrap()).into();
        assert_eq!(sealed.iter().map(Vec::len).collect::<Vec<_>>(), [43, 45, 45]);
        assert_eq!((&sealed[1][..2], &sealed[2][..2]), (&[NAMED, 1][..], &[NAMED, 2][..]));
        for now in [50, 150, 250] {
            for sealed in &sealed {
                assert_eq!(ring(&all, now).open("here", sealed).unwrap(), b"key");
                assert!(ring(&all, now).open("there", sealed).is_err());
            }
        }
        // Without the older keys only the newest seal opens, and the key's number alone helps nobody.
        let newest = ring(&all[2..], 250);
        assert_eq!(sealed.iter().filter(|it| newest.open("here", it).is_ok()).count(), 1);
        let mut renamed = sealed[1].clone();
        renamed[1] = 2;
        assert!(ring(&all, 250).open("here", &renamed).is_err());
    }

    #[test]
    fn what_older_keys_sealed_is_renewed_once() {
        let all = [(0, 0), (1, 100), (2, 200)];
        for age in [50, 150] {
            let sealed = ring(&all, age).seal("here", b"key").unwrap();
            let renewed = ring(&all, 250).renewed("here", &sealed).unwrap().unwrap();
            assert_eq!(ring(&all[2..], 250).open("here", &renewed).unwrap(), b"key");
            assert_eq!(ring(&all, 250).renewed("here", &renewed).unwrap(), None);
            assert!(ring(&all, 250).renewed("there", &sealed).is_err());
        }
    }

    /// One nonce in 65,536 begins like the name of a key that is there.
    #[test]
    fn an_older_seal_that_looks_like_a_newer_one_opens() {
        let old = ring(&[(0, 0)], 50);
        let both = ring(&[(0, 0), (1, 100)], 150);
        let alike = XNonce::from([[NAMED, 1].as_slice(), &[7; NONCE - 2]].concat().try_into().unwrap_or([0; NONCE]));
        let payload = Payload { msg: b"key", aad: b"here" };
        let sealed = [alike.as_slice(), &old.keys[0].1.encrypt(&alike, payload).unwrap()].concat();
        assert_eq!(sealed[..2], [NAMED, 1]);
        assert_eq!(both.open("here", &sealed).unwrap(), b"key");
    }

    #[test]
    fn a_ring_without_a_key_that_has_begun_is_none() {
        let early = KeyText { id: 1, key: Bytes([1; 32]), from: 100 };
        assert!(Ring::new(&[early], at(50)).is_err());
        assert!(Ring::new(&[], at(50)).is_err());
    }
}
