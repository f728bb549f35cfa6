//! Running futures concurrently.
//!
//! Invariant: they run in the task of the caller, so they count towards the cost of its request, and end with it.

use futures_util::stream::{StreamExt, TryStreamExt, iter};

use crate::StoreError;

/// Runs all of `work`, at most `most` at a time, and returns the results in any order. The first failure ends it.
pub(crate) async fn side_by_side<T>(
    most: usize,
    work: Vec<impl Future<Output = Result<T, StoreError>>>,
) -> Result<Vec<T>, StoreError> {
    iter(work).buffer_unordered(most).try_collect().await
}
