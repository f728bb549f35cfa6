//! A run: the deployment, its callers, the deliveries of the stream and the bus, and the record of all of it.

pub mod callers;
pub mod delivery;
pub mod deployment;
pub mod hot_wallet;
pub mod record;
pub mod timetable;
