//! Lists that callers send, which are bounded.

use derive_more::IntoIterator;
use serde::{Deserialize, Serialize};

/// A list of at least one and at most `MOST` items.
#[derive(Debug, Clone, Serialize, Deserialize, IntoIterator)]
#[serde(try_from = "Vec<T>")]
#[into_iterator(owned, ref)]
pub struct OneTo<const MOST: usize, T>(Vec<T>);

/// A list of at most `MOST` items. An item that is listed twice counts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, IntoIterator)]
#[serde(try_from = "Vec<T>", bound(deserialize = "T: Deserialize<'de> + PartialEq"))]
#[into_iterator(owned, ref)]
pub struct UpTo<const MOST: usize, T>(Vec<T>);

impl<const MOST: usize, T: PartialEq> TryFrom<Vec<T>> for UpTo<MOST, T> {
    type Error = String;
    fn try_from(items: Vec<T>) -> Result<Self, String> {
        if items.len() > MOST {
            return Err(format!("must have at most {MOST} items"));
        }
        let mut distinct = Vec::with_capacity(items.len());
        for item in items {
            if !distinct.contains(&item) {
                distinct.push(item);
            }
        }
        Ok(Self(distinct))
    }
}

impl<const MOST: usize, T> From<UpTo<MOST, T>> for Vec<T> {
    fn from(list: UpTo<MOST, T>) -> Self {
        list.0
    }
}

impl<const MOST: usize, T> TryFrom<Vec<T>> for OneTo<MOST, T> {
    type Error = String;
    fn try_from(items: Vec<T>) -> Result<Self, String> {
        let fits = (1..=MOST).contains(&items.len());
        if fits { Ok(Self(items)) } else { Err(format!("must have 1 to {MOST} items")) }
    }
}
