//! What Purser costs, measured: capacity units and round trips, money at list prices, starts, and load on a laptop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test stops where something is not as it should be"
)]

pub mod budgets;
pub mod costs;
pub mod load;
pub mod start;
