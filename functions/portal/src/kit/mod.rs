//! What all pages share.

pub mod page;
