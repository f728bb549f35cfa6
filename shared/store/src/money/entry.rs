//! Ledger entries in the table: `EN#refid`, listed by wallet.
//!
//! Invariant: the key of an entry is derived from wallet, class and idempotency key, so the same command can't be
//! entered twice. The entry is also the record of its command and holds the answer.

use purser_domain::basic::{EntryRefid, ResellerRefid, Time};
use purser_domain::money::Entry;

use crate::engine::command::idempotency::{Form, Record};
use crate::engine::item::{doc, item, text_of};
use crate::engine::{
    CommandWrite, Condition, Consistency, IdempotencyKey, Index, Item, Key, List, Page, Request, Stamp, Write,
};
use crate::{Store, StoreError};

/// A kind of money command. The same idempotency key may be used once in each class (rule B8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Class {
    Credit,
    Provision,
    Renewal,
    Refund,
    TransferOut,
    /// The half of a transfer in the wallet that receives the credits. The other half's refid serves as its idempotency
    /// key, so each transfer has exactly one.
    TransferIn,
}

pub(crate) fn key(refid: &EntryRefid) -> Key {
    Key::alone("EN", refid)
}

/// The partition of the tenant index that lists a wallet's entries.
pub(crate) fn list_key(reseller: &ResellerRefid) -> String {
    format!("EN@{reseller}")
}

/// The record of a money command: the entry that the command appends.
pub(crate) fn record(refid: &EntryRefid, request: &Request<IdempotencyKey>) -> Record {
    let IdempotencyKey { fingerprint, doubt, .. } = &request.key;
    let (key, doubt, form) = (key(refid), doubt.clone(), Form::Entry(refid.clone()));
    Record { key, fingerprint: *fingerprint, doubt, form, context }
}

/// The `unchanging` text of an entry, which the answer need not repeat. A top-up repeated by its reference has a record
/// of another kind, whose context is empty.
pub(crate) fn context(item: &Item) -> Result<String, StoreError> {
    if text_of(item, "kind") == Some("entry") { Ok(unchanging(&doc(item)?)) } else { Ok(String::new()) }
}

/// The write that appends an entry, with the answer to its command.
pub(crate) fn write(
    store: &Store,
    entry: &Entry,
    record: &Record,
    answer: &[u8],
    stamp: &Stamp,
) -> Result<CommandWrite, StoreError> {
    let mut item = placed(entry, stamp)?;
    record.remember(&mut item, store.secrets(), answer)?;
    Ok(CommandWrite::fresh(Write::Put(item, Condition::Absent)))
}

/// The write that appends an entry which is not the record of its command.
pub(crate) fn write_alone(entry: &Entry, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let item = placed(entry, stamp)?;
    Ok(CommandWrite::fresh(Write::Put(item, Condition::Absent)))
}

fn placed(entry: &Entry, stamp: &Stamp) -> Result<Item, StoreError> {
    let mut item = item(&key(&entry.refid), "entry", entry, stamp)?;
    // Within a wallet, sorting by time is sorting by sequence number.
    Index::Tenant.place(&mut item, list_key(&entry.reseller), in_order(entry.created_at, entry.sequence));
    Ok(item)
}

/// The values of an entry that never change, as text. Stored answers were compressed with this text, so the text of an
/// entry must never change.
fn unchanging(entry: &Entry) -> String {
    let mut parts = vec![
        entry.hash.to_string(),
        entry.previous_hash.to_string(),
        entry.reseller.to_string(),
        entry.refid.to_string(),
        entry.created_at.to_string(),
        entry.actor.as_str().to_owned(),
    ];
    if let Some(sale) = &entry.sale {
        parts.push(sale.product.to_string());
        parts.extend(sale.clients.iter().map(ToString::to_string));
        parts.extend(sale.licences.iter().map(ToString::to_string));
    }
    // An absent value adds no text, so answers stored before refunds and transfers existed can still be read.
    if let Some(refund) = &entry.refund {
        parts.push(refund.provision.to_string());
        parts.extend(refund.licences.iter().map(ToString::to_string));
    }
    if let Some(other) = &entry.counterparty {
        parts.extend([other.reseller.to_string(), other.entry.to_string()]);
    }
    parts.concat()
}

fn in_order(time: Time, sequence: u64) -> String {
    format!("{time}#{sequence:012}")
}

impl Store {
    pub fn entry_refid(&self, wallet: &ResellerRefid, class: Class, key: &str) -> Result<EntryRefid, StoreError> {
        let bits = self.secrets.bits("entry", &[wallet.as_str(), class.into_str(), key])?;
        Ok(EntryRefid::new(&self.prefixes.entry, bits))
    }

    /// An entry, read strongly consistently.
    pub async fn entry(&self, refid: &EntryRefid) -> Result<Option<Entry>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// A page of a wallet's entries, newest first.
    pub async fn entries(
        &self,
        reseller: &ResellerRefid,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Entry>, StoreError> {
        let list = List::descending(Index::Tenant, vec![list_key(reseller)]);
        self.page(&list, limit, position).await?.map(|item| doc(&item))
    }
}
