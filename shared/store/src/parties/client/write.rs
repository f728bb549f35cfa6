//! Commands about clients: create, change, delete (rules A1–A9).
//!
//! Invariant: whatever else a change concerns (the guard of the client's address, the user that the client is bound
//! to) is written in the same transaction. A reseller gains a client only if it may trade.

use purser_domain::Refusal;
use purser_domain::basic::{ClientRefid, EmailAddress, ResellerRefid, UserRefid};
use purser_domain::parties::{Client, ClientChange, NewClient};
use purser_domain::people::{Erasure, User};
use purser_domain::refusal::ResourceKind;

use super::{AddressGuard, address_key, entity, key, read_loaded, tombstone};
use crate::engine::command::answer;
use crate::engine::command::idempotency::Record;
use crate::engine::item::item;
use crate::engine::{Answer, CommandWrite, Condition, Decision, Key, Loaded, Request, Stamp, View, Write};
use crate::events::erasure;
use crate::money::wallet;
use crate::parties::guesses::Asker;
use crate::people::account::{self, AccountChange};
use crate::people::user;
use crate::{Store, StoreError};

/// Which user a new client is bound to (rule A7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bind {
    No,
    /// The user with the same address, if that address is confirmed and the user is bound to no client.
    ByAddress,
    To(UserRefid),
}

impl Bind {
    /// The key that the creation of a client with this address reads first.
    pub(crate) fn keys(&self, email: &EmailAddress) -> Option<Key> {
        match self {
            Self::No => None,
            Self::ByAddress => Some(user::address_key(email)),
            Self::To(user) => Some(user::key(user)),
        }
    }

    /// The keys that the creation reads next, unless they are loaded already: the user who has the address, or the
    /// account of a user who is not proven.
    pub(crate) fn unread(&self, email: &EmailAddress, loaded: &Loaded) -> Result<Vec<Key>, StoreError> {
        let found = match self {
            Self::ByAddress => user::with_address(loaded, email)?,
            Self::To(user) => return unproven(user, loaded),
            Self::No => None,
        };
        Ok(loaded.unread(found.as_ref().map(user::key)))
    }
}

#[derive(Debug, Clone)]
pub struct ClientCreation<'a> {
    pub new: &'a NewClient,
    /// `None` for a standalone client.
    pub reseller: Option<&'a ResellerRefid>,
    /// The user that the client is bound to. `None` leaves the choice to the deployment's policy.
    pub user: Option<UserRefid>,
    pub asker: Option<&'a Asker>,
}

impl Store {
    /// Creates a client (rules A1–A3, A7).
    pub async fn create_client<V: View<Client>>(
        &self,
        creation: &ClientCreation<'_>,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let (new, record) = (creation.new, self.record(request)?);
        let bind = creation.user.clone().map_or_else(|| self.policy.bind(), Bind::To);
        let wallet = creation.reseller.map(wallet::key);
        let older = self.older_keys(new)?;
        let mut keys: Vec<Key> = wallet.iter().cloned().chain(bind.keys(&new.email)).collect();
        keys.extend(older.clone());
        keys.extend(creation.asker.map(|asker| asker.key(request.now)));
        let refid = self.client_refid(&new.client_id)?;
        let reseller = creation.reseller.cloned();
        let client = Client::create(new.clone(), refid, reseller, self.policy.client_status, request.now);
        let client = Client { record: record.as_ref().and_then(Record::code), ..client };
        self.command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
            let unread = bind.unread(&new.email, loaded)?;
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            if let Some(wallet) = &wallet {
                wallet::must_trade(loaded, wallet)?;
            }
            if let Some(asker) = creation.asker {
                asker.must_have_left(loaded, request.now)?;
            }
            if older.iter().any(|key| loaded.has(key)) {
                return Err(Refusal::DuplicateClientId.into());
            }
            let (client, login) = bound(client.clone(), &bind, loaded, &request.stamp)?;
            let answer = answer::show::<V, _>(&client)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            writes.extend(self.client_writes(&client, &request.stamp)?);
            writes.extend(login);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// The writes that create a client: the guard of its address, and the client itself.
    pub(crate) fn client_writes(&self, client: &Client, stamp: &Stamp) -> Result<[CommandWrite; 2], StoreError> {
        let put = Write::Put(entity(client, &self.secrets, stamp)?, Condition::Absent);
        Ok([
            // The address comes first: a caller who repeats a create is then told about the address, not about an id
            // that they may never have seen.
            guard_write(client, stamp)?,
            CommandWrite::unique(put, Refusal::DuplicateClientId),
        ])
    }

    /// Replaces a client with what `change` returns; `None` means that nothing needs to change. A client for which
    /// `may` is false is refused like one that does not exist.
    pub async fn change_client<V: View<Client>>(
        &self,
        refid: &ClientRefid,
        request: &Request,
        may: impl Fn(&Client) -> bool + Send + Sync,
        change: impl Fn(&Client) -> Result<Option<Client>, Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let stamp = &request.stamp;
        self.command(&stamp.request, None, &[key(refid)], |loaded| {
            let client = read_loaded(loaded, refid, &self.secrets)?.filter(&may);
            let client = client.ok_or(Refusal::NotFound(ResourceKind::Client))?;
            let Some(changed) = change(&client)? else {
                return Ok(Decision::Unchanged(Answer::first(answer::show::<V, _>(&client)?)));
            };
            let mut unread = loaded.unread(beside(&client, &changed));
            if let Some(user) = changed.user.as_ref().filter(|user| client.user.as_ref() != Some(user)) {
                unread.extend(unproven(user, loaded)?);
            }
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            Ok(Decision::Commit {
                writes: self.change_writes(&client, &changed, loaded, stamp)?,
                answer: Answer::first(answer::show::<V, _>(&changed)?),
            })
        })
        .await
    }

    /// Binds a client that has no user to the user with its address, if that address is confirmed and the user is
    /// bound to no other client (rule A7).
    pub async fn bind_client_by_address(&self, refid: &ClientRefid, request: &Request) -> Result<(), StoreError> {
        let key = key(refid);
        let (keys, stamp) = (std::slice::from_ref(&key), &request.stamp);
        let bound = self.command(&stamp.request, None, keys, |loaded| {
            let unchanged = || Ok(Decision::Unchanged(Answer::first(Vec::new())));
            let client = read_loaded(loaded, refid, &self.secrets)?;
            let Some(client) = client.filter(|client| client.user.is_none()) else {
                return unchanged();
            };
            let mut unread = loaded.unread(Bind::ByAddress.keys(&client.email));
            unread.extend(Bind::ByAddress.unread(&client.email, loaded)?);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let Some(user) = with_address(&client.email, loaded)? else {
                return unchanged();
            };
            let change = ClientChange { user: Some(Some(user)), ..ClientChange::default() };
            match client.changed(change, request.now)? {
                Some(changed) => Ok(Decision::Commit {
                    writes: self.change_writes(&client, &changed, loaded, stamp)?,
                    answer: Answer::first(Vec::new()),
                }),
                None => unchanged(),
            }
        });
        bound.await.map(|_| ())
    }

    fn change_writes(
        &self,
        old: &Client,
        new: &Client,
        loaded: &Loaded,
        stamp: &Stamp,
    ) -> Result<Vec<CommandWrite>, StoreError> {
        let put = Write::Put(entity(new, &self.secrets, stamp)?, Condition::Version(old.version));
        let mut writes = vec![CommandWrite::fresh(put)];
        if let Some(reseller) = new.reseller.as_ref().filter(|_| new.reseller != old.reseller) {
            wallet::must_trade(loaded, &wallet::key(reseller))?;
        }
        if old.email.folded() != new.email.folded() {
            writes.push(guard_write(new, stamp)?);
            writes.push(guard_removal(&old.email));
        }
        if old.user != new.user {
            writes.extend(release(old, loaded, stamp)?);
            if let Some(refid) = &new.user {
                writes.extend(binding(new, refid, loaded, stamp)?);
            }
        }
        Ok(writes)
    }

    /// Deletes a client with its personal data, and leaves a tombstone and an erasure (rule A9). A client for which
    /// `may` is false is refused like one that does not exist; `must` may refuse for other reasons.
    pub async fn delete_client(
        &self,
        refid: &ClientRefid,
        request: &Request,
        may: impl Fn(&Client) -> bool + Send + Sync,
        must: impl Fn(&Client) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<(), StoreError> {
        let key = key(refid);
        let (keys, stamp) = (std::slice::from_ref(&key), &request.stamp);
        let deleted = self.command(&stamp.request, None, keys, |loaded| {
            let client = read_loaded(loaded, refid, &self.secrets)?.filter(&may);
            let client = client.ok_or(Refusal::NotFound(ResourceKind::Client))?;
            must(&client)?;
            let unread = loaded.unread(client.user.as_ref().map(user::key));
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let tombstone = tombstone(&client.deleted(request.now), stamp)?;
            let put = Write::Put(tombstone, Condition::Version(client.version));
            let mut writes = vec![CommandWrite::fresh(put), guard_removal(&client.email)];
            writes.extend(release(&client, loaded, stamp)?);
            writes.push(erasure::write(&Erasure::of_client(&client, request.now), stamp)?);
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        });
        deleted.await.map(|_| ())
    }
}

/// What a change reads besides the client: the users that are bound or released, and the wallet of a reseller that
/// gains the client.
fn beside(old: &Client, new: &Client) -> Vec<Key> {
    let mut keys = Vec::new();
    if old.user != new.user {
        keys.extend(old.user.iter().chain(&new.user).map(user::key));
    }
    if old.reseller != new.reseller {
        keys.extend(new.reseller.as_ref().map(wallet::key));
    }
    keys
}

/// What is not loaded yet of the account of a user whose address is not proven.
fn unproven(refid: &UserRefid, loaded: &Loaded) -> Result<Vec<Key>, StoreError> {
    let user = user::read(loaded, refid)?.filter(|user| user.confirmed_at.is_none());
    Ok(loaded.unread(user.iter().flat_map(|_| account::keys(refid))))
}

/// A new client, bound as `bind` says, and the writes that bind the user.
pub(crate) fn bound(
    client: Client,
    bind: &Bind,
    loaded: &Loaded,
    stamp: &Stamp,
) -> Result<(Client, Vec<CommandWrite>), StoreError> {
    let user = match bind {
        Bind::No => None,
        Bind::To(user) => Some(user.clone()),
        Bind::ByAddress => with_address(&client.email, loaded)?,
    };
    let Some(user) = user else {
        return Ok((client, Vec::new()));
    };
    let login = binding(&client, &user, loaded, stamp)?;
    let client = Client { user: Some(user), ..client };
    Ok((client, login))
}

/// The user with this address, if a new client may be bound to it.
fn with_address(email: &EmailAddress, loaded: &Loaded) -> Result<Option<UserRefid>, StoreError> {
    let Some(refid) = user::with_address(loaded, email)? else {
        return Ok(None);
    };
    let user = user::read(loaded, &refid)?.filter(User::takes_clients);
    Ok(user.map(|user| user.refid))
}

/// The writes that bind a user to a client. If a stranger may have set the user's password, because nobody has proven
/// the address, their sessions and links end: they are none of the client's (rule D1).
fn binding(
    client: &Client,
    refid: &UserRefid,
    loaded: &Loaded,
    stamp: &Stamp,
) -> Result<Vec<CommandWrite>, StoreError> {
    let user = user::read(loaded, refid)?.ok_or(Refusal::InvalidUser)?;
    let bound = user.bound_to(&client.refid)?;
    if user.confirmed_at.is_none()
        && let Some(account) = account::read(loaded, refid, client.updated_at)?
        && (account.credentials.password.is_some() || account.sessions.is_some())
    {
        let ended = User { epoch: user.epoch + 1, ..bound };
        let change = AccountChange { user: Some(ended), ..AccountChange::default() };
        return change.writes(&account, stamp, client.updated_at);
    }
    Ok(vec![user::replacement(&bound, stamp)?])
}

fn release(client: &Client, loaded: &Loaded, stamp: &Stamp) -> Result<Option<CommandWrite>, StoreError> {
    let Some(refid) = &client.user else {
        return Ok(None);
    };
    // If a stale read returned an older user, the condition on its version fails, and the command decides again.
    let user = user::read(loaded, refid)?.ok_or(Refusal::InvalidUser)?;
    user::replacement(&user.unbound(), stamp).map(Some)
}

fn guard_write(client: &Client, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let guard = AddressGuard { client: client.refid.clone(), version: 1, created_at: client.updated_at };
    let guard = item(&address_key(&client.email), "client_address", &guard, stamp)?;
    Ok(CommandWrite::unique(Write::Put(guard, Condition::Absent), Refusal::DuplicateEmail))
}

/// The write that frees an address. A guard is created and deleted but never changed, so its version is 1.
fn guard_removal(email: &EmailAddress) -> CommandWrite {
    CommandWrite::fresh(Write::Delete(address_key(email), Condition::Version(1)))
}
