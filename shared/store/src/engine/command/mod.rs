//! One command, one commit: how every change of the table is made.
//!
//! Load what the rule needs, ask the domain, commit one transaction. Invariants: a refusal is only given on
//! strongly consistent reads, state before record (see docs/adr/0005); a command that loses a race decides
//! again on the state it lost to, until eight seconds have passed; one that may have happened is looked up by
//! its record before it is tried again. Commands of one process do not race for a wallet, they stand in line.

pub mod answer;
pub mod idempotency;
pub mod line;
pub(crate) mod turn;

use std::time::Duration;

use purser_domain::Refusal;
use purser_domain::basic::time::Time;

use crate::engine::command::answer::Answer;
use crate::engine::command::idempotency::{IdempotencyKey, Record};
use crate::engine::command::turn::{DEADLINE, Turn};
use crate::engine::item::{Item, Stamp, part};
use crate::engine::keys::Key;
use crate::engine::loaded::Loaded;
use crate::engine::table::{Consistency, Outcome, Reason, TableError, Write};
use crate::{Store, StoreError};

/// How long a call that is in flight at the deadline may still take.
const GRACE: Duration = Duration::from_secs(1);

/// A request as the store needs to know it. Commands that move credits take none without an idempotency key.
#[derive(Debug, Clone)]
pub struct Request<K = Option<IdempotencyKey>> {
    /// What its answer is remembered by.
    pub key: K,
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
    /// What was read names these items, which nobody has read: read them, too, and decide again.
    Read(Vec<Key>),
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
        Self { write, taken: Some(taken) }
    }
}

/// What a command begins with.
struct Reads<'a> {
    known: Option<Loaded>,
    record: Option<&'a Record>,
    keys: &'a [Key],
}

/// What follows an attempt to commit.
enum Next {
    Committed,
    Answer(Answer),
    DecideAgain(Loaded),
    ReadAgain,
    Unknown,
}

/// Writes whose outcome is unknown, and the answer they deserve if they were made.
struct Sent {
    puts: Vec<Key>,
    deletes: Vec<Key>,
    answer: Answer,
}

impl Sent {
    /// Only what the command reads can tell later whether the writes were made.
    fn new(writes: &[CommandWrite], read: &[Key], answer: Answer) -> Self {
        let (mut puts, mut deletes) = (Vec::new(), Vec::new());
        for CommandWrite { write, .. } in writes {
            match write {
                Write::Put(..) => puts.extend(write.key()),
                Write::Delete(key, _) if read.contains(key) => deletes.push(key.clone()),
                Write::Delete(..) | Write::Check(..) => {}
            }
        }
        Self { puts, deletes, answer }
    }

    /// Whether what was read since shows that the writes were made: an item bears the request's stamp; or, where there
    /// was nothing but something to delete, that is gone. Beside puts a deletion shows nothing: others may delete, too.
    fn was_made(&self, loaded: &Loaded, request: &str) -> bool {
        let ours = |key| loaded.get(key).is_some_and(|item| is_by(item, request));
        self.puts.iter().any(ours) || self.puts.is_empty() && self.deletes.iter().any(|key| !loaded.has(key))
    }
}

impl Store {
    /// Runs a command of `request`: `keys` are what `decide` needs, `record` is where its answer is remembered.
    pub(crate) async fn command(
        &self,
        request: &str,
        record: Option<&Record>,
        keys: &[Key],
        decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        self.command_on(None, request, record, keys, decide).await
    }

    /// The same on what was read before, strongly consistent: only if it loses a race does it read `keys` again.
    pub(crate) async fn command_on(
        &self,
        known: Option<Loaded>,
        request: &str,
        record: Option<&Record>,
        keys: &[Key],
        decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        // A call that hangs past the deadline is given up on: what it may have done is found by record or stamp
        // when the caller sends the command again.
        let turn = Turn::new();
        let attempts = async {
            let front = tokio::time::timeout(DEADLINE, self.lines.stand(keys)).await;
            let Ok(_front) = front else {
                return Err(StoreError::Busy);
            };
            let reads = Reads { known, record, keys };
            self.attempts(request, reads, turn, decide).await
        };
        tokio::time::timeout(DEADLINE + GRACE, attempts).await.unwrap_or(Err(StoreError::Busy))
    }

    async fn attempts(
        &self,
        request: &str,
        reads: Reads<'_>,
        mut turn: Turn,
        mut decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        let (record, mut keys) = (reads.record, reads.keys.to_vec());
        let mut consistency = match reads.known {
            Some(_) => Consistency::Strong,
            None => Consistency::Eventual,
        };
        // What is known, and whether it is a picture that was taken in the right order.
        let mut known = reads.known.map(|loaded| (loaded, true));
        let mut sent: Option<Sent> = None;
        loop {
            let (loaded, fresh) = match known.take() {
                Some(known) => known,
                None => (self.load(record, &keys, consistency, &mut turn).await?, true),
            };
            if let Some((record, item)) = record.and_then(|it| Some((it, loaded.get(&it.key)?))) {
                // A record never changes, so even a stale read of one decides.
                return self.recall(request, record, item);
            }
            if let Some(sent) = sent.take_if(|sent| sent.was_made(&loaded, request)) {
                return Ok(sent.answer);
            }
            let (writes, answer) = match decide(&loaded) {
                Ok(Decision::Commit { writes, answer }) => (writes, answer),
                Ok(Decision::Read(more)) => {
                    keys.extend(more.iter().cloned());
                    // A consistent picture is taken anew, because the record is read last.
                    if consistency == Consistency::Eventual {
                        let mut loaded = loaded;
                        loaded.extend(self.load(None, &more, consistency, &mut turn).await?);
                        known = Some((loaded, false));
                    }
                    continue;
                }
                // A stale read must never refuse, take a change for made, or what it has not seen yet for lost.
                Ok(Decision::Unchanged(_)) | Err(StoreError::Refused(_) | StoreError::Unreadable(_))
                    if !fresh || consistency == Consistency::Eventual =>
                {
                    consistency = Consistency::Strong;
                    continue;
                }
                Ok(Decision::Unchanged(answer)) => return Ok(answer),
                Err(error) => return Err(error),
            };
            match self.commit(request, record, &writes, loaded).await? {
                Next::Committed => return Ok(answer),
                Next::Answer(answer) => return Ok(answer),
                Next::DecideAgain(loaded) => {
                    known = Some((loaded, false));
                    turn.pass().await?;
                    continue;
                }
                Next::ReadAgain => {}
                Next::Unknown => sent = Some(Sent::new(&writes, &keys, answer)),
            }
            consistency = Consistency::Strong;
            turn.wait("the transaction").await?;
        }
    }

    /// The answer in a record: a replay, unless an earlier try of this very request got through.
    fn recall(&self, request: &str, record: &Record, item: &Item) -> Result<Answer, StoreError> {
        let answer = record.recall(item, &self.secrets)?;
        Ok(Answer { replayed: !is_by(item, request), ..answer })
    }

    /// Tries the writes once, and says what to do next.
    async fn commit(
        &self,
        request: &str,
        record: Option<&Record>,
        writes: &[CommandWrite],
        mut loaded: Loaded,
    ) -> Result<Next, StoreError> {
        let plain: Vec<Write> = writes.iter().map(|write| write.write.clone()).collect();
        let reasons = match self.table.transact(&plain).await {
            Ok(Outcome::Committed) => return Ok(Next::Committed),
            Ok(Outcome::Cancelled(reasons)) => reasons,
            Err(TableError::Contended(why)) => {
                tracing::debug!(why, "a transaction's outcome is unknown");
                return Ok(Next::Unknown);
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
        if failed.iter().filter_map(|(_, item)| item.as_ref()).any(|item| is_by(item, request)) {
            return Ok(Next::Committed);
        }
        // With a conflict among them the reasons are no picture of one moment: the record may be about to appear.
        if contended || failed.is_empty() {
            return Ok(Next::ReadAgain);
        }
        // What is taken refuses only a command that was decided on the present state: beside an item that has changed
        // it may be this command's own doing, by an equal request that was faster.
        if failed.iter().all(|(write, _)| write.taken.is_some()) {
            let taken = failed.iter().filter_map(|(write, _)| write.taken.clone());
            if let Some(refusal) = Refusal::all(taken) {
                return Err(refusal.into());
            }
        }
        for (write, item) in failed {
            let Some(key) = write.write.key() else {
                return Ok(Next::ReadAgain);
            };
            loaded.note(key, item);
        }
        Ok(Next::DecideAgain(loaded))
    }

    /// Loads state and record, and waits its turn while the table is too busy for that.
    async fn load(
        &self,
        record: Option<&Record>,
        keys: &[Key],
        consistency: Consistency,
        turn: &mut Turn,
    ) -> Result<Loaded, StoreError> {
        loop {
            match self.read(record, keys, consistency).await {
                Err(TableError::Contended(why)) => turn.wait(&why).await?,
                read => return Ok(read?),
            }
        }
    }

    /// Reads state and record: together when they may be stale; else the state first and the record after it,
    /// so that a commit of this very command between the two shows as its record, not as a spent balance.
    async fn read(
        &self,
        record: Option<&Record>,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Loaded, TableError> {
        let record = record.map(|record| record.key.clone());
        if consistency == Consistency::Eventual {
            let keys: Vec<Key> = keys.iter().cloned().chain(record).collect();
            let found = self.table.get_all(&keys, consistency).await?;
            return Ok(Loaded::of(&keys, found));
        }
        let found = self.table.get_all(keys, consistency).await?;
        let mut loaded = Loaded::of(keys, found);
        if let Some(key) = record {
            let item = self.table.get(&key, consistency).await?;
            loaded.note(key, item);
        }
        Ok(loaded)
    }
}

/// Whether `request` made this version of an item.
fn is_by(item: &Item, request: &str) -> bool {
    part::<Stamp>(item, "by").is_ok_and(|stamp| stamp.request == request)
}
