//! Registering and signing in, and what protects both against strangers.

mod alike;
mod attempts;
mod bound_before_proof;
mod captcha;
mod first_proof;
mod journey;
mod neighbours;
mod registration;
pub mod tokens;
