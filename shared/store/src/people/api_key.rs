//! API keys in the table: `AK#refid`, listed by tenant.
//!
//! Invariant: one strongly consistent read tells who an API key belongs to, so a revoked key is refused at the next
//! request. The creation of a key is never replayed, because its secret is shown only once (docs/rules.md,
//! "Idempotency").

use purser_domain::Refusal;
use purser_domain::basic::{ApiKeyRefid, ResellerRefid};
use purser_domain::people::{ApiKey, Role};
use purser_domain::refusal::ResourceKind;

use crate::engine::item::{doc, item};
use crate::engine::keys::{by_time, shard};
use crate::engine::page::shards;
use crate::engine::{Answer, CommandWrite, Condition, Decision, Index, Item, Key, List, Page, Request, Stamp, Write};
use crate::{Store, StoreError};

pub(crate) fn key(refid: &ApiKeyRefid) -> Key {
    Key::alone("AK", refid)
}

impl Store {
    pub fn new_api_key_refid(&self) -> Result<ApiKeyRefid, StoreError> {
        Ok(ApiKeyRefid::new(&self.prefixes.api_key, self.secrets.random()?))
    }

    /// A page of the API keys of a reseller, or of the operators; newest first.
    pub async fn api_keys(
        &self,
        reseller: Option<&ResellerRefid>,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<ApiKey>, StoreError> {
        let partitions = match reseller {
            Some(reseller) => vec![format!("AK@{reseller}")],
            None => shards("AK@-"),
        };
        let list = List { index: Index::Tenant, partitions, filters: Vec::new(), ascending: false };
        self.page(&list, limit, position).await?.map(|item| doc(&item))
    }

    pub async fn create_api_key(
        &self,
        api_key: &ApiKey,
        request: &Request,
        answer: Vec<u8>,
    ) -> Result<Answer, StoreError> {
        let wallet = match &api_key.role {
            Role::Reseller(reseller) => Some(crate::money::wallet::key(reseller)),
            Role::Operator | Role::Customer => None,
        };
        let keys: Vec<Key> = wallet.iter().cloned().collect();
        let record = self.record(request);
        let created = self
            .command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
                if wallet.as_ref().is_some_and(|wallet| !loaded.has(wallet)) {
                    return Err(Refusal::InvalidReseller.into());
                }
                let mut writes = Vec::new();
                writes.extend(self.record_write(record.as_ref(), request, b"shown")?);
                writes.push(CommandWrite::fresh(Write::Put(write(api_key, &request.stamp)?, Condition::Absent)));
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

    /// Revokes an API key. A key for which `may` is false is refused like one that does not exist.
    pub async fn revoke_api_key(
        &self,
        refid: &ApiKeyRefid,
        request: &Request,
        may: impl Fn(&ApiKey) -> bool + Send + Sync,
    ) -> Result<(), StoreError> {
        let key = key(refid);
        self.command(&request.stamp.request, None, std::slice::from_ref(&key), |loaded| {
            let found: Option<ApiKey> = loaded.get(&key).map(doc).transpose()?;
            found.filter(&may).ok_or(Refusal::NotFound(ResourceKind::ApiKey))?;
            let delete = CommandWrite::fresh(Write::Delete(key.clone(), Condition::Version(1)));
            Ok(Decision::Commit { writes: vec![delete], answer: Answer::first(Vec::new()) })
        })
        .await
        .map(|_| ())
    }
}

fn write(api_key: &ApiKey, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = api_key.refid.as_str();
    let mut item = item(&key(&api_key.refid), "api_key", api_key, stamp)?;
    let tenant = match &api_key.role {
        Role::Reseller(reseller) => reseller.to_string(),
        Role::Operator | Role::Customer => format!("-#{}", shard(id)),
    };
    Index::Tenant.place(&mut item, format!("AK@{tenant}"), by_time(api_key.created_at, id));
    Ok(item)
}
