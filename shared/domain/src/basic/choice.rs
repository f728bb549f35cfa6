//! Enums without fields, read from text.
//!
//! Invariant: a choice is read from its name alone. serde's own reader also takes an object whose only member has that
//! name.

/// A name that is none of the choices. People read the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {}", in_words(_0))]
pub struct UnknownChoice(pub(crate) &'static [&'static str]);

fn in_words(choices: &[&str]) -> String {
    match choices.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => choices.concat(),
    }
}

/// Implements what `serde(try_from = "String")` needs, for enums that derive `EnumString` and `VariantNames`.
macro_rules! read_by_name {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = $crate::basic::choice::UnknownChoice;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let unknown = $crate::basic::choice::UnknownChoice(<Self as strum::VariantNames>::VARIANTS);
                text.parse().map_err(|_| unknown)
            }
        }
    };
}
pub(crate) use read_by_name;

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use crate::money::Tier;

    #[test]
    fn a_choice_is_read_from_its_name_alone() {
        assert_eq!(from_value::<Tier>(json!("gold")).unwrap(), Tier::Gold);
        for other in [json!({"gold": null}), json!("Gold"), json!("tin"), json!(1), json!(null), json!(["gold"])] {
            assert!(from_value::<Tier>(other.clone()).is_err(), "{other}");
        }
        let told = from_value::<Tier>(json!("tin")).unwrap_err().to_string();
        assert_eq!(told, "must be standard, gold or platinum");
        assert_eq!(serde_json::to_value(Tier::Gold).unwrap(), "gold");
    }
}
