//! Accounts: a user with its credentials and sessions, which change together.
//!
//! Items: `US#refid`, `PW#refid` (the credentials, in no index), `SE#refid`. Invariant: a commit that begins a new
//! epoch of a user ends the user's sessions. It writes the item of sessions even if none exists, so a concurrent
//! sign-in loses and decides again.

use purser_domain::Refusal;
use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::session::Seen;
use purser_domain::people::{Credentials, Erasure, KeyOwner, OwnedKey, Sessions, User};
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::item::{doc, item};
use crate::engine::{Answer, CommandWrite, Condition, Consistency, Decision, Key, Loaded, Request, Stamp, View, Write};
use crate::events::erasure;
use crate::people::api_key::keyring;
use crate::people::{avatar, session, user};
use crate::{Store, StoreError};

#[derive(Debug, Clone)]
pub struct Account {
    pub user: User,
    pub credentials: Credentials,
    /// `None` before the first sign-in.
    pub sessions: Option<Sessions>,
    pub seen: Seen,
}

impl Account {
    /// Refuses a request if its session has ended, or if the user may not sign in any more. The sessions may have been
    /// read a moment before the user, so they count only in the user's epoch.
    pub fn must_be_in(&self, session: &str) -> Result<(), Refusal> {
        let current = self.sessions.iter().filter(|it| it.epoch == self.user.epoch);
        let lasts = current.flat_map(|it| &it.sessions).any(|it| it.id == session);
        let may = lasts && self.user.may_sign_in();
        may.then_some(()).ok_or(Refusal::SessionEnded)
    }
}

/// What a command changes in an account. `None` leaves that part as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    pub user: Option<User>,
    pub credentials: Option<Credentials>,
    pub sessions: Option<Sessions>,
}

pub(crate) fn credentials_key(user: &UserRefid) -> Key {
    Key::alone("PW", user)
}

pub(crate) fn keys(refid: &UserRefid) -> [Key; 3] {
    [user::key(refid), credentials_key(refid), session::key(refid)]
}

pub(crate) fn read(loaded: &Loaded, refid: &UserRefid, now: Time) -> Result<Option<Account>, StoreError> {
    let Some(user) = user::read(loaded, refid)? else {
        return Ok(None);
    };
    let credentials = loaded.get(&credentials_key(refid)).map(doc).transpose()?;
    let (sessions, seen) = session::read(loaded, refid)?.unzip();
    Ok(Some(Account {
        credentials: credentials.unwrap_or_else(|| Credentials::none(refid, now)),
        user,
        sessions,
        seen: seen.unwrap_or_default(),
    }))
}

/// The write that replaces the previous version of `credentials`, or creates the first.
pub(crate) fn credentials_write(credentials: &Credentials, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let before = credentials.version.checked_sub(1).filter(|it| *it > 0);
    let key = credentials_key(&credentials.user);
    let put = item(&key, "credentials", credentials, stamp)?;
    let put = Write::Put(put, Condition::of(before));
    Ok(CommandWrite::fresh(put))
}

pub(crate) fn credentials_check(account: &Account) -> CommandWrite {
    let version = Some(account.credentials.version).filter(|it| *it > 0);
    let key = credentials_key(&account.user.refid);
    CommandWrite::fresh(Write::Check(key, Condition::of(version)))
}

/// The writes that delete an account, except for the guard of its address.
pub(crate) fn removal(account: &Account) -> Vec<CommandWrite> {
    let [user, credentials, sessions] = keys(&account.user.refid);
    let sessions_at = account.sessions.as_ref().map(|it| it.version);
    let credentials_at = Some(account.credentials.version).filter(|it| *it > 0);
    vec![
        removal_of(user, Some(account.user.version)),
        removal_of(credentials, credentials_at),
        removal_of(sessions, sessions_at),
    ]
}

/// Deletes an item of a user in the version that was read. An item that was not found must still be absent: otherwise
/// a session that began meanwhile would outlive its user.
pub(crate) fn removal_of(key: Key, version: Option<u64>) -> CommandWrite {
    CommandWrite::fresh(match version {
        Some(version) => Write::Delete(key, Condition::Version(version)),
        None => Write::Check(key, Condition::Absent),
    })
}

impl AccountChange {
    /// The writes of this change. A new epoch also ends the sessions.
    pub(crate) fn writes(self, before: &Account, stamp: &Stamp, now: Time) -> Result<Vec<CommandWrite>, StoreError> {
        let mut writes = Vec::new();
        let ends = self.user.as_ref().filter(|it| it.epoch != before.user.epoch);
        let ended = ends.map(|user| Sessions::following(before.sessions.as_ref(), user, now));
        let sessions = self.sessions.or(ended);
        if let Some(mut user) = self.user {
            // The user tells what became of the credentials, so that nothing outside the table need ever hold these.
            if user.second_factor != before.user.second_factor {
                user.second_factor_changed_at = Some(now);
            }
            let set = |it: &Credentials| it.password_set_at;
            let replaced = self.credentials.as_ref().and_then(set).filter(|at| set(&before.credentials) != Some(*at));
            // Setting the first password is no replacement.
            if set(&before.credentials).is_some() && replaced.is_some() {
                user.password_replaced_at = replaced;
            }
            writes.push(user::replacement(&user, stamp)?);
        }
        if let Some(credentials) = &self.credentials {
            writes.push(credentials_write(credentials, stamp)?);
        }
        if let Some(sessions) = &sessions {
            writes.push(session::write(sessions, &before.seen, stamp)?);
        }
        Ok(writes)
    }
}

impl Store {
    /// An account, read strongly consistently.
    pub async fn account(&self, refid: &UserRefid, now: Time) -> Result<Option<Account>, StoreError> {
        let keys = keys(refid);
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        read(&Loaded::of(&keys, found), refid, now)
    }

    /// Changes another user's account. `change` returns what changes, or `None` if nothing does. The answer shows the
    /// user.
    pub async fn change_account<V: View<User>>(
        &self,
        refid: &UserRefid,
        request: &Request,
        change: impl Fn(&Account) -> Result<Option<AccountChange>, StoreError> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let found = |account: Option<Account>| account.ok_or(Refusal::NotFound(ResourceKind::User));
        self.change_found::<V>(refid, request, found, change).await
    }

    /// Like [`Self::change_account`], for one's own account: refused if the session has ended meanwhile, because it was
    /// ended, or the user suspended or deleted.
    pub async fn change_own_account<V: View<User>>(
        &self,
        (refid, session): (&UserRefid, &str),
        request: &Request,
        change: impl Fn(&Account) -> Result<Option<AccountChange>, StoreError> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let found = |account: Option<Account>| {
            let account = account.ok_or(Refusal::SessionEnded)?;
            account.must_be_in(session).map(|()| account)
        };
        self.change_found::<V>(refid, request, found, change).await
    }

    async fn change_found<V: View<User>>(
        &self,
        refid: &UserRefid,
        request: &Request,
        found: impl Fn(Option<Account>) -> Result<Account, Refusal> + Send + Sync,
        change: impl Fn(&Account) -> Result<Option<AccountChange>, StoreError> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let (id, now) = (&request.stamp.request, request.now);
        self.command(id, None, &keys(refid), |loaded| {
            let account = found(read(loaded, refid, now)?)?;
            let change = change(&account)?;
            let user = change.as_ref().and_then(|change| change.user.as_ref());
            let answer = Answer::first(answer::show::<V, _>(user.unwrap_or(&account.user))?);
            Ok(match change {
                Some(change) => Decision::Commit { writes: change.writes(&account, &request.stamp, now)?, answer },
                None => Decision::Unchanged(answer),
            })
        })
        .await
    }

    /// Changes a user's roles or status, as `change` decides. The API keys that have rights which the user loses end in
    /// the same commit. `None` if nothing changes. The answer shows the user.
    pub async fn change_rights<V: View<User>>(
        &self,
        refid: &UserRefid,
        request: &Request,
        change: impl Fn(&Account) -> Result<Option<User>, StoreError> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let (mut request, now) = (request.clone(), request.now);
        let mut keys = keys(refid).to_vec();
        keys.extend(keyring::key(&KeyOwner::User(refid.clone())));
        loop {
            let (mut more, stamp) = (false, &request.stamp);
            let answer = self.command(&stamp.request, None, &keys, |loaded| {
                let account = read(loaded, refid, now)?.ok_or(Refusal::NotFound(ResourceKind::User))?;
                let Some(user) = change(&account)? else {
                    let answer = answer::show::<V, _>(&account.user)?;
                    return Ok(Decision::Unchanged(Answer::first(answer)));
                };
                let answer = Answer::first(answer::show::<V, _>(&user)?);
                let keeps = |key: &OwnedKey| user.may_lend(&key.role, &key.scopes);
                let (mut writes, left) = keyring::shortened(loaded, &user, keeps, stamp, now)?;
                more = left;
                if !more {
                    let change = AccountChange { user: Some(user), ..AccountChange::default() };
                    writes.extend(change.writes(&account, stamp, now)?);
                }
                Ok(Decision::Commit { writes, answer })
            });
            let answer = answer.await?;
            if !more {
                return Ok(answer);
            }
            // The next round writes some of the same items, and must not be taken for this one.
            request.stamp.request.push_str(" on");
        }
    }

    /// Deletes a user who holds no role, with all of its items, and frees its address (rule D6). What others may
    /// have written meanwhile, and the history of its sign-ins, are erased after that.
    pub async fn delete_user(
        &self,
        refid: &UserRefid,
        must: impl Fn(&User) -> Result<(), Refusal> + Send + Sync,
        request: &Request,
    ) -> Result<(), StoreError> {
        let picture = avatar::key(refid);
        let mut keys = keys(refid).to_vec();
        // Only the erasure bears this request's stamp, should an answer get lost.
        keys.extend([picture.clone(), erasure::key(refid.as_str())]);
        let deleted = self.command(&request.stamp.request, None, &keys, |loaded| {
            let account = read(loaded, refid, request.now)?;
            let account = account.ok_or(Refusal::NotFound(ResourceKind::User))?;
            must(&account.user)?;
            account.user.must_be_unbound()?;
            let mut writes = removal(&account);
            let pictured = loaded.has(&picture);
            writes.push(removal_of(picture.clone(), pictured.then_some(1)));
            writes.push(user::address_removal(&account.user.email));
            writes.push(erasure::write(&Erasure::of_user(&account.user, request.now), &request.stamp)?);
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        });
        deleted.await.map(|_| ())
    }
}
