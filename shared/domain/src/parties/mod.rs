//! Clients, who licences are for, and resellers, who sell them.

pub mod client;
pub mod metadata;
pub mod reseller;
pub mod search;
mod sensitive;

pub use client::{Client, ClientChange, ClientStatus, DeletedClient, NewClient};
pub use metadata::{Metadata, MetadataError};
pub use reseller::{Access, NewReseller, Reseller, ResellerChange, ResellerStatus};
pub use search::Search;
