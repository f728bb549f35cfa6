//! The caller of a request: API keys and sessions, password hashing, and CAPTCHA.

mod authenticate;
pub mod call;
pub mod captcha;
pub mod input;
pub mod passwords;
mod siteverify;
