//! Where this process's secrets come from, and how it learns that they have changed.
//!
//! Invariant: secrets are read again every five minutes, and a function that rests for longer reads them before its
//! next request. So a key that is added begins to seal ten minutes later: by then every process can open its seals.
//! Other requests do not wait for that. If secrets can't be read, the process goes on with those it has.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use purser_store::engine::Secrets;
use purser_store::engine::secrets::{Keys, Texts};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::process::clock::Clock;
use crate::process::metrics::{self, Metric};

/// How old secrets may get before they are read again, in seconds.
const READ_AGAIN: i64 = 5 * 60;
/// How old they may be at the beginning of a request, in seconds. A request that they are too old for waits.
const TOO_OLD: i64 = 9 * 60;
/// After how many seconds a reading that failed is tried again.
const TRY_AGAIN: i64 = 30;
/// How long a reading may take while a request waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

pub type Reading = Pin<Box<dyn Future<Output = Result<Texts, String>> + Send>>;

/// Reads the secrets that a function may have.
pub type Source = Arc<dyn Fn() -> Reading + Send + Sync>;

/// The secrets of one process. Clones share them.
#[derive(Clone)]
pub struct Keeper(Arc<Kept>);

struct Kept {
    secrets: Secrets,
    source: Option<Source>,
    clock: Clock,
    /// In seconds since 1970.
    read_at: AtomicI64,
    reading: Mutex<()>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper(…)")
    }
}

impl Keeper {
    /// Keeps secrets that never change.
    pub fn fixed(secrets: Secrets, clock: Clock) -> Self {
        Self::new(secrets, None, clock)
    }

    /// Reads the secrets for the first time.
    pub async fn start(source: Source, clock: Clock) -> Result<Self, String> {
        let keys = read(&source, &clock).await?;
        Ok(Self::new(Secrets::new(keys), Some(source), clock))
    }

    fn new(secrets: Secrets, source: Option<Source>, clock: Clock) -> Self {
        let read_at = AtomicI64::new(clock.now().unix_seconds());
        Self(Arc::new(Kept { secrets, source, clock, read_at, reading: Mutex::default() }))
    }

    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Begins to read the secrets again if they are old, and waits for that only if they are too old. Every request
    /// and event begins with this.
    pub async fn refresh(&self) {
        if self.0.source.is_none() || self.age() < READ_AGAIN {
            return;
        }
        if self.age() >= TOO_OLD {
            let turn = self.0.reading.lock().await;
            // Another request may have read them while this one waited for its turn.
            if self.age() >= TOO_OLD {
                let late = |_| Err("there was no answer in time".to_owned());
                let read = timeout(PATIENCE, self.read()).await.unwrap_or_else(late);
                self.finish(read, turn);
            }
            return;
        }
        let keeper = self.clone();
        tokio::spawn(async move {
            if let Ok(turn) = keeper.0.reading.try_lock() {
                let read = keeper.read().await;
                keeper.finish(read, turn);
            }
        });
    }

    fn age(&self) -> i64 {
        self.0.clock.now().unix_seconds() - self.0.read_at.load(Ordering::Relaxed)
    }

    async fn read(&self) -> Result<Keys, String> {
        match &self.0.source {
            Some(source) => read(source, &self.0.clock).await,
            None => Err("there is nowhere to read them from".to_owned()),
        }
    }

    fn finish(&self, read: Result<Keys, String>, _turn: MutexGuard<'_, ()>) {
        let now = self.0.clock.now().unix_seconds();
        match read {
            Ok(keys) => {
                self.0.secrets.replace(keys);
                self.0.read_at.store(now, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(error, "the secrets can't be read again; those from before are used");
                metrics::count(Metric::SecretsUnread);
                self.0.read_at.store(now - READ_AGAIN + TRY_AGAIN, Ordering::Relaxed);
            }
        }
    }
}

async fn read(source: &Source, clock: &Clock) -> Result<Keys, String> {
    let texts = source().await?;
    Keys::read(&texts, clock.now()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use jiff::{SignedDuration, Timestamp};
    use purser_domain::basic::Time;
    use purser_store::engine::secrets::fresh;

    use super::*;

    /// A source of other secrets each time, and a switch that makes it fail.
    fn changing(fails: &Arc<AtomicBool>) -> Source {
        let (fails, now) = (Arc::clone(fails), Time::of(Timestamp::UNIX_EPOCH));
        Arc::new(move || {
            let read = if fails.load(Ordering::Relaxed) { Err("gone".to_owned()) } else { Ok(fresh(now).unwrap()) };
            Box::pin(async move { read })
        })
    }

    fn id(keeper: &Keeper) -> [u8; 10] {
        keeper.secrets().bits("client", &["a"]).unwrap()
    }

    #[tokio::test]
    async fn secrets_are_read_again_when_they_are_old_and_kept_while_they_can_not_be_read() {
        let (clock, fails) = (Clock::stopped_at(Timestamp::UNIX_EPOCH), Arc::new(AtomicBool::new(false)));
        let turn = |seconds| clock.advance(SignedDuration::from_secs(seconds));
        let keeper = Keeper::start(changing(&fails), clock.clone()).await.unwrap();
        let first = id(&keeper);
        turn(READ_AGAIN - 1);
        keeper.refresh().await;
        tokio::task::yield_now().await;
        assert_eq!(id(&keeper), first);
        // They are read in the background, so this request still uses those from before.
        turn(1);
        keeper.refresh().await;
        assert_eq!(id(&keeper), first);
        tokio::task::yield_now().await;
        let second = id(&keeper);
        assert_ne!(second, first);
        fails.store(true, Ordering::Relaxed);
        turn(TOO_OLD);
        keeper.refresh().await;
        assert_eq!(id(&keeper), second);
        // Nothing waits for the next try, which comes half a minute later.
        fails.store(false, Ordering::Relaxed);
        turn(TRY_AGAIN - 1);
        keeper.refresh().await;
        tokio::task::yield_now().await;
        assert_eq!(id(&keeper), second);
        turn(1);
        keeper.refresh().await;
        tokio::task::yield_now().await;
        assert_ne!(id(&keeper), second);
    }

    #[tokio::test]
    async fn a_process_that_rested_reads_them_before_its_next_request() {
        let (clock, fails) = (Clock::stopped_at(Timestamp::UNIX_EPOCH), Arc::new(AtomicBool::new(false)));
        let keeper = Keeper::start(changing(&fails), clock.clone()).await.unwrap();
        let first = id(&keeper);
        clock.advance(SignedDuration::from_secs(TOO_OLD));
        keeper.refresh().await;
        assert_ne!(id(&keeper), first);
    }
}
