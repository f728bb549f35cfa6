//! Clients, who licences are for, and resellers, who sell them.

pub mod client;
pub mod metadata;
pub mod reseller;
