//! How people get in.

mod alike;
mod attempts;
mod captcha;
mod journey;
mod registration;
pub mod tokens;
