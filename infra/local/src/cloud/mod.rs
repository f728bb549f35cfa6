//! Stand-ins for the managed parts of the cloud: table, stream, bus, e-mail and schedules.
//!
//! Invariant: no stand-in knows a rule of the product or depends on another of our crates; what a stand-in calls is
//! passed in as closures.

pub mod bus;
pub mod dead_letters;
pub mod dynamo;
pub mod inside;
pub mod journal;
pub mod loopback;
pub mod pattern;
pub mod position;
pub mod ses;
pub mod stream;
pub mod timetable;
