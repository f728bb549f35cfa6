//! Clients and resellers: who licences are for, and who sells them.

pub mod client;
pub mod metadata;
pub mod reseller;
