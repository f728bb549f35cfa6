//! One command, one commit: how every change of the table is made.
//!
//! Load what the rule needs, ask the domain, commit one transaction. Invariants: a refusal is only given on
//! strongly consistent reads, state before record (see docs/adr/0005); a command that loses a race decides
//! again on the state it lost to, until eight seconds have passed; one that may have happened is looked up by
//! its record before it is tried again.

use std::collections::HashMap;
use std::time::Duration;

use purser_domain::Refusal;
use purser_domain::time::Time;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::idempotency::Record;
use crate::item::{Item, Stamp, part};
use crate::keys::Key;
use crate::secrets::random;
use crate::table::{Consistency, Outcome, Reason, TableError, Write};
use crate::{Store, StoreError};

/// How long a command waits its turn (SPEC, "Interfaces").
const DEADLINE: Duration = Duration::from_secs(8);
const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// The items a command loaded, by key; those that do not exist are missing.
pub type Loaded = HashMap<Key, Item>;

/// A request as the store needs to know it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where its answer is remembered, when it carries an idempotency key.
    pub record: Option<Record>,
    /// Who asks, and how.
    pub stamp: Stamp,
    /// When.
    pub now: Time,
}

/// What a command decided on what it loaded.
#[derive(Debug)]
pub enum Decision {
    /// Make these writes, then give this answer.
    Commit {
        /// The writes, the record first when there is one.
        writes: Vec<CommandWrite>,
        /// The answer, once they are made.
        answer: Answer,
    },
    /// Nothing needs to change.
    Unchanged(Answer),
}

/// A write, and what it means when its condition fails.
#[derive(Debug)]
pub struct CommandWrite {
    /// The write.
    pub write: Write,
    /// The refusal that a failed condition means; none: the item changed, decide again on what it is now.
    pub taken: Option<Refusal>,
}

impl CommandWrite {
    /// A write whose item may change under the command.
    pub fn fresh(write: Write) -> Self {
        Self { write, taken: None }
    }

    /// A write that claims something unique.
    pub fn unique(write: Write, taken: Refusal) -> Self {
        Self {
            write,
            taken: Some(taken),
        }
    }
}

/// What follows an attempt to commit.
enum Next {
    Committed,
    Answer(Answer),
    DecideAgain,
    ReadAgain,
}

impl Store {
    /// Runs a command of `request`: `keys` are what `decide` needs, `record` is where its answer is remembered.
    pub(crate) async fn command(
        &self,
        request: &str,
        record: Option<&Record>,
        keys: &[Key],
        mut decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        let deadline = Instant::now() + DEADLINE;
        let mut pause = FIRST_PAUSE;
        let mut known: Option<Loaded> = None;
        let mut consistency = Consistency::Eventual;
        loop {
            let fresh = known.is_none();
            let loaded = match known.take() {
                Some(loaded) => loaded,
                None => match self.load(record, keys, consistency).await {
                    Ok(loaded) => loaded,
                    Err(TableError::Contended(why)) => {
                        wait(&mut pause, deadline, &why).await?;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            if let Some((record, item)) =
                record.and_then(|record| Some((record, loaded.get(&record.key)?)))
            {
                // A record never changes, so even a stale read of one decides.
                return self.recall(request, record, item);
            }
            let (writes, answer) = match decide(&loaded) {
                Ok(Decision::Commit { writes, answer }) => (writes, answer),
                Ok(Decision::Unchanged(answer)) if fresh && consistency == Consistency::Strong => {
                    return Ok(answer);
                }
                Err(StoreError::Refused(refusal))
                    if fresh && consistency == Consistency::Strong =>
                {
                    return Err(refusal.into());
                }
                // A stale read must never refuse, nor take a change for made.
                Ok(Decision::Unchanged(_)) | Err(StoreError::Refused(_)) => {
                    consistency = Consistency::Strong;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match self
                .commit(request, record, &writes, loaded, &mut known)
                .await?
            {
                Next::Committed => return Ok(answer),
                Next::Answer(answer) => return Ok(answer),
                Next::DecideAgain => wait_for_turn(deadline).await?,
                Next::ReadAgain => {
                    consistency = Consistency::Strong;
                    wait(&mut pause, deadline, "the transaction").await?;
                }
            }
        }
    }

    /// The answer in a record: a replay, unless an earlier try of this very request got through.
    fn recall(&self, request: &str, record: &Record, item: &Item) -> Result<Answer, StoreError> {
        let answer = record.recall(item, &self.secrets)?;
        Ok(Answer {
            replayed: !is_by(item, request),
            ..answer
        })
    }

    /// Tries the writes once, and says what to do next; the state to decide on again goes to `known`.
    async fn commit(
        &self,
        request: &str,
        record: Option<&Record>,
        writes: &[CommandWrite],
        mut loaded: Loaded,
        known: &mut Option<Loaded>,
    ) -> Result<Next, StoreError> {
        let plain: Vec<Write> = writes.iter().map(|write| write.write.clone()).collect();
        let reasons = match self.table.transact(&plain).await {
            Ok(Outcome::Committed) => return Ok(Next::Committed),
            Ok(Outcome::Cancelled(reasons)) => reasons,
            Err(TableError::Contended(why)) => {
                tracing::debug!(why, "a transaction's outcome is unknown");
                return Ok(Next::ReadAgain);
            }
            Err(error) => return Err(error.into()),
        };
        let mut failed = Vec::new();
        let mut contended = false;
        for (write, reason) in writes.iter().zip(reasons) {
            match reason {
                Reason::None => {}
                Reason::Contention => contended = true,
                Reason::Condition(item) => failed.push((write, item)),
            }
        }
        // The record is judged first: when it is there, this command has happened, and whatever else failed
        // failed because of that.
        for (write, item) in &failed {
            if let (Some(record), Some(item)) = (record, item)
                && write.write.key().as_ref() == Some(&record.key)
            {
                return self.recall(request, record, item).map(Next::Answer);
            }
        }
        // So it is when an item bears this request's stamp: an earlier try got through and its answer was lost.
        if failed
            .iter()
            .filter_map(|(_, item)| item.as_ref())
            .any(|item| is_by(item, request))
        {
            return Ok(Next::Committed);
        }
        if let Some(refusal) = failed.iter().find_map(|(write, _)| write.taken.clone()) {
            return Err(refusal.into());
        }
        if contended || failed.is_empty() {
            return Ok(Next::ReadAgain);
        }
        for (write, item) in failed {
            let Some(key) = write.write.key() else {
                return Ok(Next::ReadAgain);
            };
            match item {
                Some(item) => loaded.insert(key, item),
                None => loaded.remove(&key),
            };
        }
        *known = Some(loaded);
        Ok(Next::DecideAgain)
    }

    /// Loads state and record: together when they may be stale; else the state first and the record after it,
    /// so that a commit of this very command between the two shows as its record, not as a spent balance.
    async fn load(
        &self,
        record: Option<&Record>,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Loaded, TableError> {
        let record = record.map(|record| record.key.clone());
        if consistency == Consistency::Eventual {
            let keys: Vec<Key> = keys.iter().cloned().chain(record).collect();
            return self.table.get_all(&keys, consistency).await;
        }
        let mut loaded = self.table.get_all(keys, consistency).await?;
        if let Some(key) = record
            && let Some(item) = self.table.get(&key, consistency).await?
        {
            loaded.insert(key, item);
        }
        Ok(loaded)
    }
}

/// Whether `request` made this version of an item.
fn is_by(item: &Item, request: &str) -> bool {
    part::<Stamp>(item, "by").is_ok_and(|stamp| stamp.request == request)
}

/// A pause of random length that doubles each time; busy when the deadline comes first.
async fn wait(pause: &mut Duration, deadline: Instant, why: &str) -> Result<(), StoreError> {
    if Instant::now() >= deadline {
        tracing::warn!(why, "gave up waiting for a turn");
        return Err(StoreError::Busy);
    }
    tokio::time::sleep(pause.mul_f64(fraction()?)).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    Ok(())
}

/// Lost a race to a commit: the next try can go at once, but not past the deadline.
async fn wait_for_turn(deadline: Instant) -> Result<(), StoreError> {
    if Instant::now() >= deadline {
        return Err(StoreError::Busy);
    }
    tokio::task::yield_now().await;
    Ok(())
}

fn fraction() -> Result<f64, StoreError> {
    Ok(f64::from(u32::from_be_bytes(random()?)) / f64::from(u32::MAX))
}
