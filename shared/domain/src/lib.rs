//! The business rules of Purser, grouped by noun.
//!
//! Invariant: no code in this crate does I/O, reads a clock or draws a random number. A rule gets everything it needs
//! as arguments, so every rule is a function that a table of cases or a property can test. A value that exists is
//! valid: text from outside becomes one of these types or is refused, for instance with a [`Refusal`].
//!
//! A field `version` counts the changes of a stored item, starting at 1.

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
