//! Lists that callers send, which are bounded and never empty.

use derive_more::IntoIterator;
use serde::{Deserialize, Serialize};

/// A list of at least one and at most `MOST` items.
#[derive(Debug, Clone, Serialize, Deserialize, IntoIterator)]
#[serde(try_from = "Vec<T>")]
#[into_iterator(owned, ref)]
pub struct OneTo<const MOST: usize, T>(Vec<T>);

impl<const MOST: usize, T> TryFrom<Vec<T>> for OneTo<MOST, T> {
    type Error = String;
    fn try_from(items: Vec<T>) -> Result<Self, String> {
        let fits = (1..=MOST).contains(&items.len());
        if fits { Ok(Self(items)) } else { Err(format!("must have 1 to {MOST} items")) }
    }
}
