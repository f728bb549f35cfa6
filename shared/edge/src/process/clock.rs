//! The clock: the only module that reads the current time.
//!
//! Invariant: time comes from the system and advances with it; tests and an ephemeral laptop may also advance it by
//! hand. A clock that only advances by hand is used where a run must be exactly repeatable, never in a deployment.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use purser_domain::basic::Time;

/// The system's clock, plus the time by which it was advanced. Clones share that time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    stopped_at: Option<Timestamp>,
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that stands still except when [`Clock::advance`] is called.
    pub fn stopped_at(start: Timestamp) -> Self {
        Self { stopped_at: Some(start), ahead_ms: Arc::default() }
    }

    pub fn now(&self) -> Time {
        Time::of(self.timestamp())
    }

    /// The current time, more precise than [`Clock::now`].
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub fn timestamp(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        let start = self.stopped_at.unwrap_or_else(Timestamp::now);
        start.saturating_add(ahead).unwrap_or(start)
    }

    pub fn advance(&self, by: SignedDuration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
