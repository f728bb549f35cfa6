//! Counts of failed attempts in the table: `LA#hmac` of what the attempts are counted for, so that the item names no
//! person.
//!
//! Invariant: the outcome of an attempt is revealed only after it has been counted. Each attempt writes its counts in
//! the version that was read, so one of many concurrent attempts commits first, and the others must then wait as long
//! as its failure demands (rule D2).

use purser_domain::Refusal;
use purser_domain::basic::Time;
use purser_domain::basic::refid::code;
use purser_domain::people::attempts::FORGOTTEN;
use purser_domain::people::attempts::{Attempts, Counted};

use crate::StoreError;
use crate::engine::item::{doc, item, number};
use crate::engine::{CommandWrite, Condition, Key, Loaded, Secrets, Stamp, Write};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    counted: Counted,
    pub(crate) key: Key,
}

impl Count {
    /// The count for `whose`, such as an address or a device.
    pub(crate) fn of(secrets: &Secrets, counted: Counted, whose: &[&str]) -> Result<Self, StoreError> {
        let parts: Vec<&str> = [counted.into_str()].iter().chain(whose).copied().collect();
        let bits = secrets.bits("attempts", &parts)?;
        Ok(Self { counted, key: Key::alone("LA", code(bits)) })
    }

    fn read(&self, loaded: &Loaded) -> Result<Option<Attempts>, StoreError> {
        loaded.get(&self.key).map(doc).transpose()
    }

    /// Refuses an attempt that comes too soon after a failed one.
    pub(crate) fn must_be_ready(&self, loaded: &Loaded, now: Time) -> Result<(), StoreError> {
        let Some(attempts) = self.read(loaded)? else {
            return Ok(());
        };
        let ready_at = attempts.ready_at(self.counted, now);
        if ready_at <= now {
            return Ok(());
        }
        // Rounded up, so that a caller who waits as long as told is let in.
        let seconds = ready_at.unix_seconds() - now.unix_seconds() + 1;
        let seconds = u64::try_from(seconds).unwrap_or(1);
        Err(Refusal::TooManyAttempts { seconds }.into())
    }

    /// Refuses an attempt that nobody has shown to come from a person, after many failures.
    pub(crate) fn must_be_a_person(&self, person: bool, loaded: &Loaded, now: Time) -> Result<(), StoreError> {
        match self.read(loaded)? {
            Some(attempts) if !person && attempts.asks_for_person(self.counted, now) => {
                Err(Refusal::CaptchaRequired.into())
            }
            _ => Ok(()),
        }
    }

    /// When the next attempt is allowed if one fails now.
    pub(crate) fn ready_after_failure(&self, loaded: &Loaded, now: Time) -> Result<Time, StoreError> {
        Ok(Attempts::failed(self.read(loaded)?.as_ref(), now).ready_at(self.counted, now))
    }

    pub(crate) fn failure(&self, loaded: &Loaded, stamp: &Stamp, now: Time) -> Result<CommandWrite, StoreError> {
        let before = self.read(loaded)?;
        self.put(before.as_ref(), &Attempts::failed(before.as_ref(), now), stamp)
    }

    fn put(&self, before: Option<&Attempts>, after: &Attempts, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
        let condition = Condition::of(before.map(|it| it.version));
        let mut put = item(&self.key, "attempts", after, stamp)?;
        let forgotten = after.last_at.plus(FORGOTTEN).unix_seconds();
        put.insert("ttl".to_owned(), number(forgotten));
        Ok(CommandWrite::fresh(Write::Put(put, condition)))
    }

    /// A check that the count has not changed. An outcome that changes no count is committed with this check, so that
    /// the caller can't learn it faster.
    pub(crate) fn unchanged(&self, loaded: &Loaded) -> Result<CommandWrite, StoreError> {
        let before = self.read(loaded)?.map(|it| it.version);
        let check = Write::Check(self.key.clone(), Condition::of(before));
        Ok(CommandWrite::fresh(check))
    }

    /// What a sign-in of a user who signed in at `last` does to the count. It ends the delays of its own device only.
    /// If it ended those of the account, strangers could tell from their own delays that the owner has signed in; if it
    /// ended those of the network address, anybody with an account could end the delays of the address that they guess
    /// from.
    pub(crate) fn signed_in(
        &self,
        last: Option<Time>,
        loaded: &Loaded,
        stamp: &Stamp,
        now: Time,
    ) -> Result<Option<CommandWrite>, StoreError> {
        match self.counted {
            Counted::Address => {
                let Some(before) = self.read(loaded)? else { return Ok(None) };
                before.reduced(last, now).map(|after| self.put(Some(&before), &after, stamp)).transpose()
            }
            Counted::Account => self.unchanged(loaded).map(Some),
            Counted::Device | Counted::Code | Counted::Session | Counted::Mail => self.success(loaded).map(Some),
        }
    }

    /// The write that clears the count, or a check that there still is none.
    pub(crate) fn success(&self, loaded: &Loaded) -> Result<CommandWrite, StoreError> {
        let key = self.key.clone();
        Ok(CommandWrite::fresh(match self.read(loaded)? {
            Some(before) => Write::Delete(key, Condition::Version(before.version)),
            None => Write::Check(key, Condition::Absent),
        }))
    }
}
