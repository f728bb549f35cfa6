//! What secrets are for, and the text in which each one is kept.
//!
//! Invariant: each purpose has a secret of its own, which only the functions that need it may read. A root secret, from
//! which earlier versions derived everything, splits into exactly the keys that they derived.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use purser_domain::basic::Time;
use purser_domain::licences::{AnswerKey, KeyUse, VerificationKey};
use serde::{Deserialize, Serialize};

use super::{hmac, random};
use crate::StoreError;

/// A kind of secret: who may read it is decided for each one separately.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum Purpose {
    /// The key of refids. It stays the same for ever, because keys of the table are made of refids.
    Ids,
    /// Cursors, known devices, challenges, and how the log names network addresses. It may change at any time.
    Passes,
    /// Seals of second factors.
    Factors,
    /// Seals of the metadata of clients and resellers, and of the stored answers of commands.
    Records,
    /// Seals of licence keys.
    Licences,
    /// The keys that sign checkpoints of the ledger.
    Signing,
    /// What the edge shows with each request, so that the viewer's address that it names is believed.
    Edge,
    /// With what Purser authenticates to the service that tells people from programs.
    Captcha,
    /// The keys that sign answers to programs.
    Answers,
    /// The public halves of the keys that sign for programs. Everybody may read them, but who may replace them may
    /// also make keys.
    Published,
}

impl Purpose {
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;
    /// Those that are made only when they are wanted: nothing that is stored needs them.
    pub const LATER: [Self; 2] = [Self::Edge, Self::Captcha];
}

/// The secrets of some purposes, as texts.
pub type Texts = BTreeMap<Purpose, String>;

/// A secret's text does not have the form that it should have. The error does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not have the form of a secret of its purpose")]
pub struct NotASecret;

/// The root secret has fewer than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deployment secret must be at least 32 bytes")]
pub struct WeakSecret;

/// 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Bytes(pub(super) [u8; 32]);

impl TryFrom<String> for Bytes {
    type Error = NotASecret;
    fn try_from(text: String) -> Result<Self, NotASecret> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|it| it.try_into().ok());
        bytes.map(Self).ok_or(NotASecret)
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        HEXLOWER.encode(&bytes.0)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdsText {
    pub(super) key: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PassesText {
    pub(super) cursors: Bytes,
    pub(super) devices: Bytes,
}

/// A key of seals, from when on it seals, in seconds since 1970. Every process must have read it by then.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyText {
    pub(super) id: u8,
    pub(super) key: Bytes,
    pub(super) from: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealsText {
    pub(super) keys: Vec<KeyText>,
}

/// The keys of checkpoints, oldest first. The last one signs once it was announced under the one before.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningText {
    pub(super) keys: Vec<Bytes>,
}

/// What the edge sends, and what it sent before or may still be sending.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeText {
    pub(super) sent: Option<Bytes>,
    pub(super) before: Option<Bytes>,
}

/// A key that signs answers, and from when on, in seconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerKeyText {
    pub(super) key: Bytes,
    pub(super) from: i64,
}

/// The keys of answers, oldest first. The last one that has begun signs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswersText {
    pub(super) keys: Vec<AnswerKeyText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedKeyText {
    pub(super) r#use: KeyUse,
    pub(super) public_key: VerificationKey,
    pub(super) from: i64,
}

/// What is published of the keys that sign for programs: those of each use, oldest first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedText {
    pub(super) keys: Vec<PublishedKeyText>,
}

/// Empty until an operator sets it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptchaText {
    pub(super) secret: Option<String>,
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(format!("writing a secret: {error}")))
}

/// Random secrets of all purposes, for a deployment that has none. What signs begins at `now`.
pub fn fresh(now: Time) -> Result<Texts, StoreError> {
    let seals = || Ok::<_, StoreError>(SealsText { keys: vec![KeyText { id: 1, key: Bytes(random()?), from: 0 }] });
    let passes = PassesText { cursors: Bytes(random()?), devices: Bytes(random()?) };
    let texts = BTreeMap::from([
        (Purpose::Ids, text(&IdsText { key: Bytes(random()?) })?),
        (Purpose::Passes, text(&passes)?),
        (Purpose::Factors, text(&seals()?)?),
        (Purpose::Records, text(&seals()?)?),
        (Purpose::Licences, text(&seals()?)?),
        (Purpose::Signing, text(&SigningText { keys: vec![Bytes(random()?)] })?),
    ]);
    with_answer_key(texts, random()?, now)
}

/// The secrets that earlier versions derived from a root secret of at least 32 bytes. Seals stay in
/// the older form until a key is added, so that an earlier version can read them.
pub fn split(root: &[u8]) -> Result<Texts, StoreError> {
    let derived = |what: &str| Bytes(hmac(root, &[what.as_bytes()]));
    let seals = text(&SealsText { keys: vec![KeyText { id: 0, key: derived("purser seal 1"), from: 0 }] })?;
    let passes = PassesText { cursors: derived("purser cursors 1"), devices: derived("purser devices 1") };
    Ok(BTreeMap::from([
        (Purpose::Ids, text(&IdsText { key: derived("purser ids 1") })?),
        (Purpose::Passes, text(&passes)?),
        (Purpose::Factors, seals.clone()),
        (Purpose::Records, seals.clone()),
        (Purpose::Licences, seals),
        (Purpose::Signing, text(&SigningText { keys: vec![derived("purser checkpoints 1")] })?),
    ]))
}

/// `texts` with what signs answers, for a deployment whose secrets are from before there was such a thing. A key that
/// is there stays; if only its public half is missing, that is published again. A key that is gone is not replaced,
/// because programs know its public half.
pub fn with_answer_key(mut texts: Texts, key: [u8; 32], now: Time) -> Result<Texts, StoreError> {
    let answers = match texts.get(&Purpose::Answers) {
        Some(answers) => answers.clone(),
        None if texts.contains_key(&Purpose::Published) => {
            return Err(StoreError::Unreadable("the secret that signs answers: it was there and is gone".into()));
        }
        None => text(&AnswersText { keys: vec![AnswerKeyText { key: Bytes(key), from: now.unix_seconds() }] })?,
    };
    if !texts.contains_key(&Purpose::Published) {
        let unreadable = |_| StoreError::Unreadable("the secret that signs answers".into());
        let signing: AnswersText = serde_json::from_str(&answers).map_err(unreadable)?;
        let published = signing.keys.iter().map(|AnswerKeyText { key, from }| {
            let public_key = AnswerKey::of(&key.0).public_key();
            PublishedKeyText { r#use: KeyUse::Answers, public_key, from: *from }
        });
        texts.insert(Purpose::Published, text(&PublishedText { keys: published.collect() })?);
        texts.insert(Purpose::Answers, answers);
    }
    Ok(texts)
}

/// `texts` with one more key that will sign checkpoints, once it was announced.
pub fn with_new_signing_key(mut texts: Texts) -> Result<Texts, StoreError> {
    let unreadable = |_| StoreError::Unreadable("the secret of the checkpoints".into());
    let now = texts.get(&Purpose::Signing).map_or("", String::as_str);
    let mut signing: SigningText = serde_json::from_str(now).map_err(unreadable)?;
    signing.keys.push(Bytes(random()?));
    texts.insert(Purpose::Signing, text(&signing)?);
    Ok(texts)
}
