//! Licences: the keys that clients own.

pub mod view;
