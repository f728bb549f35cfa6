//! Events: put on the bus, read from the table's stream, and delivered to consumers that act once.

pub mod bus;
pub mod consumer;
pub mod records;
