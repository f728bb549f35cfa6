//! Buckets of requests: how many requests each name, such as a caller or an address, may still send.
//!
//! Invariant: in any period a bucket lets through at most one minute's worth of requests plus what its rate adds in
//! that period. There are never more than [`MOST`] buckets, no matter how many names there are.
//!
//! A bucket is one number, the moment at which it will be full again (the theoretical arrival time of the generic cell
//! rate algorithm). It may be more than a minute ahead: only the answer shows that a request was a guess, so a charge
//! may exceed what the bucket holds. Rate-limiting libraries refuse such a charge, so Purser has its own
//! implementation.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// The most buckets that are kept. At about a hundred bytes each, they take a megabyte.
pub const MOST: usize = 10_000;

const SECOND: i64 = 1_000_000;
/// How long an empty bucket takes to refill: a minute.
const BURST: i64 = 60 * SECOND;

/// One bucket for each name. All times and durations are in microseconds.
#[derive(Debug)]
pub struct Buckets<K> {
    /// How long a bucket takes to gain one request; 0 means that there is no limit.
    interval: i64,
    /// When each bucket will be full again. A name without an entry has a full bucket.
    full_at: Mutex<HashMap<K, i64>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Buckets that hold `per_minute` requests and refill within a minute; 0 means that there is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self { interval: BURST.checked_div(i64::from(per_minute)).unwrap_or(0), full_at: Mutex::default() }
    }

    /// Takes one request from the bucket of `name`. The error is the number of seconds until the bucket has one
    /// again.
    pub fn take(&self, name: K, now: i64) -> Result<(), u64> {
        if self.interval == 0 {
            return Ok(());
        }
        self.with(name, now, |full_at| {
            let after = full_at.saturating_add(self.interval);
            match u64::try_from(after - now - BURST) {
                Ok(missing) if missing > 0 => Err(missing.div_ceil(SECOND.unsigned_abs())),
                _ => {
                    *full_at = after;
                    Ok(())
                }
            }
        })
    }

    /// Takes `requests` from the bucket of `name`. If it holds fewer, the rest becomes a debt.
    pub fn charge(&self, name: K, requests: u32, now: i64) {
        if self.interval == 0 {
            return;
        }
        let cost = self.interval.saturating_mul(i64::from(requests));
        self.with(name, now, |full_at| {
            *full_at = full_at.saturating_add(cost);
        });
    }

    fn with<T>(&self, name: K, now: i64, change: impl FnOnce(&mut i64) -> T) -> T {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&name) {
            make_room(&mut all, now);
        }
        let full_at = all.entry(name).or_insert(now);
        *full_at = now.max(*full_at);
        change(full_at)
    }
}

/// Removes the buckets that are full again, and then all but half of [`MOST`], so that this does not happen for each
/// new name. The buckets with the largest debts are kept.
fn make_room<K: Eq + Hash>(all: &mut HashMap<K, i64>, now: i64) {
    all.retain(|_, full_at| *full_at > now);
    let mut moments: Vec<i64> = all.values().copied().collect();
    let excess = moments.len().saturating_sub(MOST / 2);
    if let Some(last) = excess.checked_sub(1) {
        let (_, last, _) = moments.select_nth_unstable(last);
        let last = *last;
        all.retain(|_, full_at| *full_at > last);
    }
}

#[cfg(test)]
mod tests;
