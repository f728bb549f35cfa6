//! A run: the deployment, its callers, what the stream and the bus deliver, and the record of it all.

pub mod callers;
pub mod delivery;
pub mod deployment;
pub mod hot_wallet;
pub mod record;
pub mod timetable;
