//! The keys that sign checkpoints, one after the other.
//!
//! Invariant: a reader begins with one key that it knows, and trusts another only because the key before vouched for
//! it in a part that it signed itself. From the day on which the next key signs, the one before signs nothing more.

use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};

use super::{Forged, Part, PublicKey, Signature};

/// The next key that will sign, announced under the one that signs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    pub public_key: PublicKey,
    pub signature: Signature,
}

impl Successor {
    /// Announces `next` as the key that follows `now`.
    pub fn announce(next: &SigningKey, now: &SigningKey) -> Self {
        let public_key = PublicKey::from(next);
        let signature = now.sign(Self::text(&now.into(), &public_key).as_bytes());
        Self { public_key, signature: Signature(signature.to_bytes()) }
    }

    fn text(now: &PublicKey, next: &PublicKey) -> String {
        format!("purser checkpoint key 1\n{now}\n{next}")
    }

    /// Whether `now` announced it.
    pub fn is_announced_by(&self, now: &PublicKey) -> bool {
        now.signed(&Self::text(now, &self.public_key), &self.signature)
    }
}

/// The key that should have signed each day, found day by day.
#[derive(Debug, Clone)]
pub struct Chain {
    now: PublicKey,
    /// What `now` has announced on earlier days.
    announced: Vec<PublicKey>,
}

impl Chain {
    pub fn from(key: PublicKey) -> Self {
        Self { now: key, announced: Vec::new() }
    }

    /// Judges the parts of the next day. Days must come in order.
    pub fn judge(&mut self, parts: &[Part]) -> Vec<Result<(), Forged>> {
        let takes_over = |key: &&PublicKey| parts.iter().any(|part| part.verify(key).is_ok());
        if let Some(next) = self.announced.iter().find(takes_over) {
            *self = Self::from(*next);
        }
        let verdicts: Vec<_> = parts.iter().map(|part| part.verify(&self.now)).collect();
        let genuine = parts.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok());
        let successors = genuine.filter_map(|(part, _)| part.successor.as_ref());
        let announced = successors.filter(|it| it.is_announced_by(&self.now)).map(|it| it.public_key);
        self.announced.extend(announced.collect::<Vec<_>>());
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::time::Time;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn day(day: u8, by: u8, announces: Option<u8>) -> Part {
        let now = Time::try_from(format!("2026-01-0{day}T00:30:00.000Z")).unwrap();
        let part = Part::sign((now.day(), 1, true), Vec::new(), now, &key(by));
        Part { successor: announces.map(|next| Successor::announce(&key(next), &key(by))), ..part }
    }

    /// The days on which `parts` fail, for a reader who knows key 1.
    fn refused(parts: &[Part]) -> Vec<usize> {
        let mut chain = Chain::from(PublicKey::from(&key(1)));
        let judged = parts.iter().map(|part| chain.judge(std::slice::from_ref(part)) == [Ok(())]);
        judged.enumerate().filter(|(_, genuine)| !genuine).map(|(day, _)| day + 1).collect()
    }

    #[test]
    fn a_key_that_was_announced_on_an_earlier_day_takes_over() {
        let none = [0; 0];
        assert_eq!(refused(&[day(1, 1, None), day(2, 1, None)]), none);
        assert_eq!(refused(&[day(1, 1, Some(2)), day(2, 2, None), day(3, 2, Some(3)), day(4, 3, None)]), none);
        assert_eq!(refused(&[day(1, 1, Some(2)), day(2, 1, Some(2)), day(3, 2, None)]), none);
    }

    #[test]
    fn a_key_that_nobody_announced_or_that_was_followed_by_another_signs_nothing() {
        assert_eq!(refused(&[day(1, 1, None), day(2, 2, None)]), [2]);
        assert_eq!(refused(&[day(1, 2, None)]), [1]);
        assert_eq!(refused(&[day(1, 1, Some(2)), day(2, 2, None), day(3, 1, None)]), [3]);
        // Key 2 announces itself, or is announced in a part that key 1 did not sign.
        assert_eq!(refused(&[day(1, 2, Some(2)), day(2, 2, None)]), [1, 2]);
        let announcement = day(1, 1, Some(2)).successor;
        let dressed = Part { successor: announcement, ..day(1, 3, None) };
        assert_eq!(refused(&[dressed, day(2, 2, None)]), [1, 2]);
        // Key 3 puts its name into the announcement of key 2.
        let mut renamed = day(1, 1, Some(2));
        renamed.successor.as_mut().unwrap().public_key = PublicKey::from(&key(3));
        assert_eq!(refused(&[renamed, day(2, 3, None)]), [2]);
    }

    #[test]
    fn an_earlier_version_reads_a_part_with_an_announcement() {
        let announcing = day(1, 1, Some(2));
        assert_eq!(announcing.verify(&PublicKey::from(&key(1))), Ok(()));
        let without = serde_json::to_value(day(1, 1, None)).unwrap();
        assert!(without.get("successor").is_none());
        let read: Part = serde_json::from_value(without).unwrap();
        assert_eq!(read, day(1, 1, None));
    }
}
