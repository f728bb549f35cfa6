//! Text that people type: any script and emoji, stored as given, within a length.
//!
//! Invariant: no control character and no bidirectional override is ever stored, so what a page or a mail
//! shows reads in the order it was written (docs/rules.md, "Text").

/// Why a piece of text is refused. The message is meant for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be blank")]
    Blank,
    /// More Unicode scalar values than allowed.
    #[error("must be at most {0} characters")]
    TooLong(usize),
    /// A control character or a bidirectional override.
    #[error("must not contain control characters or bidirectional overrides")]
    Forbidden,
    /// The text has not the form its type asks for.
    #[error("{0}")]
    Malformed(&'static str),
}

/// Whether `c` may stand in stored text.
pub fn is_allowed(c: char) -> bool {
    let overrides = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !overrides
}

/// Checks text against the rules above; lengths count Unicode scalar values.
pub fn check(text: &str, most: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    if text.chars().count() > most {
        return Err(TextError::TooLong(most));
    }
    if !text.chars().all(is_allowed) {
        return Err(TextError::Forbidden);
    }
    Ok(())
}

/// Defines a newtype around text that passed `$check`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::basic::text::TextError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let check: fn(&str) -> Result<(), Self::Error> = $check;
                check(&text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_type;

text_type!(
    /// The name of a client, a company, a product or a key: 1 to 255 characters (rule A1).
    Name,
    |text| check(text, 255)
);
text_type!(
    /// A telephone number as people write it: 1 to 64 characters.
    Phone,
    |text| check(text, 64)
);
text_type!(
    /// What a ledger entry is for: 1 to 500 characters.
    Description,
    |text| check(text, 500)
);
text_type!(
    /// The caller's own name of a top-up or transfer, unique per wallet and kind: 1 to 255 characters (rule B4).
    Reference,
    |text| check(text, 255)
);
text_type!(
    /// The id other systems know a client by: 1 to 255 characters, never changed (rule A1).
    ClientId,
    |text| check(text, 255)
);

impl ClientId {
    /// The id of a client that was given none: `uuid`, as text.
    pub fn from_uuid(uuid: &str) -> Result<Self, TextError> {
        Self::try_from(uuid.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_script_and_emoji_is_text() {
        for name in ["Ünïcode", "شركة", "חברה", "株式会社", "🦀 & Söhne", "O'Brien <b>"] {
            assert_eq!(Name::try_from(name.to_owned()).map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_would_mislead_a_reader_is_refused() {
        for (name, error) in [
            ("", TextError::Blank),
            (" \u{a0}", TextError::Blank),
            ("a\nb", TextError::Forbidden),
            ("a\u{0}b", TextError::Forbidden),
            ("a\u{85}b", TextError::Forbidden),
            ("evil\u{202E}txt", TextError::Forbidden),
            ("evil\u{2066}txt", TextError::Forbidden),
        ] {
            assert_eq!(Name::try_from(name.to_owned()), Err(error), "{name:?}");
        }
        assert!(Name::try_from("é".repeat(255)).is_ok());
        assert_eq!(Name::try_from("é".repeat(256)), Err(TextError::TooLong(255)));
    }
}
