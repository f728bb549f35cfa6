//! API keys in the table: `AK#refid`, listed by tenant. When a key was last used is noted in the attribute `seen`,
//! apart from `doc` and without a new version.
//!
//! Invariant: one strongly consistent read tells who an API key belongs to, so a revoked key is refused at the next
//! request. What remains of an ended key has another kind and no secret.

use purser_domain::basic::{ApiKeyRefid, Time};
use purser_domain::event::due::Appointment;
use purser_domain::people::caller::api_key::StoredApiKey;
use purser_domain::people::{ApiKey, EndedApiKey, OwnedKey};

use crate::StoreError;
use crate::engine::item::{doc, item, part, text, text_of};
use crate::engine::keys::{by_time, tenant};
use crate::engine::{CommandWrite, Condition, Index, Item, Key, Stamp, Write};
use crate::events::due;

const KIND: &str = "api_key";
/// The kind of what remains of a key that has ended.
pub(crate) const ENDED: &str = "ended_api_key";
/// When the key was last used.
pub(crate) const SEEN: &str = "seen";
/// When a new key was last used. The filter of the stream in template.yaml finds the first use by it.
const NEVER: &str = "never";

pub(crate) fn key(refid: &ApiKeyRefid) -> Key {
    Key::alone("AK", refid)
}

/// Whether the key in an item has not ended.
pub(crate) fn lasts(item: &Item) -> bool {
    text_of(item, "kind") == Some(KIND)
}

/// The key in an item; `None` if it has ended.
pub(crate) fn read(item: &Item) -> Result<Option<ApiKey>, StoreError> {
    if !lasts(item) {
        return Ok(None);
    }
    let stored: StoredApiKey = doc(item)?;
    let by: Stamp = part(item, "by")?;
    Ok(Some(stored.made_by(by.actor)))
}

/// The key in an item as its owner's keyring knows it, even if it has ended.
pub(crate) fn read_any(item: &Item) -> Result<OwnedKey, StoreError> {
    match read(item)? {
        Some(key) => Ok((&key).into()),
        None => Ok(doc::<EndedApiKey>(item)?.key),
    }
}

/// When the key in an item was last used, to five minutes.
pub(crate) fn last_used(item: &Item) -> Result<Option<Time>, StoreError> {
    let seen = text_of(item, SEEN).filter(|seen| *seen != NEVER);
    seen.map(|_| part(item, SEEN)).transpose()
}

pub(crate) fn end(ended: &EndedApiKey, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let put = item(&key(&ended.key.refid), ENDED, ended, stamp)?;
    Ok(CommandWrite::fresh(Write::Put(put, Condition::Version(1))))
}

pub(crate) fn write(api_key: &ApiKey, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = api_key.refid.as_str();
    let key = key(&api_key.refid);
    let mut item = item(&key, KIND, api_key, stamp)?;
    let partition = format!("AK@{}", tenant(api_key.reseller(), id));
    item.insert(SEEN.to_owned(), text(NEVER));
    Index::Tenant.place(&mut item, partition, by_time(api_key.created_at, id));
    due::wait(&mut item, &key, Appointment::of_key(api_key.expires_at, api_key.created_at));
    Ok(item)
}
