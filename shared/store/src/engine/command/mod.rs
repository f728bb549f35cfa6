//! One command, one commit: how every command changes the table.
//!
//! A command loads what its rule needs, asks the domain, and commits one transaction. Invariants: a refusal is only
//! given after strongly consistent reads, of the state first and the record after it (docs/adr/0005). A command that
//! loses a race decides again on the new state, for up to eight seconds. A command that may have happened already is
//! looked up by its record, or by its request's stamp, before it is tried again. Commands of one process do not race
//! for a wallet: they wait in line.

pub mod answer;
pub mod idempotency;
pub mod line;
pub(crate) mod turn;

use std::time::Duration;

use purser_domain::Refusal;
use purser_domain::basic::Time;

use crate::engine::command::answer::Answer;
use crate::engine::command::idempotency::{IdempotencyKey, Record};
use crate::engine::command::turn::{DEADLINE, Turn};
use crate::engine::item::{Item, Stamp, part};
use crate::engine::keys::Key;
use crate::engine::loaded::Loaded;
use crate::engine::table::{Consistency, Outcome, Reason, TableError, Write};
use crate::{Store, StoreError};

/// How long a call that is in flight at the deadline may still take.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// A request to the store. Commands that move credits take a `Request<IdempotencyKey>`, so they can't be called
/// without an idempotency key.
#[derive(Debug, Clone)]
pub struct Request<K = Option<IdempotencyKey>> {
    pub key: K,
    pub stamp: Stamp,
    pub now: Time,
}

#[derive(Debug)]
pub enum Decision {
    Commit {
        /// The writes. If there is a record, it comes first.
        writes: Vec<CommandWrite>,
        answer: Answer,
    },
    Unchanged(Answer),
    /// The decision also depends on these items, which have not been read yet. Read them and decide again.
    Read(Vec<Key>),
}

/// A write, and what it means if its condition fails.
#[derive(Debug)]
pub struct CommandWrite {
    pub write: Write,
    /// The refusal that a failed condition means. `None` means that the item changed: decide again on its new state.
    pub taken: Option<Refusal>,
}

impl CommandWrite {
    /// A write whose failed condition means that the item has changed, so that the command decides again.
    pub fn fresh(write: Write) -> Self {
        Self { write, taken: None }
    }

    pub fn unique(write: Write, taken: Refusal) -> Self {
        Self { write, taken: Some(taken) }
    }
}

/// What a command reads first.
struct Reads<'a> {
    known: Option<Loaded>,
    record: Option<&'a Record>,
    keys: &'a [Key],
}

enum CommitOutcome {
    Committed,
    Answer(Answer),
    DecideAgain(Loaded),
    ReadAgain,
    Unknown,
}

/// Writes whose outcome is unknown, and the answer to give if they were made.
struct Sent {
    /// The items that bear the request's stamp if the writes were made: those that are put, and those whose update
    /// stamps them.
    stamped: Vec<Key>,
    deletes: Vec<Key>,
    answer: Answer,
}

impl Sent {
    /// Notes a deletion only if the command also reads the item: otherwise nothing shows later whether it was made.
    fn new(writes: &[CommandWrite], read: &[Key], answer: Answer) -> Self {
        let (mut stamped, mut deletes) = (Vec::new(), Vec::new());
        for CommandWrite { write, .. } in writes {
            match write {
                Write::Put(..) => stamped.extend(write.key()),
                Write::Update(update, _) if update.is_stamped() => stamped.extend(write.key()),
                Write::Delete(key, _) if read.contains(key) => deletes.push(key.clone()),
                Write::Update(..) | Write::Delete(..) | Write::Check(..) => {}
            }
        }
        Self { stamped, deletes, answer }
    }

    /// Whether the items read since then show that the writes were made: an item carries the request's stamp or, if
    /// the writes only delete, an item is gone. If other items would be stamped, a missing item proves nothing,
    /// because another command may have deleted it.
    fn was_made(&self, loaded: &Loaded, request: &str) -> bool {
        let ours = |key| loaded.get(key).is_some_and(|item| is_by(item, request));
        self.stamped.iter().any(ours) || self.stamped.is_empty() && self.deletes.iter().any(|key| !loaded.has(key))
    }
}

impl Store {
    /// Runs a command in the name of `request`. `keys` are the items that `decide` needs first; `record` is where the
    /// answer is stored.
    pub(crate) async fn command(
        &self,
        request: &str,
        record: Option<&Record>,
        keys: &[Key],
        decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        self.command_on(None, request, record, keys, decide).await
    }

    /// Like [`Self::command`], but starts from `known`, which was read strongly consistently. Reads `keys` again only
    /// if the command loses a race.
    pub(crate) async fn command_on(
        &self,
        known: Option<Loaded>,
        request: &str,
        record: Option<&Record>,
        keys: &[Key],
        decide: impl FnMut(&Loaded) -> Result<Decision, StoreError> + Send,
    ) -> Result<Answer, StoreError> {
        // A call that hangs past the deadline is abandoned. If it took effect after all, its record or stamp shows
        // that when the caller repeats the command.
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
        // What was read, and whether it was read in the right order (the state before the record), with nothing
        // replaced or added since.
        let mut known = reads.known.map(|loaded| (loaded, true));
        let mut sent: Option<Sent> = None;
        loop {
            let (loaded, fresh) = match known.take() {
                Some(known) => known,
                None => (self.load(record, &keys, consistency, &mut turn).await?, true),
            };
            if let Some((record, item)) = record.and_then(|it| Some((it, loaded.get(&it.key)?))) {
                // A record never changes, so even a stale read suffices.
                return self.recall(request, record, item);
            }
            if let Some(sent) = sent.take_if(|sent| sent.was_made(&loaded, request)) {
                return Ok(sent.answer);
            }
            let decided = match record.and_then(|it| it.doubt.clone()) {
                Some(doubt) => Err(doubt.into()),
                None => decide(&loaded),
            };
            let (writes, answer) = match decided {
                Ok(Decision::Commit { writes, answer }) => (writes, answer),
                Ok(Decision::Read(more)) => {
                    keys.extend(more.iter().cloned());
                    // If reads may be stale, only the missing items are read. Strongly consistent reads start anew,
                    // because the record must be read last.
                    if consistency == Consistency::Eventual {
                        let mut loaded = loaded;
                        loaded.extend(self.load(None, &more, consistency, &mut turn).await?);
                        known = Some((loaded, false));
                    }
                    continue;
                }
                // After a read that may be stale, never refuse, never call the command done, and never report an item
                // as missing: read strongly consistently first.
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
                CommitOutcome::Committed => return Ok(answer),
                CommitOutcome::Answer(answer) => return Ok(answer),
                CommitOutcome::DecideAgain(loaded) => {
                    known = Some((loaded, false));
                    turn.pass().await?;
                    continue;
                }
                CommitOutcome::ReadAgain => {}
                CommitOutcome::Unknown => sent = Some(Sent::new(&writes, &keys, answer)),
            }
            consistency = Consistency::Strong;
            turn.wait("the transaction").await?;
        }
    }

    /// The answer that a record holds. It is a replay, unless the record was written by an earlier try of this same
    /// request.
    fn recall(&self, request: &str, record: &Record, item: &Item) -> Result<Answer, StoreError> {
        let answer = record.recall(item, &self.secrets)?;
        Ok(Answer { replayed: !is_by(item, request), ..answer })
    }

    /// Tries once to commit the writes, and says what to do next.
    async fn commit(
        &self,
        request: &str,
        record: Option<&Record>,
        writes: &[CommandWrite],
        mut loaded: Loaded,
    ) -> Result<CommitOutcome, StoreError> {
        let plain: Vec<Write> = writes.iter().map(|write| write.write.clone()).collect();
        let reasons = match self.table.transact(&plain).await {
            Ok(Outcome::Committed) => return Ok(CommitOutcome::Committed),
            Ok(Outcome::Cancelled(reasons)) => reasons,
            Err(TableError::Contended(why)) => {
                tracing::debug!(why, "a transaction's outcome is unknown");
                return Ok(CommitOutcome::Unknown);
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
        // The record is checked first: if it exists, this command has already happened, and that is why the other
        // conditions failed.
        for (write, item) in &failed {
            if let (Some(record), Some(item)) = (record, item)
                && write.write.key().as_ref() == Some(&record.key)
            {
                return self.recall(request, record, item).map(CommitOutcome::Answer);
            }
        }
        // The same holds if an item carries this request's stamp: an earlier try got through, and its answer was
        // lost.
        if failed.iter().filter_map(|(_, item)| item.as_ref()).any(|item| is_by(item, request)) {
            return Ok(CommitOutcome::Committed);
        }
        // If one reason is a conflict, they describe no single moment: the record may be about to appear.
        if contended || failed.is_empty() {
            return Ok(CommitOutcome::ReadAgain);
        }
        // A taken value leads to a refusal only if everything else was current. If another item has changed as well, a
        // concurrent repeat of this command may have taken the value.
        if failed.iter().all(|(write, _)| write.taken.is_some()) {
            let taken = failed.iter().filter_map(|(write, _)| write.taken.clone());
            if let Some(refusal) = Refusal::all(taken) {
                return Err(refusal.into());
            }
        }
        for (write, item) in failed {
            let Some(key) = write.write.key() else {
                return Ok(CommitOutcome::ReadAgain);
            };
            loaded.note(key, item);
        }
        Ok(CommitOutcome::DecideAgain(loaded))
    }

    /// Loads the state and the record, and retries while the table is too busy.
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

    /// Reads state and record: together if the read may be stale; otherwise the state first and the record after it, so
    /// that if this command commits between the reads, its record is found, not just a spent balance.
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

fn is_by(item: &Item, request: &str) -> bool {
    part::<Stamp>(item, "by").is_ok_and(|stamp| stamp.request == request)
}
