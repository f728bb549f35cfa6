//! Work that is done side by side.
//!
//! Invariant: it is done in the task of whoever asked for it, so it counts for that request, and ends with it.

use futures_util::stream::{StreamExt, TryStreamExt, iter};

use crate::StoreError;

/// Does all of `work`, at most `most` at a time, and gives what came of it, in no order. The first failure ends it.
pub(crate) async fn side_by_side<T>(
    most: usize,
    work: Vec<impl Future<Output = Result<T, StoreError>>>,
) -> Result<Vec<T>, StoreError> {
    iter(work).buffer_unordered(most).try_collect().await
}
