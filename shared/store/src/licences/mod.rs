//! Products and licences in the table.

pub mod activation;
pub mod licence;
pub mod life;
mod link;
pub mod mint;
pub(crate) mod notes;
pub mod product;
pub mod rotation;
pub mod seating;
