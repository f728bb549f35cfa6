//! Values that every noun is made of: text, times, addresses, refids.

pub mod email;
pub(crate) mod hex;
pub mod refid;
#[cfg(feature = "schema")]
pub mod schema;
pub mod text;
pub mod time;
