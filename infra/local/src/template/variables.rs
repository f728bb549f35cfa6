//! The environment that the template gives every function, as a laptop resolves it.
//!
//! Invariant: a value that only a deployment can compute is refused, not guessed. A reference to a resource becomes
//! the resource's logical id, which is unique as well.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{TemplateError, part, text_of};

/// Reads `Globals.Function.Environment.Variables`.
pub(super) fn read(template: &Value) -> Result<BTreeMap<String, String>, TemplateError> {
    let given = template.pointer("/Globals/Function/Environment/Variables");
    let Some(Value::Object(given)) = given else {
        return Ok(BTreeMap::new());
    };
    let parameters = part(template, "Parameters");
    let mut variables = BTreeMap::new();
    for (name, value) in given {
        let resolved = resolve(value, parameters).ok_or_else(|| TemplateError::Setting {
            at: format!("Globals: {name}"),
            setting: "Variables",
            expected: "text, a !Ref or a !GetAtt",
        })?;
        // A parameter without a default must be given at each deployment, so its variable is left out. The code that
        // reads the variables knows best what to do without it.
        variables.extend(resolved.map(|it| (name.clone(), it)));
    }
    Ok(variables)
}

/// The resolved value; the inner option is none for a parameter without a default, the outer one for a value that is
/// not supported.
fn resolve(value: &Value, parameters: &Value) -> Option<Option<String>> {
    if let Some(literal) = literal(value) {
        return Some(Some(literal));
    }
    if let Some(name) = text_of(value, "Ref") {
        return match parameters.get(name) {
            Some(parameter) => match part(parameter, "Default") {
                Value::Null => Some(None),
                default => literal(default).map(Some),
            },
            None => Some(Some(name.to_owned())),
        };
    }
    let resource = value.pointer("/Fn::GetAtt/0").and_then(Value::as_str);
    resource.map(|name| Some(name.to_owned()))
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Template;

    const TABLE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
";

    fn with(variables: &str) -> String {
        format!(
            "{TABLE}
Parameters:
  Currency: {{Type: String, Default: USD}}
  Threshold: {{Type: Number, Default: 500}}
  Sender: {{Type: String}}
Globals:
  Function:
    Environment:
      Variables: {variables}
"
        )
    }

    #[test]
    fn a_variable_is_its_literal_its_default_or_its_name() {
        let template = Template::parse(&with(
            "{A: text, B: 7, C: true, D: !Ref Currency, E: !Ref Threshold, F: !Ref Sender,
              G: !Ref Table, H: !GetAtt Table.Arn}",
        ));
        let variables = template.unwrap().variables();
        let expected =
            [("A", "text"), ("B", "7"), ("C", "true"), ("D", "USD"), ("E", "500"), ("G", "Table"), ("H", "Table")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, expected.into());
    }

    #[test]
    fn what_only_a_deployment_can_compute_is_refused() {
        for value in ["!Sub '${Table}-x'", "!If [Live, a, b]", "[a]", "~"] {
            let error = Template::parse(&with(&format!("{{A: {value}}}"))).unwrap_err();
            let expected = "template: Globals: A: `Variables` must be text, a !Ref or a !GetAtt";
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_template_may_have_no_variables() {
        assert!(Template::parse(TABLE).unwrap().variables().is_empty());
    }
}
