//! Buckets of requests: how much whoever has a name may still ask.
//!
//! Invariant: in any stretch of time a bucket lets through at most one minute's worth of requests and what its rate
//! gives for that stretch; and there are never more than [`MOST`] buckets, whoever calls.
//!
//! A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm's theoretical
//! arrival time). That it may lie further ahead than a minute is why these are our own few lines: whether a request
//! was a guess is known from its answer, and libraries for rates refuse to take what is not there.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How many buckets are kept. A hundred bytes each, they are a megabyte.
pub const MOST: usize = 10_000;

const SECOND: i64 = 1_000_000;
/// What a full bucket holds.
const BURST: i64 = 60 * SECOND;

/// One bucket for each name. Moments and spans are microseconds.
#[derive(Debug)]
pub struct Buckets<K> {
    /// How long a bucket takes to gain one request; 0: there is no limit.
    interval: i64,
    /// When each is full again. One that is not here is full.
    full_at: Mutex<HashMap<K, i64>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Buckets of so many requests, which fill in a minute; 0: without limit.
    pub fn new(per_minute: u32) -> Self {
        Self { interval: BURST.checked_div(i64::from(per_minute)).unwrap_or(0), full_at: Mutex::default() }
    }

    /// Takes one request out of the bucket of `name`, or says after how many seconds there will be one in it.
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

    /// Takes as many out of the bucket of `name`, and what is not in it as a debt.
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

/// Forgets the buckets that are full again and then, so that it is not done for each new name, all but half of what
/// may be kept. Those who owe most are remembered.
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
