//! The values that the other modules are made of: text, times, e-mail addresses and refids.
//!
//! Invariant: a value that exists passed its check.

pub mod email;
pub(crate) mod hex;
pub mod refid;
#[cfg(feature = "schema")]
pub mod schema;
pub mod text;
pub mod time;
