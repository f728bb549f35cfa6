//! Items: what every record of the table looks like.
//!
//! Invariant: an item is a key, its places in indexes, its `kind`, the entity as `doc`, and `by`: who made this
//! version, in which request, through which door and why. `doc` carries version and times.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use purser_domain::parties::metadata::Metadata;
use purser_domain::people::caller::Actor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::engine::keys::{Index, Key};
use crate::engine::secrets::Secrets;

/// A record as DynamoDB knows it.
pub type Item = HashMap<String, AttributeValue>;

/// Through which door a change came; imports and demo records send no mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A request.
    #[default]
    Api,
    /// A file that was read in.
    Import,
    /// Records made up to show the product.
    Demo,
}

/// Who made a version of an item, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Who.
    pub actor: Actor,
    /// In which request.
    pub request: String,
    /// Through which door.
    pub origin: Origin,
    /// Which function, or which event it reacted to.
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

/// The item of `kind` at `key` that holds `doc`.
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
    /// Puts an item into the index.
    pub(crate) fn place(self, item: &mut Item, pk: String, sk: String) {
        item.insert(self.pk().to_owned(), text(pk));
        item.insert(self.sk().to_owned(), text(sk));
    }
}

/// A value as DynamoDB keeps it.
pub(crate) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| StoreError::Failed(format!("encoding an item: {error}")))
}

/// The entity an item holds.
pub(crate) fn doc<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    part(item, "doc")
}

/// The attribute `name` of an item, read as `T`.
pub(crate) fn part<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    let value = item.get(name).cloned().ok_or_else(|| StoreError::Unreadable(format!("no attribute {name}")))?;
    serde_dynamo::from_attribute_value(value).map_err(|error| StoreError::Unreadable(format!("{name}: {error}")))
}

/// The text attribute `name`, when there is one.
pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// The binary attribute `name`, when there is one.
pub(crate) fn bytes_of<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref)
}

/// The key of an item.
pub(crate) fn key_of(item: &Item) -> Option<Key> {
    Some(Key { pk: text_of(item, "pk")?.to_owned(), sk: text_of(item, "sk")?.to_owned() })
}

/// Puts metadata into an item, sealed for `place`; empty metadata takes no room.
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
    item.insert("sealed".to_owned(), bytes(secrets.seal(place, &json)?));
    Ok(())
}

/// The metadata sealed in an item for `place`.
pub(crate) fn metadata_of(item: &Item, secrets: &Secrets, place: &str) -> Result<Metadata, StoreError> {
    let Some(sealed) = bytes_of(item, "sealed") else {
        return Ok(Metadata::default());
    };
    let json = secrets.open(place, sealed)?;
    serde_json::from_slice(&json).map_err(|error| StoreError::Unreadable(format!("metadata: {error}")))
}
