//! Adoption: putting API keys from before keys had owners on the keyrings of their makers.
//!
//! Invariant: adopting twice changes nothing. No key ends by it: a key whose maker is gone or lacks its rights is
//! named, so that an operator decides.

use std::collections::BTreeMap;

use purser_domain::basic::{ApiKeyRefid, ResellerRefid};
use purser_domain::people::caller::api_key::StoredApiKey;
use purser_domain::people::{ApiKey, KeyOwner};

use crate::engine::item::{doc, key_of};
use crate::engine::{Answer, Consistency, Decision, Index, Key, List, Loaded, Request};
use crate::people::api_key::{item, keyring, partitions};
use crate::people::user;
use crate::{Store, StoreError};

const AT_ONCE: usize = 50;

/// What became of the keys of a tenant.
#[derive(Debug, Default)]
pub struct Adoption {
    /// How many keys were put on a keyring.
    pub adopted: usize,
    /// The keys whose maker is gone, is suspended, or lacks a right of the key.
    pub orphans: Vec<ApiKeyRefid>,
}

impl Store {
    /// Adopts the keys of a reseller, or of the operators.
    pub async fn adopt_api_keys(
        &self,
        reseller: Option<&ResellerRefid>,
        request: &Request,
    ) -> Result<Adoption, StoreError> {
        let list = List::ascending(Index::Tenant, partitions(reseller));
        let (mut adoption, mut position) = (Adoption::default(), None);
        loop {
            let page = self.page(&list, AT_ONCE, position).await?;
            let mut found = Vec::new();
            for listed in &page.items {
                if doc::<StoredApiKey>(listed)?.is_from_before() {
                    found.extend(key_of(listed));
                }
            }
            for (owner, keys) in self.by_owner(&found).await? {
                self.adopt(&owner, &keys, request, &mut adoption).await?;
            }
            position = page.position;
            if position.is_none() {
                return Ok(adoption);
            }
        }
    }

    /// The keys that have not ended, by owner. Those of the deployment are left out.
    async fn by_owner(&self, keys: &[Key]) -> Result<Vec<(KeyOwner, Vec<ApiKey>)>, StoreError> {
        let found = self.table.get_all(keys, Consistency::Strong).await?;
        let mut owners: BTreeMap<String, (KeyOwner, Vec<ApiKey>)> = BTreeMap::new();
        for found in keys.iter().filter_map(|key| found.get(key)) {
            let Some(api_key) = item::read(found)? else { continue };
            if let Some(ring) = keyring::key(&api_key.owner) {
                let none = (api_key.owner.clone(), Vec::new());
                owners.entry(ring.pk).or_insert(none).1.push(api_key);
            }
        }
        Ok(owners.into_values().collect())
    }

    async fn adopt(
        &self,
        owner: &KeyOwner,
        found: &[ApiKey],
        request: &Request,
        adoption: &mut Adoption,
    ) -> Result<(), StoreError> {
        let mut keys: Vec<Key> = found.iter().map(|it| item::key(&it.refid)).collect();
        keys.extend(keyring::key(owner));
        keys.extend(match owner {
            KeyOwner::Deployment => None,
            KeyOwner::User(user) => Some(user::key(user)),
            KeyOwner::Key(key) => Some(item::key(key)),
        });
        let (mut adopted, mut orphans) = (0, Vec::new());
        // Each run of this command writes the same keyring, so it is told apart from the others by its owner.
        let id = format!("{} {}", request.stamp.request, keys.last().map_or("", |key| &key.pk));
        let mut stamp = request.stamp.clone();
        stamp.request.clone_from(&id);
        self.command(&id, None, &keys, |loaded| {
            let before = keyring::read(loaded, owner)?;
            let mut ring = before.as_ref().map_or_else(Vec::new, |it| it.keys.clone());
            let hung = ring.len();
            orphans.clear();
            for api_key in found.iter().filter(|it| loaded.get(&item::key(&it.refid)).is_some_and(item::lasts)) {
                if !lends(loaded, owner, api_key)? {
                    orphans.push(api_key.refid.clone());
                }
                if ring.iter().all(|it| it.refid != api_key.refid) {
                    ring.push(api_key.into());
                }
            }
            adopted = ring.len() - hung;
            let answer = Answer::first(Vec::new());
            if adopted == 0 {
                return Ok(Decision::Unchanged(answer));
            }
            let writes = keyring::replacement(owner, before.as_ref(), ring, &stamp, request.now)?;
            Ok(Decision::Commit { writes: writes.into_iter().collect(), answer })
        })
        .await?;
        adoption.adopted += adopted;
        adoption.orphans.extend(orphans);
        Ok(())
    }
}

/// Whether the owner is there and has all rights of the key.
fn lends(loaded: &Loaded, owner: &KeyOwner, key: &ApiKey) -> Result<bool, StoreError> {
    Ok(match owner {
        KeyOwner::Deployment => true,
        KeyOwner::User(refid) => user::read(loaded, refid)?.is_some_and(|it| it.may_lend(&key.role, &key.scopes)),
        KeyOwner::Key(refid) => loaded.get(&item::key(refid)).is_some_and(item::lasts),
    })
}
