//! The clock: the only place that asks what time it is.
//!
//! Invariant: time comes from the system and moves with it; a test or an ephemeral laptop may turn it forward. A
//! deployment's never stands still: only where a run must be repeated exactly does a clock move by being turned alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use purser_domain::basic::time::Time;

/// The system's clock, with whatever it was turned forward by. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    stopped_at: Option<Timestamp>,
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that moves only when it is turned.
    pub fn stopped_at(start: Timestamp) -> Self {
        Self { stopped_at: Some(start), ahead_ms: Arc::default() }
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        Time::of(self.timestamp())
    }

    /// The present moment, as the time library has it.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub fn timestamp(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        let start = self.stopped_at.unwrap_or_else(Timestamp::now);
        start.saturating_add(ahead).unwrap_or(start)
    }

    /// Turns the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
