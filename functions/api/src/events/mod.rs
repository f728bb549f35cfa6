//! Workers: the functions that are started by the table's stream, by events on the bus and by schedules.

pub mod bus;
pub mod operators;
pub mod schedule;
pub mod stream;
