//! Waiting for a turn at the table, which others keep busy.
//!
//! Invariant: who waits pauses at random, longer each time, and gives up at a deadline, so a caller is answered.

use std::time::Duration;

use tokio::time::Instant;

use crate::StoreError;
use crate::engine::table::TableError;

/// How long a command waits its turn (docs/rules.md, "Turns").
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A wait for a turn at the table, with a deadline.
pub(crate) struct Turn {
    deadline: Instant,
    pause: Duration,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self { deadline: Instant::now() + DEADLINE, pause: FIRST_PAUSE }
    }

    /// A pause of random length that doubles each time; busy when the deadline comes first. Its length is no secret, so
    /// it comes from a generator that a simulation can seed.
    pub(crate) async fn wait(&mut self, why: &str) -> Result<(), StoreError> {
        if Instant::now() >= self.deadline {
            tracing::warn!(why, "gave up waiting for a turn");
            return Err(StoreError::Busy);
        }
        tokio::time::sleep(self.pause.mul_f64(fastrand::f64())).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Lost a race to a commit: the next try can go at once, but not past the deadline.
    pub(crate) async fn pass(&self) -> Result<(), StoreError> {
        if Instant::now() >= self.deadline {
            return Err(StoreError::Busy);
        }
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Calls until the table is not too busy, or the deadline has come.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, TableError>>>(
    call: impl Fn() -> F,
) -> Result<T, StoreError> {
    let mut turn = Turn::new();
    loop {
        match call().await {
            Err(TableError::Contended(why)) => turn.wait(&why).await?,
            done => return Ok(done?),
        }
    }
}
