//! Work that is done side by side, and still counts for the request that asked for it.

use std::future::Future;

use tokio::task::JoinSet;

use crate::StoreError;
use crate::meter::{self, Cost};

/// Does all of `work`, at most `most` at a time, and gives what came of it, in no order. The first failure ends it.
pub(crate) async fn side_by_side<T: Send + 'static>(
    most: usize,
    work: Vec<impl Future<Output = Result<T, StoreError>> + Send + 'static>,
) -> Result<Vec<T>, StoreError> {
    let mut work = work.into_iter();
    let mut running = JoinSet::new();
    for one in work.by_ref().take(most) {
        running.spawn(meter::measured(one));
    }
    let mut done = Vec::new();
    while let Some(ended) = running.join_next().await {
        let ended: (Result<T, StoreError>, Cost) =
            ended.map_err(|error| StoreError::Failed(error.to_string()))?;
        meter::add(ended.1);
        done.push(ended.0?);
        if let Some(one) = work.next() {
            running.spawn(meter::measured(one));
        }
    }
    Ok(done)
}
