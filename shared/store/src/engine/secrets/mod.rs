//! The deployment's secrets: what refids, cursors and seals are made with.
//!
//! Invariants: refids are HMACs of natural ids, so a single "put if absent" gives uniqueness, look-up and idempotency
//! at once, and no licence key appears in a key of the table. A process holds the keys of the purposes that it was
//! given, and no others: what needs another purpose is an error. Random bytes come from the operating system; only a
//! simulation draws them from a seed, so that a run can be repeated exactly.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use hmac::{Hmac, Mac};
use purser_domain::basic::Time;
use purser_domain::basic::refid::BYTES;
use purser_domain::licences::signature::place_of_active;
use purser_domain::licences::{AnswerKey, AnswerSignature, PublishedKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::StoreError;

mod purpose;
mod seals;

use purpose::{AnswersText, CaptchaText, EdgeText, IdsText, PassesText, PublishedText, SealsText, SigningText};
pub use purpose::{NotASecret, Purpose, Texts, WeakSecret, fresh, split, with_answer_key, with_new_signing_key};
use seals::Ring;

const MAC: usize = 16;

/// The secrets of this process. Clones share them, also when they are replaced. `Debug` shows none of them.
#[derive(Clone)]
pub struct Secrets {
    keys: Arc<RwLock<Arc<Keys>>>,
    /// A bit for each purpose that something has needed, so that a test can name rights that nothing needs.
    used: Arc<AtomicU16>,
    draws: Option<Arc<Draws>>,
}

/// The keys of each purpose that was given.
#[derive(Default)]
pub struct Keys {
    ids: Option<[u8; 32]>,
    passes: Option<Passes>,
    factors: Option<Ring>,
    records: Option<Ring>,
    licences: Option<Ring>,
    signing: Option<Vec<SigningKey>>,
    edge: Option<EdgeText>,
    captcha: Option<CaptchaText>,
    answers: Option<AnswerKey>,
    published: Option<Vec<PublishedKey>>,
}

struct Passes {
    cursors: [u8; 32],
    devices: [u8; 32],
    addresses: [u8; 32],
    challenges: Ring,
}

/// What a seal holds, which decides by which key it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// A challenge for people, which is gone within minutes.
    Challenge,
    Factor,
    Record,
    Licence,
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

impl Keys {
    /// Reads the secrets of some purposes. Of the keys of seals, the one that seals is the last that has begun to at
    /// `now`.
    pub fn read(texts: &Texts, now: Time) -> Result<Self, BadSecret> {
        let mut keys = Self::default();
        for (purpose, text) in texts {
            keys.add(*purpose, text, now).map_err(|_| BadSecret(*purpose))?;
        }
        Ok(keys)
    }

    fn add(&mut self, purpose: Purpose, text: &str, now: Time) -> Result<(), NotASecret> {
        let ring = || Ring::new(&read::<SealsText>(text)?.keys, now);
        match purpose {
            Purpose::Ids => self.ids = Some(read::<IdsText>(text)?.key.0),
            Purpose::Passes => self.passes = Some(Passes::of(&read(text)?)),
            Purpose::Factors => self.factors = Some(ring()?),
            Purpose::Records => self.records = Some(ring()?),
            Purpose::Licences => self.licences = Some(ring()?),
            Purpose::Signing => {
                let keys: Vec<SigningKey> =
                    read::<SigningText>(text)?.keys.iter().map(|key| SigningKey::from_bytes(&key.0)).collect();
                self.signing = Some(keys).filter(|keys| !keys.is_empty());
                return self.signing.as_ref().map(|_| ()).ok_or(NotASecret);
            }
            Purpose::Edge => self.edge = Some(read(text)?),
            Purpose::Captcha => self.captcha = Some(read(text)?),
            Purpose::Answers => self.answers = Some(signing_at(&read(text)?, now)?),
            Purpose::Published => self.published = Some(published(&read(text)?)?),
        }
        Ok(())
    }
}

/// The key that signs answers at `now`.
fn signing_at(text: &AnswersText, now: Time) -> Result<AnswerKey, NotASecret> {
    let times: Vec<Time> = text.keys.iter().map(|key| at(key.from)).collect::<Result<_, _>>()?;
    let key = text.keys.get(place_of_active(times, now)).ok_or(NotASecret)?;
    Ok(AnswerKey::of(&key.key.0))
}

fn published(text: &PublishedText) -> Result<Vec<PublishedKey>, NotASecret> {
    let keys = text.keys.iter().map(|key| {
        let since = at(key.from)?;
        Ok::<_, NotASecret>(PublishedKey { r#use: key.r#use, public_key: key.public_key, since })
    });
    keys.collect::<Result<Vec<_>, _>>().ok().filter(|keys| !keys.is_empty()).ok_or(NotASecret)
}

fn at(seconds: i64) -> Result<Time, NotASecret> {
    jiff::Timestamp::from_second(seconds).map(Time::of).map_err(|_| NotASecret)
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, NotASecret> {
    // The error of serde can quote what it could not read.
    serde_json::from_str(text).map_err(|_| NotASecret)
}

impl Passes {
    fn of(text: &PassesText) -> Self {
        let (cursors, devices) = (text.cursors.0, text.devices.0);
        let challenges = Ring::fleeting(hmac(&devices, &[b"purser challenges 1"]));
        Self { cursors, devices, addresses: hmac(&devices, &[b"purser addresses 1"]), challenges }
    }
}

/// A secret can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret {}: {NotASecret}", .0.into_str())]
pub struct BadSecret(pub Purpose);

impl Secrets {
    pub fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(RwLock::new(Arc::new(keys))), used: Arc::default(), draws: None }
    }

    /// The secrets of all purposes, derived from a root secret of at least 32 bytes.
    pub fn from_root(root: &[u8]) -> Result<Self, StoreError> {
        if root.len() < 32 {
            return Err(StoreError::Failed(WeakSecret.to_string()));
        }
        let epoch = Time::of(jiff::Timestamp::UNIX_EPOCH);
        let texts = with_answer_key(split(root)?, hmac(root, &[b"purser answers 1"]), epoch)?;
        let keys = Keys::read(&texts, epoch);
        keys.map(Self::new).map_err(|error| StoreError::Failed(error.to_string()))
    }

    /// Uses other keys from now on, also in all clones.
    pub fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The purposes that something has needed so far, whether or not this process holds their keys.
    pub fn used(&self) -> Vec<Purpose> {
        let used = self.used.load(Ordering::Relaxed);
        Purpose::ALL.iter().copied().filter(|it| used & bit(*it) != 0).collect()
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

    /// What `part` makes of the keys of `purpose`; an error if this process was not given them.
    fn with<T>(&self, purpose: Purpose, part: impl FnOnce(&Keys) -> Option<T>) -> Result<T, StoreError> {
        self.used.fetch_or(bit(purpose), Ordering::Relaxed);
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let missing = || StoreError::Failed(format!("this function may not have the secret {}", purpose.into_str()));
        part(&keys).ok_or_else(missing)
    }

    /// The 80 bits that `parts` determine for a refid of `noun`.
    pub fn bits(&self, noun: &str, parts: &[&str]) -> Result<[u8; BYTES], StoreError> {
        self.with(Purpose::Ids, |keys| Some(bits(keys.ids.as_ref()?, noun, parts)))
    }

    /// The 80 bits by which the log names a network address.
    pub fn address_bits(&self, address: &str) -> Result<[u8; BYTES], StoreError> {
        self.with(Purpose::Passes, |keys| Some(bits(&keys.passes.as_ref()?.addresses, "network address", &[address])))
    }

    /// Encrypts `plain` for `place`. The result is 40 to 42 bytes longer.
    pub fn seal(&self, seal: Seal, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.ring(seal, |ring| ring.seal(place, plain))
    }

    /// Decrypts what was sealed for `place`. Fails if it was altered or sealed for another place.
    pub fn open(&self, seal: Seal, place: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.ring(seal, |ring| ring.open(place, sealed))
    }

    /// The same content under the key that seals now; `None` if it is sealed under that key already.
    pub fn renewed(&self, seal: Seal, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ring(seal, |ring| ring.renewed(place, sealed))
    }

    /// Refuses to go on in a process that may not open what this seal holds.
    pub(crate) fn must_have(&self, seal: Seal) -> Result<(), StoreError> {
        self.ring(seal, |_| Ok(()))
    }

    fn ring<T>(&self, seal: Seal, work: impl FnOnce(&Ring) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (purpose, ring): (_, fn(&Keys) -> Option<&Ring>) = match seal {
            Seal::Challenge => (Purpose::Passes, |keys| keys.passes.as_ref().map(|it| &it.challenges)),
            Seal::Factor => (Purpose::Factors, |keys| keys.factors.as_ref()),
            Seal::Record => (Purpose::Records, |keys| keys.records.as_ref()),
            Seal::Licence => (Purpose::Licences, |keys| keys.licences.as_ref()),
        };
        self.with(purpose, |keys| ring(keys).map(work))?
    }

    /// The text with a MAC after it, by which [`Self::vouched`] recognises it. `text` has no full stop at its end.
    pub(crate) fn vouch(&self, text: &str) -> Result<String, StoreError> {
        let mac = self.with(Purpose::Passes, |keys| Some(hmac(&keys.passes.as_ref()?.devices, &[text.as_bytes()])))?;
        let mac = data_encoding::BASE64URL_NOPAD.encode(mac.split_at(MAC).0);
        Ok(format!("{text}.{mac}"))
    }

    /// The text that [`Self::vouch`] put a MAC after; `None` for any other text.
    pub(crate) fn vouched<'a>(&self, text: &'a str) -> Result<Option<&'a str>, StoreError> {
        let Some((vouched, _)) = text.rsplit_once('.') else { return Ok(None) };
        let same = bool::from(self.vouch(vouched)?.as_bytes().ct_eq(text.as_bytes()));
        Ok(same.then_some(vouched))
    }

    /// The keys of checkpoints, oldest first; there is at least one.
    pub fn signing(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.with(Purpose::Signing, |keys| keys.signing.clone())
    }

    /// Whether `shown` is what the edge sends, or sent before. Nothing is, as long as there is no such secret.
    pub fn is_of_the_edge(&self, shown: &[u8]) -> Result<bool, StoreError> {
        self.with(Purpose::Edge, |keys| {
            let EdgeText { sent, before } = keys.edge.as_ref()?;
            let known = [sent, before].into_iter().flatten();
            // Each of them is compared, so that the time does not tell which one it was.
            Some(known.fold(false, |found, it| found | bool::from(String::from(*it).as_bytes().ct_eq(shown))))
        })
    }

    /// What authenticates Purser to the service that judges people; `None` until an operator has set it.
    pub fn captcha(&self) -> Result<Option<String>, StoreError> {
        self.with(Purpose::Captcha, |keys| Some(keys.captcha.as_ref()?.secret.clone()))
    }

    /// The signature of an answer to a program, by which it knows that Purser gave it to its request.
    pub fn sign_answer(&self, request: &[u8], answer: &[u8]) -> Result<AnswerSignature, StoreError> {
        let key = self.with(Purpose::Answers, |keys| keys.answers.clone())?;
        Ok(key.sign(request, answer))
    }

    /// What is published of the keys that sign for programs: those of each use, oldest first.
    pub fn published(&self) -> Result<Vec<PublishedKey>, StoreError> {
        self.with(Purpose::Published, |keys| keys.published.clone())
    }

    /// The MAC that makes a cursor tamper-proof and binds it to `scope`.
    pub(crate) fn cursor_mac(&self, scope: &str, position: &str) -> Result<[u8; MAC], StoreError> {
        let parts = [scope.as_bytes(), position.as_bytes()];
        let mac = self.with(Purpose::Passes, |keys| Some(hmac(&keys.passes.as_ref()?.cursors, &parts)))?;
        let mut short = [0; MAC];
        short.copy_from_slice(mac.split_at(MAC).0);
        Ok(short)
    }
}

fn bit(purpose: Purpose) -> u16 {
    1 << (purpose as u8)
}

fn bits(key: &[u8], noun: &str, parts: &[&str]) -> [u8; BYTES] {
    let mut all = vec![noun.as_bytes()];
    all.extend(parts.iter().map(|part| part.as_bytes()));
    let mut bits = [0; BYTES];
    bits.copy_from_slice(hmac(key, &all).split_at(BYTES).0);
    bits
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
mod tests;
