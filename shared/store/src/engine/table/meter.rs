//! What a request costs: calls to the table, the capacity units they took, and passwords hashed.
//!
//! Invariant: every call of [`crate::engine::table`] is counted in the meter of the task that made it, so a budget
//! (tests/bench/src/budgets) is asserted from what DynamoDB itself reported. A run of a password hash is counted in
//! the task that asked for it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// The cost of one request so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Round trips to the table, one after another or side by side.
    pub calls: u32,
    /// Read capacity units.
    pub rcu: f64,
    /// Write capacity units.
    pub wcu: f64,
    /// Runs of the password hash, each tens of milliseconds of a core.
    pub hashes: u32,
}

tokio::task_local! {
    static METER: Arc<Mutex<Cost>>;
}

/// Runs `work` and says what it cost.
pub async fn measured<T>(work: impl Future<Output = T>) -> (T, Cost) {
    let meter = Arc::new(Mutex::new(Cost::default()));
    let done = METER.scope(meter.clone(), work).await;
    let cost = *meter.lock().unwrap_or_else(PoisonError::into_inner);
    (done, cost)
}

/// Whether the units a call reports were read or written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    Read,
    Write,
}

pub(crate) fn count<'a>(direction: Direction, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    let units: f64 = capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
    noted(|cost| {
        cost.calls += 1;
        match direction {
            Direction::Read => cost.rcu += units,
            Direction::Write => cost.wcu += units,
        }
    });
}

/// Counts a run of the password hash.
pub fn count_hash() {
    noted(|cost| cost.hashes += 1);
}

fn noted(note: impl FnOnce(&mut Cost)) {
    // Work outside a request, at start for instance, has no meter; nobody asks for its cost.
    let _unmetered = METER.try_with(|meter| {
        note(&mut meter.lock().unwrap_or_else(PoisonError::into_inner));
    });
}
