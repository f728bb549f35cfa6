//! Products and licences in the table.

pub mod licence;
pub mod product;
