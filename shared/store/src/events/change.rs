//! Turns a stream record into the change of one entity, as the domain knows it.
//!
//! Invariant: expired or deleted items, and non-entities (guards, idempotency records, keyrings), yield no change. A
//! record that can't be read is an error and is never skipped.

use purser_domain::event::Change;
use purser_domain::licences::{Activation, Licence};
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::engine::item::{Origin, doc, part, text_of};
use crate::engine::{Item, Stamp};
use crate::events::due::fell_due;
use crate::events::erasure;
use crate::licences::activation;
use crate::parties::{client, notice};
use crate::people::api_key::item as api_key;

/// The kinds of items whose changes a consumer needs. The filter of the stream in template.yaml passes no others.
pub const KINDS: [&str; 14] = [
    "client",
    client::DELETED,
    "reseller",
    "entry",
    "licence",
    activation::KIND,
    activation::ENDED,
    "user",
    "login",
    "link_request",
    "api_key",
    api_key::ENDED,
    notice::KIND,
    erasure::KIND,
];

#[derive(Debug)]
pub struct StampedChange {
    pub change: Change,
    pub origin: Origin,
}

/// The change between two images of an item; `None` if no consumer needs it. What is sealed stays closed: it is no part
/// of any event or figure, so sealing it anew is no change.
pub fn change(old: Option<&Item>, new: Option<&Item>) -> Result<Option<StampedChange>, StoreError> {
    let Some(new) = new else { return Ok(None) };
    let Some(change) = between(old, new)? else {
        return Ok(None);
    };
    let stamp: Stamp = part(new, "by")?;
    Ok(Some(StampedChange { change, origin: stamp.origin }))
}

/// Like [`change()`], for images that do not carry `by`, such as items read from an index.
pub(crate) fn between(old: Option<&Item>, new: &Item) -> Result<Option<Change>, StoreError> {
    let kind = text_of(new, "kind").filter(|kind| KINDS.contains(kind));
    Ok(Some(match kind {
        Some("client") => Change::Client(old_doc(old)?, doc(new)?),
        // A tombstone is written once, when its client is deleted.
        Some(client::DELETED) => Change::ClientDeleted(old_doc(old)?, doc(new)?),
        Some("reseller") => Change::Reseller(old_doc(old)?, doc(new)?),
        // An entry is inserted once. A later write of its item moves no credits.
        Some("entry") if old.is_none() => Change::Entry(doc(new)?),
        Some("licence") => return licence_change(old, new),
        Some(activation::KIND) if old.is_none() => Change::InstallationActivated(Box::new(doc(new)?)),
        Some(activation::ENDED) => return deactivation(old, doc(new)?),
        Some("user") => Change::User(old_doc(old)?, doc(new)?),
        Some("login") if old.is_none() => Change::Login(doc(new)?),
        Some("link_request") if old.is_none() => Change::LinkRequest(doc(new)?),
        Some("api_key") => return key_change(old, new),
        Some(notice::KIND) => {
            let Some(met) = fell_due(old, new)? else { return Ok(None) };
            Change::NoticeFellDue(notice::read(new)?, met)
        }
        Some(erasure::KIND) if old.is_none() => Change::Erasure(doc(new)?, None),
        Some(erasure::KIND) => {
            let Some(met) = fell_due(old, new)? else { return Ok(None) };
            Change::Erasure(doc(new)?, Some(met))
        }
        Some(api_key::ENDED) if old.is_none_or(api_key::lasts) => Change::ApiKeyEnded(doc(new)?),
        _ => return Ok(None),
    }))
}

/// An API key is put once. Afterwards only its last use, which is a change the first time, and what fell due are noted.
fn key_change(old: Option<&Item>, new: &Item) -> Result<Option<Change>, StoreError> {
    let Some(key) = api_key::read(new)? else { return Ok(None) };
    let Some(old) = old else { return Ok(Some(Change::ApiKeyCreated(key))) };
    if let Some(met) = fell_due(Some(old), new)? {
        return Ok(Some(Change::ApiKeyFellDue(key, met)));
    }
    let before = api_key::last_used(old)?;
    let first = api_key::last_used(new)?.filter(|_| before.is_none());
    Ok(first.map(|at| Change::ApiKeyFirstUsed(key, at)))
}

fn licence_change(old: Option<&Item>, new: &Item) -> Result<Option<Change>, StoreError> {
    if let Some(met) = fell_due(old, new)? {
        return Ok(Some(Change::LicenceFellDue(Box::new(doc(new)?), met)));
    }
    // Seats are counted beside the document.
    if old.is_some_and(|old| old.get("doc") == new.get("doc")) {
        return Ok(None);
    }
    Ok(Some(Change::Licence(old_doc::<Licence>(old)?.map(Box::new), Box::new(doc(new)?))))
}

/// An installation that lost its seat again has another version. Of one whose data was erased, nothing else changed.
fn deactivation(old: Option<&Item>, new: Activation) -> Result<Option<Change>, StoreError> {
    let before = old_doc::<Activation>(old)?.map(|old| old.version);
    let ended = new.ended.filter(|_| before != Some(new.version));
    Ok(ended.map(|ended| Change::InstallationDeactivated(Box::new(new), ended)))
}

fn old_doc<T: DeserializeOwned>(old: Option<&Item>) -> Result<Option<T>, StoreError> {
    old.map(doc).transpose()
}
