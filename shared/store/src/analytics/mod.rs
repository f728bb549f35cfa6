//! Roll-ups in the table: what is counted, where, and what must be counted again.
//!
//! Items: `TL#noun#hour#s` / refid, what a thing adds; `DM#noun#hour`, the mark that an hour is dirty, listed in gsi4;
//! `RU#noun#scope` / period, the figures; `RL#rollup`, who may write them. Invariant: what a thing adds is written
//! first, then the hour is marked; it is counted from what stands there then, and its mark goes only if nobody has
//! marked it since. So however late, often or in whatever order this happens, in the end each figure is the sum of what
//! there is (docs/adr/0022).

mod figure;
mod lease;
mod mark;
mod rebuild;
mod recount;
mod rollup;
mod things;
mod timeline;

pub use figure::{Figures, Ranked};
pub use lease::{Lease, Rollup};
pub use mark::{Dirty, Mark};
pub use recount::{Difference, Recount};
pub use rollup::MOST_HOURS;
