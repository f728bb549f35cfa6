//! Roll-ups in the table: what is counted, where, and what must be counted again. The entities that are counted
//! (clients, licences, resellers, ledger entries) are called *things*.
//!
//! Items: `TL#noun#hour#s` / refid is a row, what one thing adds to figures; `DM#noun#hour` is the mark of a dirty
//! hour, listed in gsi4; `RU#noun#scope` / period is a figure; `RL#rollup` is the lease of the run that may write
//! figures. Invariant: a thing's row is written first, then its hour is marked. A run counts the hour from the rows
//! that are there then, and clears the mark only if the hour was not marked again in the meantime. So no matter how
//! late, how often or in which order changes arrive, in the end each figure is the sum over all things
//! (docs/adr/0022).

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
