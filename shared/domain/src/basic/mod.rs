//! Values that every noun is made of: text, times, addresses, refids.

pub mod email;
pub(crate) mod hex;
pub mod refid;
pub mod text;
pub mod time;
