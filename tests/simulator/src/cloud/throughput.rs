//! The write throughput of a partition: a fixed number of units a second, as a token bucket.
//!
//! Invariant: a write is charged to the partition of its item and to those of the indexes that contain the item.

use std::collections::BTreeMap;

use serde_json::Value;

/// The attributes that are partition keys.
const PARTITIONS: [&str; 5] = ["pk", "gsi1pk", "gsi2pk", "gsi3pk", "gsi4pk"];

/// The units left in each partition.
#[derive(Debug, Default)]
pub(super) struct Throughput(BTreeMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    milli_units: u64,
    at: u64,
}

impl Throughput {
    /// Takes the units of a write at `now` (in milliseconds). Returns whether every partition had enough of them.
    pub(super) fn take(&mut self, item: &Value, units: u32, per_second: u32, now: u64) -> bool {
        let full = u64::from(per_second) * 1_000;
        let needed = u64::from(units) * 1_000;
        let partitions: Vec<&str> = PARTITIONS.iter().filter_map(|name| item[*name]["S"].as_str()).collect();
        for partition in &partitions {
            let bucket = self.0.entry((*partition).to_owned()).or_insert(Bucket { milli_units: full, at: now });
            let grown = now.saturating_sub(bucket.at) * u64::from(per_second);
            bucket.milli_units = (bucket.milli_units + grown).min(full);
            bucket.at = now;
        }
        let has = |name: &&str| self.0.get(*name).is_some_and(|it| it.milli_units >= needed);
        let enough = partitions.iter().all(has);
        if enough {
            for partition in partitions {
                if let Some(bucket) = self.0.get_mut(partition) {
                    bucket.milli_units -= needed;
                }
            }
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_partition_takes_so_much_a_second_and_no_more() {
        let mut throughput = Throughput::default();
        let item = json!({"pk": {"S": "WA#1"}, "gsi1pk": {"S": "all"}});
        let other = json!({"pk": {"S": "WA#2"}, "gsi1pk": {"S": "all"}});
        let alone = json!({"pk": {"S": "WA#3"}});
        let taken = (0..1_000).filter(|_| throughput.take(&item, 2, 1_000, 0)).count();
        assert_eq!(taken, 500);
        assert!(!throughput.take(&other, 2, 1_000, 0), "the partition of the index has no units left");
        assert!(throughput.take(&alone, 2, 1_000, 0));
        assert!(!throughput.take(&item, 2, 1_000, 1));
        assert!(throughput.take(&item, 2, 1_000, 2));
        let taken = (0..1_000).filter(|_| throughput.take(&item, 2, 1_000, 60_000)).count();
        assert_eq!(taken, 500, "a bucket holds a second's worth");
    }
}
