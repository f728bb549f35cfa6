//! The rules of Purser, by noun.
//!
//! Nothing here does I/O, reads a clock or draws a random number: whatever a rule needs is an argument, so
//! each rule is a function that a table or a property can test. A value that exists is valid; text from
//! outside becomes one of these types or a [`Refusal`].

#![deny(clippy::float_arithmetic)]

pub mod analytics;
pub mod basic;
pub mod event;
pub mod licences;
pub mod money;
pub mod parties;
pub mod people;
pub mod refusal;

pub use refusal::Refusal;
