//! Workers: what records of the stream, events of the bus and schedules start.

pub mod bus;
pub mod operators;
pub mod schedule;
pub mod stream;
