//! API keys: making, listing and ending them.
//!
//! Invariant: a key is made only while its owner has all of its rights, and ends with them ([`keyring`]). The creation
//! of a key is never replayed, because its secret is shown only once (docs/rules.md, "Idempotency").

pub(crate) mod adoption;
pub(crate) mod item;
pub(crate) mod keyring;

use purser_domain::Refusal;
use purser_domain::basic::{ApiKeyRefid, ResellerRefid, Time};
use purser_domain::people::{ApiKey, KeyOwner, Keyring, OwnedKey};
use purser_domain::refusal::ResourceKind;

use crate::engine::item::{key_of, text};
use crate::engine::page::shards;
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Decision, Index, Key, List, Loaded, Page, Request, Update, Write,
};
use crate::people::api_key::item::{SEEN, key, last_used, read, read_any, write};
use crate::people::user;
use crate::{Store, StoreError};

/// The partitions that list the keys of a reseller, or of the operators.
pub(crate) fn partitions(reseller: Option<&ResellerRefid>) -> Vec<String> {
    match reseller {
        Some(reseller) => vec![format!("AK@{reseller}")],
        None => shards("AK@-"),
    }
}

/// An API key, and when it was last used, to five minutes.
#[derive(Debug)]
pub struct ListedKey {
    pub key: ApiKey,
    pub last_used_at: Option<Time>,
}

impl Store {
    pub fn new_api_key_refid(&self) -> Result<ApiKeyRefid, StoreError> {
        Ok(ApiKeyRefid::new(&self.prefixes.api_key, self.secrets.random()?))
    }

    /// A page of the API keys of a reseller, or of the operators; newest first. A key that ended while the list was
    /// read is left out.
    pub async fn api_keys(
        &self,
        reseller: Option<&ResellerRefid>,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<ListedKey>, StoreError> {
        let partitions = partitions(reseller);
        let list = List::descending(Index::Tenant, partitions);
        let page = self.page(&list, limit, position).await?;
        let listed: Vec<Key> = page.items.iter().filter_map(key_of).collect();
        let mut found = self.table.get_all(&listed, Consistency::Eventual).await?;
        let mut items = Vec::new();
        for item in listed.iter().filter_map(|key| found.remove(key)) {
            if let Some(key) = read(&item)? {
                items.push(ListedKey { key, last_used_at: last_used(&item)? });
            }
        }
        Ok(Page { items, position: page.position })
    }

    /// An API key, even if it has ended.
    pub async fn api_key(&self, refid: &ApiKeyRefid) -> Result<Option<OwnedKey>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.as_ref().map(read_any).transpose()
    }

    /// Whether there is, or was, an API key with this refid.
    pub async fn knows_api_key(&self, refid: &ApiKeyRefid) -> Result<bool, StoreError> {
        Ok(self.table.get(&key(refid), Consistency::Strong).await?.is_some())
    }

    /// Notes that a key is in use, unless it has ended.
    pub async fn note_key_used(&self, refid: &ApiKeyRefid, now: Time) -> Result<(), StoreError> {
        let update = Update::of(key(refid)).set(SEEN, text(now));
        let _noted = self.table.change(&update, &Condition::Has("pk".to_owned())).await?;
        Ok(())
    }

    /// Creates an API key, made by the key `maker` or, without it, by its owner. The owner must have all of its
    /// rights, and not too many keys.
    pub async fn create_api_key(
        &self,
        api_key: &ApiKey,
        maker: Option<&ApiKeyRefid>,
        request: &Request,
        answer: Vec<u8>,
    ) -> Result<Answer, StoreError> {
        let wallet = api_key.reseller().map(crate::money::wallet::key);
        let owner = match &api_key.owner {
            KeyOwner::User(user) => Some(user::key(user)),
            KeyOwner::Deployment | KeyOwner::Key(_) => None,
        };
        let maker = maker.map(key);
        let ring = keyring::key(&api_key.owner);
        let keys: Vec<Key> = [&wallet, &owner, &maker, &ring].into_iter().flatten().cloned().collect();
        let record = self.record(request)?;
        let created = self
            .command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
                if wallet.as_ref().is_some_and(|wallet| !loaded.has(wallet)) {
                    return Err(Refusal::InvalidReseller.into());
                }
                let mut writes = Vec::new();
                writes.extend(self.record_write(record.as_ref(), request, b"shown")?);
                writes.push(CommandWrite::fresh(Write::Put(write(api_key, &request.stamp)?, Condition::Absent)));
                writes.extend(lent(loaded, api_key, maker.as_ref())?);
                writes.extend(hung(loaded, api_key, request)?);
                Ok(Decision::Commit { writes, answer: Answer::first(answer.clone()) })
            })
            .await?;
        if created.replayed {
            return Err(Refusal::KeyAlreadyShown.into());
        }
        // The record does not hold the secret. So the answer is the one passed in, even if an earlier try of this
        // same request got through.
        Ok(Answer::first(answer))
    }

    /// Revokes an API key, and the keys that it owns. A key for which `may` is false is refused like one that does not
    /// exist.
    pub async fn revoke_api_key(
        &self,
        refid: &ApiKeyRefid,
        request: &Request,
        may: impl Fn(&ApiKey) -> bool + Send + Sync,
    ) -> Result<(), StoreError> {
        let (key, now, stamp) = (key(refid), request.now, &request.stamp);
        let as_owner = KeyOwner::Key(refid.clone());
        self.command(&request.stamp.request, None, std::slice::from_ref(&key), |loaded| {
            let found = loaded.get(&key).map(read).transpose()?.flatten();
            let found = found.filter(&may).ok_or(Refusal::NotFound(ResourceKind::ApiKey))?;
            let rings = [&found.owner, &as_owner].into_iter().filter_map(keyring::key);
            let unread = loaded.unread(rings);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let mut writes = keyring::ends(&found.owner, &[(&found).into()], stamp, now)?;
            if let Some(ring) = keyring::read(loaded, &found.owner)? {
                let left = ring.keys.iter().filter(|it| it.refid != *refid).cloned().collect();
                writes.extend(keyring::replacement(&found.owner, Some(&ring), left, stamp, now)?);
            }
            if let Some(ring) = keyring::read(loaded, &as_owner)? {
                let (ended, left) = ring.keys.split_at(ring.keys.len().min(keyring::ENDED_AT_ONCE));
                writes.extend(keyring::ends(&as_owner, ended, stamp, now)?);
                writes.extend(keyring::replacement(&as_owner, Some(&ring), left.to_vec(), stamp, now)?);
            }
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        })
        .await
        .map(|_| ())
    }
}

/// Checks that whoever makes a key still may: the owner has all rights of the key, and the maker's own key has not
/// ended.
fn lent(loaded: &Loaded, api_key: &ApiKey, maker: Option<&Key>) -> Result<Vec<CommandWrite>, StoreError> {
    let mut checks = Vec::new();
    if let KeyOwner::User(owner) = &api_key.owner {
        let user = user::read(loaded, owner)?.ok_or(Refusal::Forbidden)?;
        if !user.may_lend(&api_key.role, &api_key.scopes) {
            return Err(Refusal::Forbidden.into());
        }
        let unchanged = Write::Check(user::key(owner), Condition::Version(user.version));
        checks.push(CommandWrite::fresh(unchanged));
    }
    if let Some(maker) = maker {
        let found = loaded.get(maker).map(read).transpose()?.flatten();
        let found = found.ok_or(Refusal::Forbidden)?;
        let unchanged = Write::Check(maker.clone(), Condition::Version(found.version));
        checks.push(CommandWrite::fresh(unchanged));
    }
    Ok(checks)
}

/// The writes that put a key on its owner's keyring, and end those on it that have expired.
fn hung(loaded: &Loaded, api_key: &ApiKey, request: &Request) -> Result<Vec<CommandWrite>, StoreError> {
    let (owner, now, stamp) = (&api_key.owner, request.now, &request.stamp);
    if keyring::key(owner).is_none() {
        return Ok(Vec::new());
    }
    let before = keyring::read(loaded, owner)?;
    let (ring, mut expired) = Keyring::with(before.as_ref(), api_key, now)?;
    let left = expired.split_off(expired.len().min(keyring::ENDED_AT_ONCE));
    let mut writes = keyring::ends(owner, &expired, stamp, now)?;
    let keys = left.into_iter().chain(ring.keys).collect();
    writes.extend(keyring::replacement(owner, before.as_ref(), keys, stamp, now)?);
    Ok(writes)
}
