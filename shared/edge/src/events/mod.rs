//! Events: onto the bus, out of the stream, and to consumers that act once.

pub mod bus;
pub mod consumer;
pub mod records;
