//! The items of users, and of all that they sign in and prove themselves with.

pub mod account;
pub mod api_key;
pub mod avatar;
pub mod captcha;
pub mod link;
pub mod second_factor;
pub mod session;
pub mod sign_in;
pub mod token;
pub mod user;
