//! Failed attempts in the table: `LA#hmac` of what they are counted of, so that the item names nobody.
//!
//! Invariant: an attempt's outcome is told only once it is counted: each writes its counts under the version that was
//! read, so of many at once one goes first and the others wait as long as its failure asks for (rule D2).

use purser_domain::Refusal;
use purser_domain::basic::refid::code;
use purser_domain::basic::time::Time;
use purser_domain::people::attempts::{Attempts, Counted, FORGOTTEN};

use crate::StoreError;
use crate::engine::command::CommandWrite;
use crate::engine::item::{Stamp, doc, item, number};
use crate::engine::keys::Key;
use crate::engine::loaded::Loaded;
use crate::engine::secrets::Secrets;
use crate::engine::table::{Condition, Write};

/// One count: of what, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    counted: Counted,
    pub(crate) key: Key,
}

impl Count {
    /// The count of `whose` failures.
    pub(crate) fn of(secrets: &Secrets, counted: Counted, whose: &[&str]) -> Self {
        let parts: Vec<&str> = [counted.noun()].iter().chain(whose).copied().collect();
        let bits = secrets.bits("attempts", &parts);
        Self { counted, key: Key::alone("LA", code(bits)) }
    }

    /// Whether a success ends it. A network address is not its: somebody with an account would end its delays at will.
    pub(crate) fn ends_with_success(&self) -> bool {
        self.counted != Counted::Address
    }

    fn read(&self, loaded: &Loaded) -> Result<Option<Attempts>, StoreError> {
        loaded.get(&self.key).map(doc).transpose()
    }

    /// Refuses an attempt that comes too soon after one that failed.
    pub(crate) fn must_be_ready(&self, loaded: &Loaded, now: Time) -> Result<(), StoreError> {
        let Some(attempts) = self.read(loaded)? else {
            return Ok(());
        };
        let ready_at = attempts.ready_at(self.counted, now);
        if ready_at <= now {
            return Ok(());
        }
        // Rounded up, so that whoever waits as long as told is let in.
        let seconds = ready_at.unix_seconds() - now.unix_seconds() + 1;
        let seconds = u64::try_from(seconds).unwrap_or(1);
        Err(Refusal::TooManyAttempts { seconds }.into())
    }

    /// The write that counts one more.
    pub(crate) fn failure(&self, loaded: &Loaded, stamp: &Stamp, now: Time) -> Result<CommandWrite, StoreError> {
        let before = self.read(loaded)?;
        let condition = Condition::of(before.as_ref().map(|it| it.version));
        let attempts = Attempts::failed(before.as_ref(), now);
        let mut put = item(&self.key, "attempts", &attempts, stamp)?;
        let forgotten = now.plus(FORGOTTEN).unix_seconds();
        put.insert("ttl".to_owned(), number(forgotten));
        Ok(CommandWrite::fresh(Write::Put(put, condition)))
    }

    /// That they are still as they were read: what is told then was told in its turn.
    pub(crate) fn unchanged(&self, loaded: &Loaded) -> Result<CommandWrite, StoreError> {
        let before = self.read(loaded)?.map(|it| it.version);
        let check = Write::Check(self.key.clone(), Condition::of(before));
        Ok(CommandWrite::fresh(check))
    }

    /// The write that forgets all of them; when there are none, that there are still none.
    pub(crate) fn success(&self, loaded: &Loaded) -> Result<CommandWrite, StoreError> {
        let key = self.key.clone();
        Ok(CommandWrite::fresh(match self.read(loaded)? {
            Some(before) => Write::Delete(key, Condition::Version(before.version)),
            None => Write::Check(key, Condition::Absent),
        }))
    }
}
