//! What Purser promises, tested through the doors its users use; the tree mirrors the API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test stops where something is not as it should be; a table is as long as it has cases"
)]

mod accounts;
mod analytics;
mod clients;
mod events;
mod house;
mod http;
mod laptop;
mod ledger;
mod portal;
mod products;
mod provisions;
mod resellers;
mod table;
mod template;
