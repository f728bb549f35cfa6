//! Clients and resellers in the table.

pub mod client;
pub mod guesses;
pub(crate) mod notice;
pub mod reseller;
mod search;
pub mod search_rows;
