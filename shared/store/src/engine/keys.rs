//! How the table's keys are spelt.
//!
//! Invariant: a key consists of refids, fixed-width times and numbers, with validated text only at its end, so no
//! value from outside can reach into another partition. Lists that all tenants share are spread over eight shards.

use purser_domain::basic::{ResellerRefid, Time};

use sha2::{Digest, Sha256};

/// How many partitions a shared list is spread over.
pub const SHARDS: u8 = 8;
/// The sort key of an item that has its partition to itself.
pub const ALONE: &str = ".";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    /// The key of an item that has its partition to itself: `NOUN#id`.
    pub fn alone(noun: &str, id: impl std::fmt::Display) -> Self {
        Self { pk: format!("{noun}#{id}"), sk: ALONE.to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Index {
    /// By tenant: what belongs to a reseller.
    Tenant,
    /// By kind: everything, spread over shards.
    Kind,
    /// By status or holder.
    Status,
    /// By time: only what is due later, and the hours that must be counted again.
    Due,
}

impl Index {
    /// The name of the index in template.yaml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1",
            Self::Kind => "gsi2",
            Self::Status => "gsi3",
            Self::Due => "gsi4",
        }
    }

    pub const fn pk(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1pk",
            Self::Kind => "gsi2pk",
            Self::Status => "gsi3pk",
            Self::Due => "gsi4pk",
        }
    }

    pub const fn sk(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1sk",
            Self::Kind => "gsi2sk",
            Self::Status => "gsi3sk",
            Self::Due => "gsi4sk",
        }
    }
}

/// The shard of an id, which is the same every time.
pub fn shard(id: &str) -> u8 {
    let digest: [u8; 32] = Sha256::digest(id).into();
    let [first, ..] = digest;
    first % SHARDS
}

/// The tenant part of a key: the reseller, or a shard for standalone records.
pub fn tenant(reseller: Option<&ResellerRefid>, id: &str) -> String {
    reseller.map_or_else(|| format!("-#{}", shard(id)), ToString::to_string)
}

pub fn by_time(time: Time, id: &str) -> String {
    format!("{time}#{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_all_used_about_evenly() {
        let mut counts = [0_u32; SHARDS as usize];
        for n in 0..8_000 {
            counts[usize::from(shard(&format!("CL-{n:016}")))] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
