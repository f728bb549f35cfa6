//! The rules of Purser, one file per noun.
//!
//! Nothing here does I/O, reads a clock or draws a random number: whatever a rule needs is an argument, so
//! each rule is a function that a table or a property can test. A value that exists is valid; text from
//! outside becomes one of these types or a [`Refusal`].

#![deny(clippy::float_arithmetic)]

pub mod analytics;
pub mod api_key;
pub mod attempts;
pub mod caller;
pub mod checkpoint;
pub mod clean_up;
pub mod client;
pub mod credentials;
pub mod credits;
pub mod email;
pub mod entry;
pub mod event;
pub mod given;
pub mod licence;
pub mod metadata;
pub mod password;
pub mod product;
pub mod provision;
pub mod refid;
pub mod refund;
pub mod refusal;
pub mod reseller;
pub mod second_factor;
pub mod session;
pub mod text;
pub mod tier;
pub mod time;
pub mod token;
pub mod transfer;
pub mod user;
pub mod wallet;

pub use refusal::Refusal;
