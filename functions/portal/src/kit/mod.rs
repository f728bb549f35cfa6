//! What every page is made of.

pub mod page;
