//! Users: how they sign in, what they prove themselves with, and who calls.

pub mod api_key;
pub mod attempts;
pub mod caller;
pub mod clean_up;
pub mod credentials;
pub mod given;
pub mod password;
pub mod second_factor;
pub mod session;
pub mod token;
pub mod user;
