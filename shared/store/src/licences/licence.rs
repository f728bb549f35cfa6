//! Licences in the table: `LI#refid`, listed by tenant, by kind and by client.
//!
//! Invariant: a licence is found by the HMAC of its key, and its key is shown from a sealed copy; nothing in the
//! table holds the key in clear.

use purser_domain::basic::{ClientRefid, LicenceRefid};
use purser_domain::licences::{Licence, LicenceKey};

use crate::engine::item::{bytes, bytes_of, doc, item};
use crate::engine::keys::{by_time, shard, tenant};
use crate::engine::{Condition, Index, Item, Key, Seal, Secrets, Stamp, Write};
use crate::{Store, StoreError};

pub(crate) fn key(refid: &LicenceRefid) -> Key {
    Key::alone("LI", refid)
}

/// The partition of the status index that lists the licences of a client.
pub(crate) fn list_key(client: &ClientRefid) -> String {
    format!("LI@{client}")
}

/// A licence with its key in clear.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedLicence {
    pub licence: Licence,
    pub key: LicenceKey,
}

impl Store {
    /// The refid of the licence with this key. It depends on the key alone, so a licence is found by its key.
    pub fn licence_refid(&self, key: &LicenceKey) -> Result<LicenceRefid, StoreError> {
        Ok(LicenceRefid::new(&self.prefixes.licence, self.secrets.bits("licence", &[key.reveal()])?))
    }
}

/// A new licence key: a random UUID, with 122 random bits.
pub(crate) fn new_key(secrets: &Secrets) -> Result<LicenceKey, StoreError> {
    let uuid = uuid::Builder::from_random_bytes(secrets.random()?).into_uuid();
    Ok(LicenceKey::new(uuid.to_string()))
}

pub(crate) fn write(
    keyed: &KeyedLicence,
    replaces: Option<u64>,
    secrets: &Secrets,
    stamp: &Stamp,
) -> Result<Write, StoreError> {
    let licence = &keyed.licence;
    let key = key(&licence.refid);
    let id = licence.refid.as_str();
    let place = by_time(licence.created_at, id);
    let mut item = item(&key, "licence", licence, stamp)?;
    item.insert("sealed".to_owned(), bytes(secrets.seal(Seal::Licence, &key.pk, keyed.key.reveal().as_bytes())?));
    Index::Tenant.place(&mut item, format!("LI@{}", tenant(licence.reseller.as_ref(), id)), place.clone());
    Index::Kind.place(&mut item, format!("LI#{}", shard(id)), place.clone());
    if let Some(client) = &licence.client {
        Index::Status.place(&mut item, list_key(client), place);
    }
    let condition = replaces.map_or(Condition::Absent, Condition::Version);
    Ok(Write::Put(item, condition))
}

pub(crate) fn read(item: &Item, secrets: &Secrets) -> Result<KeyedLicence, StoreError> {
    let licence: Licence = doc(item)?;
    let sealed =
        bytes_of(item, "sealed").ok_or_else(|| StoreError::Unreadable("a licence has no sealed key".into()))?;
    let text = String::from_utf8(secrets.open(Seal::Licence, &key(&licence.refid).pk, sealed)?)
        .map_err(|_| StoreError::Unreadable("a licence key is not UTF-8".into()))?;
    Ok(KeyedLicence { licence, key: LicenceKey::new(text) })
}
