//! What Purser costs, measured: capacity units and round trips, money at list prices, starts, and a laptop under
//! load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod budgets;
pub mod costs;
pub mod load;
pub mod start;
