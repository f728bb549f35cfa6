//! Whether a table that is already there is the one the template asks for.
//!
//! Invariant: the comparison sees everything that decides what a query can read, and nothing that
//! is only a matter of order or spelling.

use dynoxide::TableMetadata;
use serde_json::{Map, Value};

use crate::template::TableSpec;

/// What differs first, in words, or nothing.
pub(super) fn difference(present: &TableMetadata, spec: &TableSpec) -> Option<String> {
    let stored = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let index = |text: &Option<String>| text.as_deref().map(stored).unwrap_or_default();
    let sections = [
        ("KeySchema", stored(&present.key_schema)),
        ("AttributeDefinitions", stored(&present.attribute_definitions)),
        ("GlobalSecondaryIndexes", index(&present.gsi_definitions)),
        ("LocalSecondaryIndexes", index(&present.lsi_definitions)),
    ];
    for (name, there) in sections {
        let wanted = canonical(spec.create.get(name).unwrap_or(&Value::Null));
        let there = canonical(&there);
        if there != wanted {
            return Some(format!("{name} there: {there}; in the template: {wanted}"));
        }
    }
    let view = spec.create.pointer("/StreamSpecification/StreamViewType");
    let view = view.and_then(Value::as_str);
    let there = present.stream_enabled.then_some(present.stream_view_type.as_deref()).flatten();
    if there != view {
        return Some(format!("stream there: {there:?}; in the template: {view:?}"));
    }
    // A table without expiry is given it, so only another attribute is a difference.
    let there = present.ttl_attribute.as_deref();
    let wanted = spec.ttl_attribute.as_deref();
    if present.ttl_enabled && there != wanted {
        return Some(format!("expiry there: {there:?}; in the template: {wanted:?}"));
    }
    None
}

/// Lists sorted, nothings dropped: none of these lists means anything by its order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Null => Value::Array(Vec::new()),
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(canonical).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().filter(|(_, it)| !it.is_null()).collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            sorted.into_iter().map(|(name, it)| (name.clone(), canonical(it))).collect::<Map<_, _>>().into()
        }
        scalar => scalar.clone(),
    }
}
