//! Products, and the licences that are minted when a product is sold.
//!
//! Invariant: a licence does not change when its product does.

pub mod licence;
pub mod product;
