//! Products and the licences that are minted of them.

pub mod licence;
pub mod product;
