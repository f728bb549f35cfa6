//! Compares an existing table with the one in the template.
//!
//! Invariant: the comparison covers everything that decides what a query can read, and ignores mere order and
//! spelling.

use dynoxide::TableMetadata;
use serde_json::{Map, Value};

use crate::template::TableSpec;

/// Describes the first difference; none if the tables match.
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
    // Opening a table enables missing expiry, so only another attribute differs.
    let there = present.ttl_attribute.as_deref();
    let wanted = spec.ttl_attribute.as_deref();
    if present.ttl_enabled && there != wanted {
        return Some(format!("expiry there: {there:?}; in the template: {wanted:?}"));
    }
    None
}

/// Sorts lists and drops nulls, because order has no meaning in any of these lists.
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
