//! Stand-ins for managed parts of the cloud: table, stream, bus, mail, schedules. None of them knows a rule of the
//! product or another of our crates: what they call and what calls them is handed in as closures.

pub mod bus;
pub mod dead_letters;
pub mod dynamo;
pub mod journal;
pub mod loopback;
pub mod pattern;
pub mod position;
pub mod ses;
pub mod stream;
pub mod timetable;
