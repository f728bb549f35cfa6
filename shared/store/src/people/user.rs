//! Users in the table: `US#refid`, listed by kind, with further lists of operators and of each reseller's staff; and
//! the guard `EU#address`, which reserves an address for one user.
//!
//! Invariant: user and guard are written in one transaction, so two users never share an address. A user is replaced
//! only in the version that was read, so it is never bound to two clients (rule A7).

use purser_domain::Refusal;
use purser_domain::basic::{EmailAddress, Name, ResellerRefid, Time, UserRefid};
use purser_domain::people::User;
use purser_domain::people::clean_up::{CleanUp, Stale};
use serde::{Deserialize, Serialize};

use crate::engine::command::answer;
use crate::engine::command::idempotency::Record;
use crate::engine::item::{doc, item};
use crate::engine::keys::{by_time, shard};
use crate::engine::page::shards;
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Decision, Filter, Index, Item, Key, List, Loaded, Page, Request,
    Stamp, View, Write,
};
use crate::parties::guesses::Asker;
use crate::{Store, StoreError};

/// The guard that reserves an address for one user.
#[derive(Debug, Serialize, Deserialize)]
struct LoginGuard {
    user: UserRefid,
    version: u64,
    created_at: Time,
}

const OPERATORS: &str = "US!operator";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserFilter {
    All,
    Operators,
    Staff(ResellerRefid),
}

impl UserFilter {
    pub fn shows(&self, user: &User) -> bool {
        match self {
            Self::All => true,
            Self::Operators => user.operator,
            Self::Staff(reseller) => user.reseller.as_ref() == Some(reseller),
        }
    }
}

pub(crate) fn key(refid: &UserRefid) -> Key {
    Key::alone("US", refid)
}

pub(crate) fn address_key(email: &EmailAddress) -> Key {
    Key::alone("EU", email.folded())
}

pub(crate) fn read(loaded: &Loaded, refid: &UserRefid) -> Result<Option<User>, StoreError> {
    loaded.get(&key(refid)).map(doc).transpose()
}

pub(crate) fn with_address(loaded: &Loaded, email: &EmailAddress) -> Result<Option<UserRefid>, StoreError> {
    let guard: Option<LoginGuard> = loaded.get(&address_key(email)).map(doc).transpose()?;
    Ok(guard.map(|guard| guard.user))
}

fn address_write(user: &User, now: Time, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let guard = LoginGuard { user: user.refid.clone(), version: 1, created_at: now };
    let guard = item(&address_key(&user.email), "login_address", &guard, stamp)?;
    Ok(CommandWrite::unique(Write::Put(guard, Condition::Absent), Refusal::DuplicateEmail))
}

/// The write that frees an address. A guard is created and deleted but never changed, so its version is 1.
pub(crate) fn address_removal(email: &EmailAddress) -> CommandWrite {
    CommandWrite::fresh(Write::Delete(address_key(email), Condition::Version(1)))
}

pub(crate) fn address_swap(user: &User, before: &EmailAddress, stamp: &Stamp) -> Result<[CommandWrite; 2], StoreError> {
    let now = user.confirmed_at.unwrap_or(user.created_at);
    Ok([address_write(user, now, stamp)?, address_removal(before)])
}

/// The writes that create a user: the guard of its address, and the user itself.
pub(crate) fn creation(user: &User, stamp: &Stamp) -> Result<[CommandWrite; 2], StoreError> {
    Ok([
        address_write(user, user.created_at, stamp)?,
        CommandWrite::fresh(Write::Put(write(user, stamp)?, Condition::Absent)),
    ])
}

pub(crate) fn replacement(user: &User, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let before = Condition::Version(user.version - 1);
    Ok(CommandWrite::fresh(Write::Put(write(user, stamp)?, before)))
}

fn write(user: &User, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = user.refid.as_str();
    let mut login = item(&key(&user.refid), "user", user, stamp)?;
    let place = || by_time(user.created_at, id);
    Index::Kind.place(&mut login, format!("US#{}", shard(id)), place());
    if let Some(reseller) = &user.reseller {
        Index::Tenant.place(&mut login, format!("US@{reseller}"), place());
    }
    if user.operator {
        Index::Status.place(&mut login, OPERATORS.to_owned(), place());
    }
    Ok(login)
}

impl Store {
    /// A user, read strongly consistently.
    pub async fn user(&self, refid: &UserRefid) -> Result<Option<User>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// The user with this address, read strongly consistently.
    pub async fn user_with_address(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let key = address_key(email);
        let found = self.table.get(&key, Consistency::Strong).await?;
        let guard: Option<LoginGuard> = found.as_ref().map(doc).transpose()?;
        match guard {
            Some(guard) => self.user(&guard.user).await,
            None => Ok(None),
        }
    }

    /// A page of users, newest first.
    pub async fn users(
        &self,
        filter: &UserFilter,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<User>, StoreError> {
        let (index, partitions) = match filter {
            UserFilter::All => (Index::Kind, shards("US")),
            UserFilter::Operators => (Index::Status, vec![OPERATORS.to_owned()]),
            UserFilter::Staff(reseller) => (Index::Tenant, vec![format!("US@{reseller}")]),
        };
        let list = List::descending(index, partitions);
        self.page(&list, limit, position).await?.map(|item| doc(&item))
    }

    /// A page of the users that may be deleted according to `rule`, newest first, each with the reason (rule D6). Few
    /// users qualify, so a page may be short or empty although another one follows.
    pub async fn stale_users(
        &self,
        rule: &CleanUp,
        limit: usize,
        position: Option<String>,
        now: Time,
    ) -> Result<Page<(User, Stale)>, StoreError> {
        let list = List::descending(Index::Kind, shards("US"))
            .filtered(vec![Filter::Null("reseller"), Filter::Null("client")]);
        let newest = || by_time(rule.newest(now), "");
        let position = position.or_else(|| Some(newest()));
        let page = self.page(&list, limit, position).await?;
        let mut items = Vec::new();
        for item in &page.items {
            let user: User = doc(item)?;
            if let Some(stale) = rule.judge(&user, now) {
                items.push((user, stale));
            }
        }
        Ok(Page { items, position: page.position })
    }

    /// Creates a user on behalf of somebody else; the owner then gets a link to set a password. `holds` gives the
    /// user its roles.
    pub async fn create_user<V: View<User>>(
        &self,
        email: &EmailAddress,
        name: &Name,
        holds: impl Fn(User) -> User + Send + Sync,
        asker: Option<&Asker>,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let refid = UserRefid::new(&self.prefixes.user, self.secrets.random()?);
        let new = User::new(refid, email.clone(), name.clone(), request.now);
        let new = holds(User { invited: true, ..new });
        let wallet = new.reseller.as_ref().map(crate::money::wallet::key);
        let keys: Vec<Key> = wallet.iter().cloned().chain(asker.map(|asker| asker.key(request.now))).collect();
        let record = self.record(request)?;
        let new = User { record: record.as_ref().and_then(Record::code), ..new };
        self.command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
            if let Some(wallet) = &wallet {
                crate::money::wallet::must_trade(loaded, wallet)?;
            }
            if let Some(asker) = asker {
                asker.must_have_left(loaded, request.now)?;
            }
            let answer = answer::show::<V, _>(&new)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            writes.extend(creation(&new, &request.stamp)?);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }
}
