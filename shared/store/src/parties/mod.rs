//! The items of clients and resellers.

pub mod client;
pub mod reseller;
