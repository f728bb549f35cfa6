//! Products and licences in the table.

pub mod licence;
pub mod life;
mod link;
pub mod mint;
pub(crate) mod notes;
pub mod product;
pub mod rotation;
