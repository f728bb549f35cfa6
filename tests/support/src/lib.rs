//! The worlds that tests live in: a whole Purser, empty, with a clock you turn, reached through HTTP.
//!
//! Invariant: each world is its own; nothing is shared, so tests run in any order and side by side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test stops where something is not as it should be"
)]

pub mod caller;
pub mod contract;
pub mod document;
pub mod faults;
pub mod lambda;
pub mod people;
pub mod reply;
pub mod schema;
pub mod world;

pub use caller::Caller;
pub use reply::Reply;
pub use world::{Partner, World};
