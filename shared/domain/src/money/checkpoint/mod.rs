//! Signed checkpoints: the state of every wallet's history on a day (rule B11).
//!
//! Invariant: a signature covers every field of a part, written as one canonical text. It is verified with a key that
//! the reader brings, never with the key inside the part; [`chain`] leads from that key to later ones. A day is
//! complete when its parts are numbered from 1 without gaps and the last part is marked as the last; [`history`]
//! compares days with each other.

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::basic::hex::hex;
use crate::basic::refid::ResellerRefid;
use crate::basic::time::{Day, Time};
use crate::money::credits::Credits;
use crate::money::entry::{EntryHash, Waypoint};
use crate::money::wallet::Wallet;
use chain::Successor;

pub mod chain;
pub mod history;

/// The most wallets in one part, which keeps its item far below DynamoDB's limit of 400 KB.
pub const MOST_WALLETS: usize = 250;

/// An Ed25519 public key, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[display("{}", HEXLOWER.encode(_0.as_bytes()))]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

#[cfg(feature = "schema")]
crate::value_schema!(
    PublicKey,
    "An Ed25519 public key, hexadecimal.",
    hex(64),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
);

/// An Ed25519 signature (RFC 8032), written as 128 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

#[cfg(feature = "schema")]
crate::value_schema!(Signature, "An Ed25519 signature, hexadecimal.", hex(128), "0".repeat(128));

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// The text is not 64 digits, or does not encode a point on the curve.
    #[error("must be an Ed25519 public key of 64 hexadecimal digits in lower case")]
    PublicKey,
    #[error("must be an Ed25519 signature of 128 hexadecimal digits in lower case")]
    Signature,
}

impl From<&SigningKey> for PublicKey {
    fn from(key: &SigningKey) -> Self {
        Self(key.verifying_key())
    }
}

impl PublicKey {
    fn signed(&self, text: &str, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(text.as_bytes(), &signature).is_ok()
    }
}

impl std::str::FromStr for PublicKey {
    type Err = EncodingError;
    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let bytes = hex(text).ok_or(EncodingError::PublicKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| EncodingError::PublicKey)?;
        Ok(Self(key))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = EncodingError;
    fn try_from(text: String) -> Result<Self, EncodingError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for Signature {
    type Error = EncodingError;
    fn try_from(text: String) -> Result<Self, EncodingError> {
        hex(&text).map(Self).ok_or(EncodingError::Signature)
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        HEXLOWER.encode(&signature.0)
    }
}

/// The state of a wallet's history when a checkpoint was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletHead {
    pub reseller: ResellerRefid,
    /// The number of the wallet's last entry; 0 if it had none.
    pub sequence: u64,
    #[serde(with = "as_hex")]
    pub head: EntryHash,
    pub balance: Credits,
}

impl WalletHead {
    /// The entry that the wallet's history must contain from then on.
    pub fn waypoint(&self) -> Waypoint {
        Waypoint { sequence: self.sequence, head: self.head }
    }
}

impl From<&Wallet> for WalletHead {
    fn from(wallet: &Wallet) -> Self {
        Self {
            reseller: wallet.reseller.clone(),
            sequence: wallet.sequence,
            head: wallet.head,
            balance: wallet.balance,
        }
    }
}

/// Serializes a hash as hexadecimal digits, so that a part is the same text in the table, in an answer and in a file.
pub(crate) mod as_hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::money::entry::EntryHash;

    pub fn serialize<S: Serializer>(hash: &EntryHash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hash)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryHash, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// One part of a day's checkpoint, with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The day of the checkpoint, in UTC.
    pub date: Day,
    /// The number of the part within the day, counted from 1.
    pub part: u32,
    pub last: bool,
    /// Set after reading the wallets.
    pub created_at: Time,
    /// The wallets of this part. No wallet is in two parts of the same day.
    pub wallets: Vec<WalletHead>,
    /// The key that signed the part. A reader must know from elsewhere that it is the right key.
    pub public_key: PublicKey,
    pub signature: Signature,
    /// The key that will sign from a later day on. It has a signature of its own, so that earlier versions, which do
    /// not know it, can verify the part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Successor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("another key signed it")]
    OtherKey,
    /// The part or its signature was changed after it was signed.
    #[error("its signature does not match its content")]
    Changed,
}

impl Part {
    /// Signs the part numbered `part` of the day `date`; its wallets were read at `now`.
    pub fn sign((date, part, last): (Day, u32, bool), wallets: Vec<WalletHead>, now: Time, key: &SigningKey) -> Self {
        let signature = Signature([0; 64]);
        let mut signed =
            Self { date, part, last, created_at: now, wallets, public_key: key.into(), signature, successor: None };
        let signature = key.sign(signed.canonical().as_bytes());
        signed.signature = Signature(signature.to_bytes());
        signed
    }

    /// The text that is signed: a line with the version, one line per field, and one line per wallet.
    pub fn canonical(&self) -> String {
        let mut lines = vec![
            "purser checkpoint 1".to_owned(),
            self.date.to_string(),
            self.part.to_string(),
            if self.last { "last" } else { "more" }.to_owned(),
            self.created_at.to_string(),
        ];
        lines.extend(self.wallets.iter().map(|wallet| {
            let WalletHead { reseller, sequence, head, balance } = wallet;
            format!("{reseller} {sequence} {head} {balance}")
        }));
        lines.join("\n")
    }

    /// Refuses a part that was not signed by `key`, or was changed since.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Forged> {
        if self.public_key != *key {
            return Err(Forged::OtherKey);
        }
        if key.signed(&self.canonical(), &self.signature) { Ok(()) } else { Err(Forged::Changed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::basic::refid::Prefix;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn part(wallets: u8) -> Part {
        let prefix: Prefix = "RS-".parse().unwrap();
        let wallets = (0..wallets).map(|n| WalletHead {
            reseller: ResellerRefid::new(&prefix, [n; 10]),
            sequence: n.into(),
            head: EntryHash::START,
            balance: Credits::new(u64::from(n) * 100),
        });
        let now = Time::try_from("2026-01-31T00:30:00.000Z".to_owned()).unwrap();
        Part::sign((now.day(), 1, true), wallets.collect(), now, &key(7))
    }

    #[test]
    fn the_text_that_is_signed_is_this_one() {
        let expected = format!(
            "purser checkpoint 1\n2026-01-31\n1\nlast\n2026-01-31T00:30:00.000Z\nRS-0000000000000000 0 {zeros} 0\n\
             RS-040G2081040G2081 1 {zeros} 100",
            zeros = "0".repeat(64)
        );
        assert_eq!(part(2).canonical(), expected);
    }

    #[test]
    fn a_part_reads_back_from_its_json_and_is_the_same() {
        let part = part(3);
        let json = serde_json::to_string(&part).unwrap();
        let read: Part = serde_json::from_str(&json).unwrap();
        assert_eq!(read, part);
        assert_eq!(read.verify(&PublicKey::from(&key(7))), Ok(()));
    }

    #[test]
    fn another_key_is_not_taken_from_the_part_itself() {
        let ours = PublicKey::from(&key(7));
        let theirs = Part::sign((part(1).date, 1, true), part(1).wallets, part(1).created_at, &key(8));
        assert_eq!(theirs.verify(&ours), Err(Forged::OtherKey));
        let dressed = Part { public_key: ours, ..theirs };
        assert_eq!(dressed.verify(&ours), Err(Forged::Changed));
    }

    proptest! {
        #[test]
        fn whatever_is_changed_shows(what in 0..9, which in 0_usize..3) {
            let (signed, ours) = (part(3), PublicKey::from(&key(7)));
            let mut changed = signed.clone();
            match what {
                0 => changed.date = "2026-02-01".parse().unwrap(),
                1 => changed.part = 2,
                2 => changed.last = false,
                3 => changed.created_at = changed.created_at.plus(jiff::SignedDuration::from_millis(1)),
                4 => changed.wallets[which].sequence += 1,
                5 => changed.wallets[which].balance = Credits::new(7),
                6 => changed.wallets[which].head = "1".repeat(64).parse().unwrap(),
                7 => drop(changed.wallets.remove(which)),
                _ => changed.wallets.swap(which, (which + 1) % 3),
            }
            prop_assert_eq!(signed.verify(&ours), Ok(()));
            prop_assert_eq!(changed.verify(&ours), Err(Forged::Changed));
        }
    }
}
