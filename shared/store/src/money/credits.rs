//! Top-ups (rule B4).
//!
//! Items: the entry, which is also the record of the idempotency key; and `RF#…`, the guard that ties the caller's
//! reference to one entry. Invariant: however often a top-up is repeated, by key or by reference, even concurrently,
//! its credits are added once (docs/adr/0006).

use purser_domain::Refusal;
use purser_domain::basic::{Description, Reference, ResellerRefid, Time};
use purser_domain::money::{Amount, Entry, Particulars};
use purser_domain::refusal::ResourceKind;
use serde::{Deserialize, Serialize};

use crate::engine::command::answer;
use crate::engine::command::idempotency::Record;
use crate::engine::item::{bytes, bytes_of, doc, item};
use crate::engine::{Answer, CommandWrite, Condition, Decision, IdempotencyKey, Item, Key, Request, View, Write};
use crate::money::entry::{self, Class};
use crate::money::wallet;
use crate::{Store, StoreError};

/// The guard of a reference: the amount that it was used with. The item also holds the answer.
#[derive(Debug, Serialize, Deserialize)]
struct ReferenceGuard {
    amount: Amount,
    version: u64,
    created_at: Time,
}

#[derive(Debug)]
pub struct TopUp<'a> {
    pub reseller: &'a ResellerRefid,
    pub amount: Amount,
    /// The caller's name for the top-up, which may name only one entry of the wallet.
    pub reference: Option<Reference>,
    pub description: Option<Description>,
}

impl Store {
    pub async fn add_credits<V: View<Entry>>(
        &self,
        top_up: &TopUp<'_>,
        request: &Request<IdempotencyKey>,
    ) -> Result<Answer, StoreError> {
        let Request { key, stamp, now } = request;
        let refid = self.entry_refid(top_up.reseller, Class::Credit, &key.key)?;
        let record = entry::record(&refid, request);
        let wallet_key = wallet::key(top_up.reseller);
        let reference = top_up.reference.as_ref().map(Reference::canonical);
        let guard_key =
            reference.as_ref().map(|reference| self.reference_key(top_up.reseller, reference)).transpose()?;
        // White space around a reference made a difference once.
        let older_key =
            top_up.reference.as_ref().map(|given| self.reference_key(top_up.reseller, given)).transpose()?;
        let guards: Vec<Key> = guard_key.iter().chain(&older_key).cloned().collect();
        let keys: Vec<Key> = std::iter::once(wallet_key.clone()).chain(guards.clone()).collect();
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            let wallet = wallet::read(loaded, &wallet_key)?.ok_or(Refusal::NotFound(ResourceKind::Reseller))?;
            if let Some(guard) = guards.iter().find_map(|key| loaded.get(key)) {
                return self.repeat_by_reference(guard, top_up, &record, request);
            }
            if reference.as_ref().is_some_and(Reference::is_reserved) {
                return Err(Refusal::ReferenceReserved.into());
            }
            let particulars = Particulars {
                refid: refid.clone(),
                reference: reference.clone(),
                description: top_up.description.clone(),
                actor: stamp.actor.clone(),
            };
            let posting = wallet.credit(top_up.amount, particulars, *now)?;
            let answer = answer::show::<V, _>(&posting.entry)?;
            let mut writes = vec![
                entry::write(self, &posting.entry, &record, &answer, stamp)?,
                wallet::write(&posting.wallet, Some(wallet.version), stamp)?,
            ];
            if let Some(key) = &guard_key {
                writes.push(self.guard_write(key, top_up.amount, &answer, request)?);
            }
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    pub(crate) fn reference_key(&self, reseller: &ResellerRefid, reference: &Reference) -> Result<Key, StoreError> {
        let parts = [reseller.as_str(), Class::Credit.into_str(), reference.as_str()];
        Ok(Key::alone("RF", purser_domain::basic::refid::code(self.secrets.bits("reference", &parts)?)))
    }

    fn guard_write(
        &self,
        key: &Key,
        amount: Amount,
        answer: &[u8],
        request: &Request<IdempotencyKey>,
    ) -> Result<CommandWrite, StoreError> {
        let guard = ReferenceGuard { amount, version: 1, created_at: request.now };
        let mut guard = item(key, "reference", &guard, &request.stamp)?;
        guard.insert("answer".to_owned(), bytes(answer::pack(&self.secrets, &key.pk, "", answer)?));
        Ok(CommandWrite::fresh(Write::Put(guard, Condition::Absent)))
    }

    /// Answers a top-up whose reference was used before: no credits are added, and the new idempotency key gets the
    /// same answer.
    fn repeat_by_reference(
        &self,
        guard: &Item,
        top_up: &TopUp<'_>,
        record: &Record,
        request: &Request<IdempotencyKey>,
    ) -> Result<Decision, StoreError> {
        if doc::<ReferenceGuard>(guard)?.amount != top_up.amount {
            return Err(Refusal::ReferenceReused.into());
        }
        let key = crate::engine::item::key_of(guard)
            .ok_or_else(|| StoreError::Unreadable("the guard of a reference has no key".into()))?;
        let packed = bytes_of(guard, "answer")
            .ok_or_else(|| StoreError::Unreadable("the guard of a reference has no answer".into()))?;
        let answer = answer::unpack(&self.secrets, &key.pk, "", packed)?;
        let doc = serde_json::json!({"version": 1, "created_at": request.now});
        let mut alias = item(&record.key, "entry_alias", &doc, &request.stamp)?;
        record.remember(&mut alias, &self.secrets, &answer)?;
        let writes = vec![CommandWrite::fresh(Write::Put(alias, Condition::Absent))];
        Ok(Decision::Commit { writes, answer: Answer { body: answer, replayed: true } })
    }
}
