//! Code that all pages share.

pub mod page;
