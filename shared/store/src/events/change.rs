//! What a stream record says: the change of one item, as the domain knows it.
//!
//! Invariant: records of items that are no entities (guards, idempotency records, keys) and expiries are no
//! changes; a record that can't be read is an error, never skipped.

use purser_domain::event::Change;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::engine::item::{Item, Origin, Stamp, doc, part, text_of};
use crate::engine::secrets::Secrets;
use crate::parties::client;
use crate::parties::reseller;

/// The kinds of items whose changes are somebody's business. The stream hands over no others (template.yaml).
pub const KINDS: [&str; 9] =
    ["client", client::DELETED, "reseller", "entry", "licence", "user", "credentials", "login", "link_request"];

/// A change, and how it came about.
#[derive(Debug)]
pub struct StampedChange {
    /// The change.
    pub change: Change,
    /// Through which door it came.
    pub origin: Origin,
}

/// The change between two images of an item; none when it is nobody's business.
pub fn change(old: Option<&Item>, new: Option<&Item>, secrets: &Secrets) -> Result<Option<StampedChange>, StoreError> {
    let Some(new) = new else { return Ok(None) };
    let Some(change) = between(old, new, secrets)? else {
        return Ok(None);
    };
    let stamp: Stamp = part(new, "by")?;
    Ok(Some(StampedChange { change, origin: stamp.origin }))
}

/// The same of images that don't say how they came about, as those of an index.
pub(crate) fn between(old: Option<&Item>, new: &Item, secrets: &Secrets) -> Result<Option<Change>, StoreError> {
    let kind = text_of(new, "kind").filter(|kind| KINDS.contains(kind));
    Ok(Some(match kind {
        Some("client") => {
            Change::Client(old.map(|old| client::read(old, secrets)).transpose()?, client::read(new, secrets)?)
        }
        // What stays of a client is written once, when it is deleted.
        Some(client::DELETED) => Change::ClientDeleted(doc(new)?),
        Some("reseller") => {
            Change::Reseller(old.map(|old| reseller::read(old, secrets)).transpose()?, reseller::read(new, secrets)?)
        }
        // An entry is appended once; whatever else touches its item says nothing about money.
        Some("entry") if old.is_none() => Change::Entry(doc(new)?),
        Some("licence") => Change::Licence(old_doc(old)?, doc(new)?),
        Some("user") => Change::User(old_doc(old)?, doc(new)?),
        Some("credentials") => Change::Credentials(old_doc(old)?, doc(new)?),
        Some("login") if old.is_none() => Change::Login(doc(new)?),
        Some("link_request") if old.is_none() => Change::LinkRequest(doc(new)?),
        _ => return Ok(None),
    }))
}

fn old_doc<T: DeserializeOwned>(old: Option<&Item>) -> Result<Option<T>, StoreError> {
    old.map(doc).transpose()
}
