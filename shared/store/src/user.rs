//! Logins in the table: `US#refid`, listed by kind; `EU#address`, which keeps an address to one login.
//!
//! Invariant: login and address are written in one transaction, so two logins never share an address; a login is
//! only ever replaced in the version that was read, so it is never bound to two clients (SPEC A7).

use purser_domain::Refusal;
use purser_domain::email::EmailAddress;
use purser_domain::refid::UserRefid;
use purser_domain::time::Time;
use purser_domain::user::User;
use serde::{Deserialize, Serialize};

use crate::command::CommandWrite;
use crate::item::{Item, Stamp, doc, item};
use crate::keys::{Index, Key, by_time, shard};
use crate::loaded::Loaded;
use crate::table::{Condition, Consistency, Write};
use crate::{Store, StoreError};

/// What keeps an address to one login.
#[derive(Debug, Serialize, Deserialize)]
struct LoginGuard {
    user: UserRefid,
    version: u64,
    created_at: Time,
}

/// The key of a login.
pub(crate) fn key(refid: &UserRefid) -> Key {
    Key::alone("US", refid)
}

/// The key of what keeps an address to one login.
pub(crate) fn address_key(email: &EmailAddress) -> Key {
    Key::alone("EU", email.folded())
}

/// The login among what a command loaded.
pub(crate) fn read(loaded: &Loaded, refid: &UserRefid) -> Result<Option<User>, StoreError> {
    loaded.get(&key(refid)).map(doc).transpose()
}

/// Whose address it is, among what a command loaded.
pub(crate) fn with_address(
    loaded: &Loaded,
    email: &EmailAddress,
) -> Result<Option<UserRefid>, StoreError> {
    let guard: Option<LoginGuard> = loaded.get(&address_key(email)).map(doc).transpose()?;
    Ok(guard.map(|guard| guard.user))
}

/// The writes that create a login: its address and itself.
pub(crate) fn creation(user: &User, stamp: &Stamp) -> Result<[CommandWrite; 2], StoreError> {
    let guard = LoginGuard {
        user: user.refid.clone(),
        version: 1,
        created_at: user.created_at,
    };
    let guard = item(&address_key(&user.email), "login_address", &guard, stamp)?;
    Ok([
        CommandWrite::unique(
            Write::Put(guard, Condition::Absent),
            Refusal::DuplicateEmail,
        ),
        CommandWrite::fresh(Write::Put(write(user, stamp)?, Condition::Absent)),
    ])
}

/// The write that puts `user` in the place of the version before it.
pub(crate) fn replacement(user: &User, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let before = Condition::Version(user.version - 1);
    Ok(CommandWrite::fresh(Write::Put(write(user, stamp)?, before)))
}

fn write(user: &User, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = user.refid.as_str();
    let mut login = item(&key(&user.refid), "user", user, stamp)?;
    Index::Kind.place(
        &mut login,
        format!("US#{}", shard(id)),
        by_time(user.created_at, id),
    );
    Ok(login)
}

impl Store {
    /// A login, as of now.
    pub async fn user(&self, refid: &UserRefid) -> Result<Option<User>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }
}
