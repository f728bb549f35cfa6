//! What nearly every test of a whole Purser imports: the world, who calls it, what comes back, JSON and sets.

pub use crate::people::{PASSWORD, Person};
pub use crate::{Caller, Partner, Reply, World, futures_all};
pub use jiff::SignedDuration;
pub use serde_json::{Value, json};
pub use std::collections::BTreeSet;
