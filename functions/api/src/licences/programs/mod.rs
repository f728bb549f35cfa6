//! What programs ask with a licence key and nothing else, and by what they know that the answer is Purser's.

pub mod activate;
pub mod signing_keys;
pub mod validate;
pub mod validation;
