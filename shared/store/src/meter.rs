//! What a request costs: calls to the table and the capacity units they took.
//!
//! Invariant: every call of [`crate::table`] is counted in the meter of the task that made it, so a budget
//! (ARCHITECTURE.md, "Budgets") is asserted from what DynamoDB itself reported.

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

pub(crate) fn count<'a>(
    direction: Direction,
    capacity: impl IntoIterator<Item = &'a ConsumedCapacity>,
) {
    let units: f64 = capacity
        .into_iter()
        .filter_map(ConsumedCapacity::capacity_units)
        .sum();
    // Work outside a request, at start for instance, has no meter; nobody asks for its cost.
    let _unmetered = METER.try_with(|meter| {
        let mut cost = meter.lock().unwrap_or_else(PoisonError::into_inner);
        cost.calls += 1;
        match direction {
            Direction::Read => cost.rcu += units,
            Direction::Write => cost.wcu += units,
        }
    });
}

/// Adds what work on another task cost to this task's meter.
pub(crate) fn add(more: Cost) {
    let _unmetered = METER.try_with(|meter| {
        let mut cost = meter.lock().unwrap_or_else(PoisonError::into_inner);
        cost.calls += more.calls;
        cost.rcu += more.rcu;
        cost.wcu += more.wcu;
    });
}
