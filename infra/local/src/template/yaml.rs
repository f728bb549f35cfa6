//! Turns the template's YAML into plain JSON, with short tags in their long form.
//!
//! Invariant: `!Sub x` and `Fn::Sub: x` give the same JSON, so other code need not know that there are two spellings.
//! YAML that has no equivalent in JSON is refused, not guessed.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value, json};

use super::TemplateError;

pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text).map_err(|error| TemplateError::Yaml(error.to_string()))?;
    match documents.as_slice() {
        [document] => to_json(document),
        others => Err(TemplateError::Yaml(format!("expected one document, found {}", others.len()))),
    }
}

fn to_json(node: &Yaml) -> Result<Value, TemplateError> {
    match node {
        Yaml::Value(scalar) => scalar_to_json(scalar),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(fields) => fields
            .iter()
            .map(|(name, value)| Ok((field_name(name)?, to_json(value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        Yaml::Tagged(tag, inner) if tag.handle == "!" => Ok(intrinsic(&tag.suffix, &to_json(inner)?)),
        Yaml::Tagged(..) | Yaml::Alias(_) | Yaml::BadValue | Yaml::Representation(..) => {
            Err(TemplateError::Yaml(format!("cannot be written as JSON: {node:?}")))
        }
    }
}

fn scalar_to_json(scalar: &Scalar) -> Result<Value, TemplateError> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(it) => Value::Bool(*it),
        Scalar::Integer(it) => Value::from(*it),
        Scalar::FloatingPoint(it) => Number::from_f64(it.into_inner())
            .map(Value::Number)
            .ok_or_else(|| TemplateError::Yaml(format!("not a JSON number: {it}")))?,
        Scalar::String(it) => Value::from(it.as_ref()),
    })
}

fn field_name(name: &Yaml) -> Result<String, TemplateError> {
    match name {
        Yaml::Value(Scalar::String(it)) => Ok(it.to_string()),
        Yaml::Value(Scalar::Integer(it)) => Ok(it.to_string()),
        other => Err(TemplateError::Yaml(format!("a field's name must be text: {other:?}"))),
    }
}

/// The long form of `!name argument`.
fn intrinsic(name: &str, argument: &Value) -> Value {
    match (name, argument) {
        // Only these two have no `Fn::` prefix.
        ("Ref" | "Condition", _) => json!({ name: argument }),
        ("GetAtt", Value::String(dotted)) => match dotted.split_once('.') {
            Some((resource, attribute)) => json!({"Fn::GetAtt": [resource, attribute]}),
            None => json!({"Fn::GetAtt": [dotted]}),
        },
        _ => json!({ format!("Fn::{name}"): argument }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn short_tags_become_their_long_form() {
        let table = [
            ("a: !Ref Table", json!({"Ref": "Table"})),
            ("a: !Sub '${Table}/x'", json!({"Fn::Sub": "${Table}/x"})),
            ("a: !Sub ['${x}', {x: !Ref Y}]", json!({"Fn::Sub": ["${x}", {"x": {"Ref": "Y"}}]})),
            ("a: !GetAtt Table.StreamArn", json!({"Fn::GetAtt": ["Table", "StreamArn"]})),
            ("a: !GetAtt Stack.Outputs.Arn", json!({"Fn::GetAtt": ["Stack", "Outputs.Arn"]})),
            (
                "a: !If [Live, !Ref X, !Ref AWS::NoValue]",
                json!({"Fn::If": ["Live", {"Ref": "X"}, {"Ref": "AWS::NoValue"}]}),
            ),
            ("a: !Equals [!Ref Stage, live]", json!({"Fn::Equals": [{"Ref": "Stage"}, "live"]})),
            ("a: !Join\n  - ''\n  - [x, 1]", json!({"Fn::Join": ["", ["x", 1]]})),
            ("a: !Condition Live", json!({"Condition": "Live"})),
            ("a: {Fn::Sub: '${x}'}", json!({"Fn::Sub": "${x}"})),
        ];
        for (yaml, expected) in table {
            assert_eq!(parse(yaml).unwrap(), json!({"a": expected}), "{yaml}");
        }
    }

    #[test]
    fn scalars_keep_their_kind() {
        let yaml = "{a: 1, b: '1', c: true, d: ~, e: 0.5, f: 2012-10-17, 9: x, g: &it [1], h: *it}";
        assert_eq!(
            parse(yaml).unwrap(),
            json!({
                "a": 1, "b": "1", "c": true, "d": null, "e": 0.5, "f": "2012-10-17", "9": "x",
                "g": [1], "h": [1],
            })
        );
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        for yaml in ["a: .nan", "? [a]\n: 1", "a: [", "", "a: 1\n---\nb: 2", "a: 1\na: 2"] {
            assert!(matches!(parse(yaml), Err(TemplateError::Yaml(_))), "{yaml:?}");
        }
    }
}
