//! What a request costs: calls to the table, capacity units, and password hashes.
//!
//! Invariant: every call in [`crate::engine::table`] is counted in the meter of the task that made it, so budgets
//! (tests/bench/src/budgets) are asserted on the figures that DynamoDB itself reports. Password hashes are counted in
//! the task that asked for them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Calls to the table, whether sequential or concurrent.
    pub calls: u32,
    /// Read capacity units.
    pub rcu: f64,
    /// Write capacity units.
    pub wcu: f64,
    /// Runs of the password hash. Each takes a core for tens of milliseconds.
    pub hashes: u32,
}

tokio::task_local! {
    static METER: Arc<Mutex<Cost>>;
}

pub async fn measured<T>(work: impl Future<Output = T>) -> (T, Cost) {
    let meter = Arc::new(Mutex::new(Cost::default()));
    let done = METER.scope(meter.clone(), work).await;
    let cost = *meter.lock().unwrap_or_else(PoisonError::into_inner);
    (done, cost)
}

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

pub fn count_hash() {
    noted(|cost| cost.hashes += 1);
}

fn noted(note: impl FnOnce(&mut Cost)) {
    // Work outside a request (at start, for instance) has no meter, and its cost is of no interest.
    let _unmetered = METER.try_with(|meter| {
        note(&mut meter.lock().unwrap_or_else(PoisonError::into_inner));
    });
}
