//! Metadata: a JSON object that callers keep with a client or a reseller.
//!
//! Invariant: metadata is at most 16 KiB of JSON, holds no control characters, and has no key that looks like the name
//! of a credential. A change is merged by RFC 7396, so it can't drop other members by accident (rule A6).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::basic::text;
use crate::refusal::Refusal;

/// The largest metadata, in bytes of JSON.
pub const MAX_BYTES: usize = 16 * 1024;
pub const MAX_DEPTH: usize = 32;

/// Words that name a credential wherever they occur in a key.
const TELLING: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "cardnumber",
    "creditcard",
    "cardno",
];
/// Words that are too short to search for inside a key: "shipping" contains "pin".
const EXACT: [&str; 7] = ["pwd", "pin", "pan", "cvv", "cvc", "ccn", "ssn"];

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

#[cfg(feature = "schema")]
crate::value_schema!(
    Metadata,
    "Free data of the callers, at most 16 KiB of JSON.",
    object(),
    serde_json::json!({"segment": "Enterprise"})
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataError {
    /// The text at this JSON pointer may not be stored. If a key is the problem, the pointer names its object.
    Text(String),
    TooDeep,
    /// Rule A6 refuses a key or the size.
    Refused(Refusal),
}

impl Metadata {
    pub fn new(object: Map<String, Value>) -> Result<Self, MetadataError> {
        check_members(&object, "", 1)?;
        let metadata = Self(object);
        metadata.check_size().map_err(MetadataError::Refused)?;
        Ok(metadata)
    }

    /// This metadata with `patch` merged in by RFC 7396: `null` removes a key.
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, MetadataError> {
        check_members(patch, "", 1)?;
        let mut merged = Value::Object(self.0.clone());
        json_patch::merge(&mut merged, &Value::Object(patch.clone()));
        match merged {
            Value::Object(object) => Self::new(object),
            _ => Ok(self.clone()),
        }
    }

    /// This metadata with `patch` merged in, if there is a patch. Check the patch before: here only the size can still
    /// be refused, because another caller may have added to the metadata.
    pub fn with(&self, patch: Option<&Map<String, Value>>) -> Result<Option<Self>, Refusal> {
        let too_large = Refusal::MetadataTooLarge { most: MAX_BYTES };
        patch.map(|patch| self.merged(patch)).transpose().map_err(|_| too_large)
    }

    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    fn check_size(&self) -> Result<(), Refusal> {
        let bytes = serde_json::to_string(&self.0).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_BYTES { Err(Refusal::MetadataTooLarge { most: MAX_BYTES }) } else { Ok(()) }
    }
}

fn looks_like_a_credential(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    EXACT.contains(&plain.as_str()) || TELLING.iter().any(|word| plain.contains(word))
}

fn check_members(object: &Map<String, Value>, pointer: &str, depth: usize) -> Result<(), MetadataError> {
    for (key, value) in object {
        let here = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        if looks_like_a_credential(key) {
            return Err(MetadataError::Refused(Refusal::SensitiveMetadata { pointer: here }));
        }
        if !key.chars().all(text::is_allowed) {
            return Err(MetadataError::Text(pointer.to_owned()));
        }
        check_value(value, here, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, pointer: String, depth: usize) -> Result<(), MetadataError> {
    if depth > MAX_DEPTH {
        return Err(MetadataError::TooDeep);
    }
    match value {
        Value::String(text) if !text.chars().all(text::is_allowed) => Err(MetadataError::Text(pointer)),
        Value::Object(object) => check_members(object, &pointer, depth + 1),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_value(item, format!("{pointer}/{index}"), depth + 1)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    fn metadata(value: &Value) -> Result<Metadata, MetadataError> {
        Metadata::new(object(value))
    }

    #[test]
    fn a_patch_merges_and_null_removes() {
        let old = metadata(&json!({"segment": "Enterprise", "seats": {"max": 5, "used": 1}}));
        let new = old.and_then(|old| old.merged(&object(&json!({"segment": null, "seats": {"used": 2}, "vip": true}))));
        assert_eq!(new.map(|m| Value::Object(m.0)), Ok(json!({"seats": {"max": 5, "used": 2}, "vip": true})));
    }

    #[test]
    fn credentials_are_refused_wherever_they_stand() {
        for (key, refused) in [
            ("password", true),
            ("API_Key", true),
            ("client-secret", true),
            ("Card Number", true),
            ("PIN", true),
            ("shipping", false),
            ("company", false),
            ("segment", false),
            ("japan", false),
        ] {
            assert_eq!(metadata(&json!({key: 1})).is_err(), refused, "{key}");
        }
        assert_eq!(
            metadata(&json!({"a/b": [{"access_token": "x"}]})),
            Err(MetadataError::Refused(Refusal::SensitiveMetadata { pointer: "/a~1b/0/access_token".into() }))
        );
    }

    #[test]
    fn size_depth_and_text_have_limits() {
        assert!(metadata(&json!({"a": "x".repeat(MAX_BYTES - 8)})).is_ok());
        assert!(metadata(&json!({"a": "x".repeat(MAX_BYTES - 7)})).is_err());
        assert_eq!(metadata(&json!({"a": "b\u{202E}"})), Err(MetadataError::Text("/a".into())));
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(metadata(&json!({"a": deep(MAX_DEPTH - 1)})).is_ok());
        assert_eq!(metadata(&json!({"a": deep(MAX_DEPTH)})), Err(MetadataError::TooDeep));
    }
}
