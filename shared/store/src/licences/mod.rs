//! The items of products and licences.

pub mod licence;
pub mod product;
