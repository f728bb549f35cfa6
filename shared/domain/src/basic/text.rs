//! Text that people type: any script and emoji, stored as given, up to a length.
//!
//! Invariant: no control character, no line or paragraph separator and no bidirectional override is taken, so pages and
//! e-mails show text in the order in which it was written and on one line. Text that shows nothing is blank
//! (docs/rules.md, "Text").

use unicode_normalization::UnicodeNormalization;

use crate::basic::stored::is_stored;

/// Why text is refused. People read the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is empty, or shows nothing.
    #[error("must not be blank")]
    Blank,
    /// The text has more Unicode scalar values than allowed.
    #[error("must be at most {0} characters")]
    TooLong(usize),
    #[error("must not contain control characters, line separators or bidirectional overrides")]
    Forbidden,
    #[error("must not contain characters that can't be seen")]
    Unseen,
    #[error("{0}")]
    Malformed(&'static str),
}

pub fn is_allowed(c: char) -> bool {
    let overrides = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    // Unicode assigns no characters to these, or only annotations that programs write for each other.
    let is_no_text = matches!(c, '\u{FDD0}'..='\u{FDEF}' | '\u{FFF9}'..='\u{FFFB}') || u32::from(c) & 0xFFFE == 0xFFFE;
    !c.is_control() && !overrides && (!(separates || is_no_text) || is_stored())
}

/// Whether a character shows nothing by itself: white space, and what Unicode calls default-ignorable, such as
/// zero-width, filler and tag characters and variation selectors; and the Braille pattern without dots.
pub fn shows_nothing(c: char) -> bool {
    let ignorable = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}');
    c.is_whitespace() || ignorable && !is_stored()
}

/// Checks text of any type: not blank, no forbidden characters, and at most `most` Unicode scalar values.
pub fn check(text: &str, most: usize) -> Result<(), TextError> {
    if text.chars().all(shows_nothing) {
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

/// Checks the name of something in another system: a text without characters that can't be seen, but for white space
/// and what forms emoji and letters of some scripts. Otherwise two names could look alike, and both be taken.
fn check_id(text: &str) -> Result<(), TextError> {
    check(text, 255)?;
    let mut before = ' ';
    for c in text.chars() {
        // Joiners, variations and flags follow what they form, which is never ASCII.
        let forms = matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0020}'..='\u{E007F}');
        let formed = forms && !before.is_ascii() && !before.is_whitespace();
        if shows_nothing(c) && !c.is_whitespace() && !formed && !is_stored() {
            return Err(TextError::Unseen);
        }
        before = c;
    }
    Ok(())
}

/// Defines a newtype for text that passed a check. Its doc comment is also its description in the API document.
macro_rules! text_type {
    ($(#[doc = $says:literal])+ $name:ident, most $most:literal, example $example:literal) => {
        $crate::basic::text::text_type!(
            $(#[doc = $says])+ $name,
            check |text: &str| $crate::basic::text::check(text, $most),
            schema text($most), as stringify!($name), example $example
        );
    };
    (
        $(#[doc = $says:literal])+ $name:ident,
        check $check:expr, schema $schema:expr, as $shown:expr, example $example:literal
    ) => {
        #[cfg(feature = "schema")]
        $crate::value_schema!($name as $shown, concat!($($says),+), $schema, $example);

        $(#[doc = $says])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, derive_more::Display, derive_more::Into)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
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

    };
}
pub(crate) use text_type;

text_type!(
    /// A name, in any script.
    Name, most 255, example "Acme Corporation"
);

impl Name {
    /// The visible ASCII characters of `text` as a name; a dash if there are none.
    pub(crate) fn of_ascii(text: &str) -> Self {
        let kept: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
        Self(if kept.is_empty() { "-".to_owned() } else { kept })
    }
}

text_type!(
    /// A telephone number, in any notation.
    Phone, most 64, example "+44 20 7946 0000"
);
text_type!(
    /// What a movement of credits is for.
    Description, most 500, example "First top-up"
);
text_type!(
    /// The caller's own name for a top-up or a transfer.
    Reference, check check_id, schema text(255), as "Reference", example "INV-2026-001"
);
text_type!(
    /// The id by which other systems know a client.
    ClientId, check check_id, schema text(255), as "ClientId", example "CUST-4711"
);

impl Reference {
    /// Prefixes that name what Purser itself enters.
    const RESERVED: [&str; 3] = ["reward:", "opening:", "invoice:"];

    /// The one spelling of a reference: without white space around it.
    #[must_use]
    pub fn canonical(&self) -> Self {
        Self(self.0.trim().to_owned())
    }

    /// Whether only Purser itself may use this reference.
    pub fn is_reserved(&self) -> bool {
        let folded = self.0.trim().nfkc().collect::<String>().to_lowercase();
        Self::RESERVED.iter().any(|prefix| folded.starts_with(prefix))
    }
}

impl ClientId {
    /// The one spelling of an id: without white space around it, and a UUID in lower case.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let trimmed = self.0.trim();
        Self(if is_uuid(trimmed) { trimmed.to_ascii_lowercase() } else { trimmed.to_owned() })
    }

    /// Whether the id has the form of a UUID, which nobody can guess.
    pub fn is_uuid(&self) -> bool {
        is_uuid(&self.0)
    }

    /// Under which other spellings a client with this id may be stored, from before there was one: as the id is given,
    /// and a UUID in capitals.
    pub fn older_spellings(&self) -> Vec<Self> {
        let canonical = self.canonical();
        let capitals = is_uuid(&canonical.0).then(|| Self(canonical.0.to_ascii_uppercase()));
        let mut older: Vec<Self> = [Some(self.clone()), capitals].into_iter().flatten().collect();
        older.dedup();
        older.retain(|it| *it != canonical);
        older
    }

    /// The id for a client whose caller gave none: `uuid` as text.
    pub fn from_uuid(uuid: &str) -> Result<Self, TextError> {
        Self::try_from(uuid.to_owned())
    }
}

/// Whether text has the form of a UUID: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    sizes == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::stored::as_stored;

    #[test]
    fn an_id_and_a_reference_have_one_spelling() {
        let upper = "01234567-89AB-CDEF-0123-456789ABCDEF";
        let lower = upper.to_lowercase();
        let padded = format!(" {upper}\u{a0}");
        for (given, canonical, older) in [
            ("CUST-1", "CUST-1", vec![]),
            (" CUST-1 ", "CUST-1", vec![" CUST-1 "]),
            ("cust-1", "cust-1", vec![]),
            (lower.as_str(), lower.as_str(), vec![upper]),
            (upper, lower.as_str(), vec![upper]),
            (padded.as_str(), lower.as_str(), vec![padded.as_str(), upper]),
        ] {
            let id = ClientId::try_from(given.to_owned()).unwrap();
            assert_eq!(id.canonical().as_str(), canonical);
            let spellings = id.older_spellings();
            assert_eq!(spellings.iter().map(ClientId::as_str).collect::<Vec<_>>(), older, "{given:?}");
        }
        for (text, reserved) in [("invoice:7", true), (" Reward:x", true), ("opening:", true), ("INV-7", false)] {
            let reference = Reference::try_from(text.to_owned()).unwrap();
            assert_eq!(reference.is_reserved(), reserved, "{text:?}");
            assert_eq!(reference.canonical().as_str(), text.trim());
        }
    }

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
            ("\u{200b}", TextError::Blank),
            ("\u{3164}\u{ffa0}\u{115f}", TextError::Blank),
            (" \u{feff}\u{2060}\u{e0061}\u{fe0f}\u{ad}", TextError::Blank),
            ("\u{2800}", TextError::Blank),
            ("a\u{2028}b", TextError::Forbidden),
            ("a\u{2029}", TextError::Forbidden),
            ("a\nb", TextError::Forbidden),
            ("a\u{0}b", TextError::Forbidden),
            ("a\u{85}b", TextError::Forbidden),
            ("evil\u{202E}txt", TextError::Forbidden),
            ("evil\u{2066}txt", TextError::Forbidden),
        ] {
            assert_eq!(Name::try_from(name.to_owned()), Err(error), "{name:?}");
        }
        for stored in ["\u{200b}", "a\u{2028}b"] {
            assert!(as_stored(|| Name::try_from(stored.to_owned())).is_ok(), "{stored:?}");
        }
        // Zero-width characters are part of some scripts and of emoji.
        for shown in ["👩\u{200d}🚀", "می\u{200c}خواهم", "❤\u{fe0f}"] {
            assert!(Name::try_from(shown.to_owned()).is_ok(), "{shown}");
        }
        assert!(Name::try_from("é".repeat(255)).is_ok());
        assert_eq!(Name::try_from("é".repeat(256)), Err(TextError::TooLong(255)));
    }

    #[test]
    fn in_an_identifier_every_character_can_be_seen() {
        for unseen in ["A\u{200b}", "\u{feff}A", "A\u{ad}B", "A\u{fe0f}", "A\u{e0020}", "A\u{2060}", "A\u{200c}B"] {
            assert_eq!(Reference::try_from(unseen.to_owned()), Err(TextError::Unseen), "{unseen:?}");
            assert_eq!(ClientId::try_from(unseen.to_owned()), Err(TextError::Unseen), "{unseen:?}");
            assert!(as_stored(|| ClientId::try_from(unseen.to_owned())).is_ok());
        }
        for formed in ["👩‍👩‍👧‍👦", "🏳️‍🌈", "می‌خواهم", "❤️"] {
            assert!(ClientId::try_from(formed.to_owned()).is_ok(), "{formed:?}");
        }
        let canonical = |text: &str| Reference::try_from(text.to_owned()).unwrap().canonical().0;
        assert_eq!(canonical("\u{3000}INV 7\u{a0}"), "INV 7");
        assert!(Reference::try_from("ｉnvoice:9".to_owned()).unwrap().is_reserved());
        for nothing in ["a\u{fdd0}", "a\u{ffff}", "a\u{1fffe}", "a\u{fff9}"] {
            assert_eq!(Name::try_from(nothing.to_owned()), Err(TextError::Forbidden), "{nothing:?}");
        }
    }
}
