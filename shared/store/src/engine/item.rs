//! Items: the form that every record in the table has.
//!
//! Invariant: an item is a key, its places in indexes, its `kind`, the entity as `doc`, and `by`: who made this
//! version, in which request, where it came from and why. `doc` holds the version and the times.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use purser_domain::basic::as_stored;
use purser_domain::parties::Metadata;
use purser_domain::people::Actor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::engine::keys::{Index, Key};
use crate::engine::secrets::{Seal, Secrets};

pub type Item = HashMap<String, AttributeValue>;

/// How a change came in. Imported and demo records cause no e-mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    #[default]
    Api,
    Import,
    Demo,
}

/// Who made a version of an item, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub actor: Actor,
    /// The id of the request.
    pub request: String,
    pub origin: Origin,
    /// The function that made the change, or the event that it reacted to.
    pub cause: String,
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

pub(crate) fn item(key: &Key, kind: &str, doc: &impl Serialize, stamp: &Stamp) -> Result<Item, StoreError> {
    Ok(HashMap::from([
        ("pk".to_owned(), text(&key.pk)),
        ("sk".to_owned(), text(&key.sk)),
        ("kind".to_owned(), text(kind)),
        ("doc".to_owned(), attribute(doc)?),
        ("by".to_owned(), attribute(stamp)?),
    ]))
}

impl Index {
    pub(crate) fn place(self, item: &mut Item, pk: String, sk: String) {
        item.insert(self.pk().to_owned(), text(pk));
        item.insert(self.sk().to_owned(), text(sk));
    }
}

pub(crate) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| StoreError::Failed(format!("encoding an item: {error}")))
}

pub(crate) fn doc<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    part(item, "doc")
}

pub(crate) fn part<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    let value =
        item.get(name).cloned().ok_or_else(|| StoreError::Unreadable(format!("attribute {name} is missing")))?;
    as_stored(|| serde_dynamo::from_attribute_value(value))
        .map_err(|error| StoreError::Unreadable(format!("attribute {name}: {error}")))
}

pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

pub(crate) fn number_of<N: std::str::FromStr>(item: &Item, name: &str) -> Option<N> {
    item.get(name).and_then(|value| value.as_n().ok())?.parse().ok()
}

pub(crate) fn bytes_of<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref)
}

pub(crate) fn key_of(item: &Item) -> Option<Key> {
    Some(Key { pk: text_of(item, "pk")?.to_owned(), sk: text_of(item, "sk")?.to_owned() })
}

/// Seals metadata for `place` and adds it to an item. Empty metadata is not stored.
pub(crate) fn put_metadata(
    item: &mut Item,
    secrets: &Secrets,
    place: &str,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    if metadata.as_object().is_empty() {
        return Ok(());
    }
    let json = serde_json::to_vec(metadata).map_err(|error| StoreError::Failed(error.to_string()))?;
    item.insert("sealed".to_owned(), bytes(secrets.seal(Seal::Record, place, &json)?));
    Ok(())
}

/// Opens the metadata that was sealed into an item for `place`; empty if there is none.
pub(crate) fn metadata_of(item: &Item, secrets: &Secrets, place: &str) -> Result<Metadata, StoreError> {
    // Whether or not there is any, only who may open metadata reads items as if there were none.
    secrets.must_have(Seal::Record)?;
    let Some(sealed) = bytes_of(item, "sealed") else {
        return Ok(Metadata::default());
    };
    let json = secrets.open(Seal::Record, place, sealed)?;
    serde_json::from_slice(&json).map_err(|error| StoreError::Unreadable(format!("metadata: {error}")))
}
