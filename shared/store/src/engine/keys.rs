//! How the table's keys are spelt.
//!
//! Invariant: the parts of a key are refids, fixed-width times, numbers or validated text put last, so no value
//! from outside can reach into another partition. Lists that everybody shares are spread over eight shards.

use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::Time;

use sha2::{Digest, Sha256};

/// How many partitions a list of everything is spread over.
pub const SHARDS: u8 = 8;
/// The sort key of an item that is alone in its partition.
pub const ALONE: &str = ".";

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Place within it.
    pub sk: String,
}

impl Key {
    /// The key of an item alone in its partition: `NOUN#id`.
    pub fn alone(noun: &str, id: impl std::fmt::Display) -> Self {
        Self { pk: format!("{noun}#{id}"), sk: ALONE.to_owned() }
    }
}

/// The indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Index {
    /// By tenant: what belongs to a reseller.
    Tenant,
    /// By kind: everything, over the shards.
    Kind,
    /// By status or holder.
    Status,
    /// Sparse: what must be worked on again.
    Dirty,
}

impl Index {
    /// The index's name in template.yaml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1",
            Self::Kind => "gsi2",
            Self::Status => "gsi3",
            Self::Dirty => "gsi4",
        }
    }

    /// Its partition attribute.
    pub const fn pk(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1pk",
            Self::Kind => "gsi2pk",
            Self::Status => "gsi3pk",
            Self::Dirty => "gsi4pk",
        }
    }

    /// Its sort attribute.
    pub const fn sk(self) -> &'static str {
        match self {
            Self::Tenant => "gsi1sk",
            Self::Kind => "gsi2sk",
            Self::Status => "gsi3sk",
            Self::Dirty => "gsi4sk",
        }
    }
}

/// The shard of an id: the same one always.
pub fn shard(id: &str) -> u8 {
    let digest: [u8; 32] = Sha256::digest(id).into();
    let [first, ..] = digest;
    first % SHARDS
}

/// The tenant part of a key: the reseller, or a shard of what is standalone.
pub fn tenant(reseller: Option<&ResellerRefid>, id: &str) -> String {
    reseller.map_or_else(|| format!("-#{}", shard(id)), ToString::to_string)
}

/// The sort key of lists that run by time, newest last.
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
