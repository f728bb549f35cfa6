//! Sessions in the table: `SE#refid` of the user, all sessions of the user in one item; and `LH#id`, the history of
//! sign-ins.
//!
//! Invariant: the sessions are written in the same transaction as any change to what they permit. When a session was
//! last used is noted in the attribute `seen`, apart from `doc` and without a new version. So a function that may
//! write nothing but `seen` can neither create a session nor bring one back.

use jiff::SignedDuration;
use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::session::Seen;
use purser_domain::people::{Login, Sessions};

use crate::engine::item::{attribute, doc, item, number, part, text};
use crate::engine::keys::by_time;
use crate::engine::{CommandWrite, Condition, Consistency, Index, Item, Key, List, Loaded, Page, Stamp, Update, Write};
use crate::{Store, StoreError};

/// How long the history of sign-ins is kept.
const HISTORY: SignedDuration = SignedDuration::from_hours(180 * 24);

pub(crate) fn key(user: &UserRefid) -> Key {
    Key::alone("SE", user)
}

/// The partition of the tenant index that lists the sign-ins of a user.
pub(crate) fn list_key(user: &UserRefid) -> String {
    format!("LH@{user}")
}

fn login_key(id: &str) -> Key {
    Key::alone("LH", id)
}

pub(crate) fn read(loaded: &Loaded, user: &UserRefid) -> Result<Option<(Sessions, Seen)>, StoreError> {
    loaded.get(&key(user)).map(of_item).transpose()
}

fn of_item(item: &Item) -> Result<(Sessions, Seen), StoreError> {
    let seen = item.get("seen").map(|_| part(item, "seen")).transpose()?;
    Ok((doc(item)?, seen.unwrap_or_default()))
}

/// The write that replaces the previous version of `sessions`, or creates the first.
pub(crate) fn write(sessions: &Sessions, seen: &Seen, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let before = sessions.version.checked_sub(1).filter(|it| *it > 0);
    let mut put = item(&key(&sessions.user), "sessions", sessions, stamp)?;
    let last = |it: &purser_domain::people::session::Session| {
        let used = it.last_used(seen.get(&it.id));
        (it.id.clone(), used)
    };
    let seen: Seen = sessions.sessions.iter().map(last).collect();
    put.insert("seen".to_owned(), attribute(&seen)?);
    let put = Write::Put(put, Condition::of(before));
    Ok(CommandWrite::fresh(put))
}

pub(crate) fn history(login: &Login, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let mut put = item(&login_key(&login.id), "login", login, stamp)?;
    Index::Tenant.place(&mut put, list_key(&login.user), by_time(login.created_at, &login.id));
    let until = login.created_at.plus(HISTORY);
    put.insert("ttl".to_owned(), number(until.unix_seconds()));
    Ok(CommandWrite::fresh(Write::Put(put, Condition::Absent)))
}

impl Store {
    /// The sessions of a user, and when each was last used. One strongly consistent read.
    pub async fn sessions(&self, user: &UserRefid) -> Result<Option<(Sessions, Seen)>, StoreError> {
        let item = self.table.get(&key(user), Consistency::Strong).await?;
        item.as_ref().map(of_item).transpose()
    }

    pub async fn note_session_used(&self, user: &UserRefid, session: &str, now: Time) -> Result<(), StoreError> {
        let seen = format!("seen.{session}");
        // If the session has ended meanwhile, nothing is written, and it stays ended.
        let update = Update::of(key(user)).set(&seen, text(now));
        let _noted = self.table.change(&update, &Condition::Has(seen)).await?;
        Ok(())
    }

    pub async fn login(&self, id: &str) -> Result<Option<Login>, StoreError> {
        let item = self.table.get(&login_key(id), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// A page of the sign-ins of a user, newest first.
    pub async fn logins(
        &self,
        user: &UserRefid,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Login>, StoreError> {
        let list = List::descending(Index::Tenant, vec![list_key(user)]);
        self.page(&list, limit, position).await?.map(|item| doc(&item))
    }
}
