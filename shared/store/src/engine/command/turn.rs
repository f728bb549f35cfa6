//! Waiting for a turn at a busy table.
//!
//! Invariant: a command pauses for a random time, longer after each try, and gives up at a deadline, so its caller
//! always gets an answer.

use std::time::Duration;

use tokio::time::Instant;

use crate::StoreError;
use crate::engine::table::TableError;

/// How long a command waits for its turn (docs/rules.md, "Turns").
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

pub(crate) struct Turn {
    deadline: Instant,
    pause: Duration,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self { deadline: Instant::now() + DEADLINE, pause: FIRST_PAUSE }
    }

    /// Pauses for a random time, whose upper bound doubles with each pause, or fails with [`StoreError::Busy`] if the
    /// deadline has passed. The length is no secret, so it comes from a generator that a simulation can seed.
    pub(crate) async fn wait(&mut self, why: &str) -> Result<(), StoreError> {
        if Instant::now() >= self.deadline {
            tracing::warn!(why, "gave up waiting for a turn");
            return Err(StoreError::Busy);
        }
        tokio::time::sleep(self.pause.mul_f64(fastrand::f64())).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Lets a command that lost a race try again at once, unless the deadline has passed.
    pub(crate) async fn pass(&self) -> Result<(), StoreError> {
        if Instant::now() >= self.deadline {
            return Err(StoreError::Busy);
        }
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Repeats a call while the table is too busy, until the deadline.
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
