//! Test support. A world is a whole Purser of its own: empty at first, with a clock that the test turns, and reached
//! over HTTP.
//!
//! Invariant: worlds share nothing, so tests can run in any order and in parallel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod caller;
pub mod contract;
pub mod document;
pub mod faults;
pub mod lambda;
pub mod people;
pub mod prelude;
pub mod reply;
pub mod schema;
pub mod world;

pub use caller::Caller;
pub use reply::Reply;
pub use world::{Partner, World};
