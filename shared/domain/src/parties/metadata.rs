//! Metadata: a JSON object that callers keep with a client or a reseller.
//!
//! Invariant: metadata is at most 16 KiB of JSON, holds no control characters, and has no key that names a credential
//! and no number of a payment card. A change is merged by RFC 7396, so it can't drop other members by accident (rule
//! A6).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::basic::stored::{as_stored, is_stored};
use crate::basic::text;
use crate::parties::sensitive::{holds_a_card_number, names_a_credential};
use crate::refusal::Refusal;

/// The largest metadata, in bytes of JSON.
pub const MAX_BYTES: usize = 16 * 1024;
pub const MAX_DEPTH: usize = 32;
/// Where metadata stands in a client, a reseller, and the bodies that make them.
const ROOT: &str = "/metadata";

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

#[derive(Debug, Clone, PartialEq, Eq, derive_more::From)]
pub enum MetadataError {
    /// The text at this JSON pointer may not be stored. If a key is the problem, the pointer names its object.
    #[from(skip)]
    Text(String),
    TooDeep,
    /// Rule A6 refuses a key or the size.
    Refused(Refusal),
}

impl Metadata {
    pub fn new(object: Map<String, Value>) -> Result<Self, MetadataError> {
        check_members(&object, ROOT, 1)?;
        let metadata = Self(object);
        metadata.check_size().map_err(MetadataError::Refused)?;
        Ok(metadata)
    }

    /// This metadata with `patch` merged in by RFC 7396: `null` removes a key.
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, MetadataError> {
        check_members(patch, ROOT, 1)?;
        let mut merged = Value::Object(self.0.clone());
        json_patch::merge(&mut merged, &Value::Object(patch.clone()));
        match merged {
            // What is there already was judged when it came.
            Value::Object(object) => as_stored(|| Self::new(object)),
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

fn check_members(object: &Map<String, Value>, pointer: &str, depth: usize) -> Result<(), MetadataError> {
    for (key, value) in object {
        let here = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        // In a patch, null removes a member, also one that an older rule let in.
        if !value.is_null() && !is_stored() && (names_a_credential(key) || holds_a_card_number(key)) {
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
    let is_card = |text: &str| !is_stored() && holds_a_card_number(text);
    match value {
        Value::String(text) if !text.chars().all(text::is_allowed) => Err(MetadataError::Text(pointer)),
        Value::String(text) if is_card(text) => Err(Refusal::SensitiveMetadata { pointer }.into()),
        Value::Number(number) if is_card(&number.to_string()) => Err(Refusal::SensitiveMetadata { pointer }.into()),
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
    fn what_older_rules_let_in_stays_while_other_members_change() {
        let old =
            as_stored(|| metadata(&json!({"cvv2": "123", "a": "x\u{2028}", "card": "4111111111111111"}))).unwrap();
        let changed = old.merged(&object(&json!({"b": 1, "a": null}))).unwrap();
        assert_eq!(changed.as_object().len(), 3);
        assert!(old.merged(&object(&json!({"cvv2": "321"}))).is_err());
        assert_eq!(changed.merged(&object(&json!({"cvv2": null}))).unwrap().as_object().len(), 2);
    }

    #[test]
    fn numbers_of_cards_are_found_among_words_and_in_any_script() {
        for card in [
            "4111111111111111",
            "card: 4111111111111111.",
            "pan=5555555555554444;exp=12/30",
            "4111111111111111 12/30 123",
            "until 12/30: 4111 1111 1111 1111",
            "4111111111111111,5555555555554444",
            "4111.1111.1111.1111",
            "4111_1111_1111_1111",
            "4111/1111/1111/1111",
            "3782 822463 10005",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "4111\u{2011}1111\u{2011}1111\u{2011}1111",
            "4111\u{200b}1111\u{200b}1111\u{200b}1111",
            "٤١١١١١١١١١١١١١١١",
            "４１１１１１１１１１１１１１１１",
        ] {
            for value in [json!({"n": card}), json!({"n": [{"m": card}]}), json!({card: true})] {
                let refused = metadata(&value);
                let is_told = matches!(refused, Err(MetadataError::Refused(Refusal::SensitiveMetadata { .. })));
                assert!(is_told, "{value}: {refused:?}");
            }
        }
        for innocent in [
            "490154203237518",
            "550e8400-e29b-41d4-a716-446655440000",
            "41111111-1111-1111-8888-111111111111",
            "x4111111111111111x",
            "4111 1111 1111 1112",
            "DE89 3704 0044 0532 0130 00",
            "2026-01-31T09:30:00.000Z",
            "978-3-16-148410-0",
        ] {
            assert!(metadata(&json!({"n": innocent, innocent: 1})).is_ok(), "{innocent}");
        }
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
            ("secretary", false),
            ("tokenised", false),
            ("passenger_name", false),
            ("opinion", false),
            ("authority", false),
            ("PANAMA", false),
            ("spinCount", false),
            ("cvv2", true),
            ("cardCvv", true),
            ("APIKey", true),
            ("apikey1", true),
            ("APIKEY", true),
            ("ＰＡＳＳＷＯＲＤ", true),
            ("my.password.hint", true),
            ("session-id", true),
            ("bearer", true),
            ("ssh_key", true),
            ("customerPIN", true),
        ] {
            assert_eq!(metadata(&json!({key: "x"})).is_err(), refused, "{key}");
        }
        for (value, refused) in [
            (json!("4111 1111 1111 1111"), true),
            (json!("4111-1111-1111-1111"), true),
            (json!(4_111_111_111_111_111_u64), true),
            (json!(["5555555555554444"]), true),
            (json!("378282246310005"), true),
            (json!({"note": "6011111111111117"}), true),
            (json!("3530111333300000"), true),
            // The last digit is wrong; an IMEI; an order number; a telephone number.
            (json!("4111 1111 1111 1112"), false),
            (json!("490154203237518"), false),
            (json!("356938035643809"), false),
            (json!("1234567890123"), false),
            (json!("+49 30 901820"), false),
        ] {
            assert_eq!(metadata(&json!({"key": value})).is_err(), refused, "{value}");
        }
        assert_eq!(
            metadata(&json!({"a/b": [{"access_token": "x"}]})),
            Err(MetadataError::Refused(Refusal::SensitiveMetadata { pointer: "/metadata/a~1b/0/access_token".into() }))
        );
    }

    #[test]
    fn size_depth_and_text_have_limits() {
        assert!(metadata(&json!({"a": "x".repeat(MAX_BYTES - 8)})).is_ok());
        assert!(metadata(&json!({"a": "x".repeat(MAX_BYTES - 7)})).is_err());
        assert_eq!(metadata(&json!({"a": "b\u{202E}"})), Err(MetadataError::Text("/metadata/a".into())));
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(metadata(&json!({"a": deep(MAX_DEPTH - 1)})).is_ok());
        assert_eq!(metadata(&json!({"a": deep(MAX_DEPTH)})), Err(MetadataError::TooDeep));
    }
}
