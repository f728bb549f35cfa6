//! Tests of Purser's promises, through the interfaces that users use. The tree mirrors the API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test panics where something is wrong; a table of cases is as long as it has to be"
)]

mod accounts;
mod analytics;
mod clients;
mod events;
mod house;
mod http;
mod laptop;
mod ledger;
mod licences;
mod portal;
mod products;
mod provisions;
mod resellers;
mod seals;
mod table;
mod template;

/// A fifth of the processor time of these tests was glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
