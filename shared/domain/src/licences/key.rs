//! Licence keys: what people type into a product.
//!
//! Invariant: a key is 8 to 255 visible ASCII characters. A key that Purser makes has at least 64 random bits, and keys
//! that differ only in the case of a form in which case says nothing are the same key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::basic::text::{TextError, check};
use crate::basic::time::Time;

/// The symbols of keys: digits and letters without those that look alike.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: &[u8; 10] = b"0123456789";
/// The random bits that a pattern must have at least.
const LEAST_BITS: u32 = 64;
/// How many random bytes the making of a key uses at most: one for each character of the longest pattern.
pub const RANDOM_BYTES: usize = 64;

/// A licence key in clear text. `Debug` does not show the key, so it can't get into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LicenceKey(String);

#[cfg(feature = "schema")]
crate::value_schema!(
    LicenceKey,
    "A licence key: 8 to 255 visible ASCII characters.",
    pattern(8, 255, "^[!-~]+$"),
    "7ZK3M-9QWX2-ABCDE-F0123"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 8 to 255 visible ASCII characters")]
pub struct LicenceKeyError;

impl LicenceKey {
    /// The key in clear text, as it was made or given.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The one spelling by which a key is found. In the forms that Purser makes, case says nothing.
    pub fn canonical(&self) -> String {
        let groups: Vec<&str> = self.0.split('-').collect();
        let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let all = |holds: fn(&u8) -> bool| groups.iter().all(|group| group.bytes().all(|byte| holds(&byte)));
        if sizes == [8, 4, 4, 4, 12] && all(u8::is_ascii_hexdigit) {
            return self.0.to_ascii_lowercase();
        }
        let of_five = sizes.len() > 1 && sizes.iter().all(|size| *size == 5);
        if (of_five || sizes == [26]) && all(|byte| SYMBOLS.contains(&byte.to_ascii_uppercase())) {
            return self.0.to_ascii_uppercase();
        }
        self.0.clone()
    }

    /// What lists show of the key: the end of its last group, at most a quarter of the key (rule C9).
    pub fn hint(&self) -> KeyHint {
        let last = self.0.rsplit('-').next().unwrap_or_default();
        let most = self.0.len() / 4;
        let shown = last.len().min(most);
        KeyHint(last.get(last.len() - shown..).unwrap_or_default().to_owned())
    }
}

impl TryFrom<String> for LicenceKey {
    type Error = LicenceKeyError;

    fn try_from(text: String) -> Result<Self, LicenceKeyError> {
        let fits = (8..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(LicenceKeyError) }
    }
}

impl From<LicenceKey> for String {
    fn from(key: LicenceKey) -> Self {
        key.0
    }
}

impl fmt::Debug for LicenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LicenceKey(…)")
    }
}

/// What somebody typed in as a licence key, which need not be one. It may be, so it is not shown either.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TypedKey(String);

#[cfg(feature = "schema")]
crate::value_schema!(TypedKey, "A licence key as somebody typed it.", text(255), "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA");

impl TypedKey {
    /// The key, if it has the form of one. Who copies a key often copies spaces with it.
    pub fn key(self) -> Option<LicenceKey> {
        LicenceKey::try_from(self.0.trim().to_owned()).ok()
    }
}

impl TryFrom<String> for TypedKey {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        check(&text, 255)?;
        Ok(Self(text))
    }
}

impl fmt::Debug for TypedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedKey(…)")
    }
}

/// The end of a key, by which people tell their keys apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct KeyHint(String);

/// The form in which the keys of a product are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeyFormat {
    /// Four groups of five symbols: 100 random bits.
    Groups,
    /// A random UUID: 122 random bits.
    Uuid,
    /// A ULID: the time, and 80 random bits.
    Ulid,
    Pattern(KeyPattern),
}

/// A text in which each `*` stands for a random symbol and each `#` for a random digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern(String);

#[cfg(feature = "schema")]
crate::value_schema!(
    KeyFormat,
    "The form of new keys: `groups` (four groups of five symbols), `uuid`, `ulid`, or a pattern of 8 to 64 letters, \
     digits and - . _ in which each * stands for a random symbol of 32 and each # for a random digit, with at least \
     64 random bits.",
    formal(pattern(4, 64, "^[A-Za-z0-9._*#-]+$"), "key-format"),
    "groups"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be groups, uuid, ulid or a pattern of 8 to 64 letters, digits and - . _ * #, in which * (5 random bits) and \
     # (3.3 random bits) come to at least 64 random bits"
)]
pub struct KeyFormatError;

impl TryFrom<String> for KeyFormat {
    type Error = KeyFormatError;

    fn try_from(text: String) -> Result<Self, KeyFormatError> {
        match text.as_str() {
            "groups" => return Ok(Self::Groups),
            "uuid" => return Ok(Self::Uuid),
            "ulid" => return Ok(Self::Ulid),
            _ => {}
        }
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*#".contains(&byte);
        let count = |wanted: u8| text.bytes().filter(|byte| *byte == wanted).map(|_| 1_u32).sum::<u32>();
        // In tenths of a bit: a digit is drawn from a byte, so that some are as likely as 26 in 256.
        let bits = count(b'*') * 50 + count(b'#') * 33;
        let fits = (8..=RANDOM_BYTES).contains(&text.len()) && text.bytes().all(known) && bits >= LEAST_BITS * 10;
        if fits { Ok(Self::Pattern(KeyPattern(text))) } else { Err(KeyFormatError) }
    }
}

impl From<KeyFormat> for String {
    fn from(format: KeyFormat) -> Self {
        match format {
            KeyFormat::Groups => "groups".to_owned(),
            KeyFormat::Uuid => "uuid".to_owned(),
            KeyFormat::Ulid => "ulid".to_owned(),
            KeyFormat::Pattern(KeyPattern(text)) => text,
        }
    }
}

impl KeyFormat {
    /// The hint of a key that was made of this form: of a pattern, it shows at most a quarter of what is random.
    pub fn hint(&self, key: &LicenceKey) -> KeyHint {
        let Self::Pattern(KeyPattern(pattern)) = self else { return key.hint() };
        let is_random = |byte: &u8| b"*#".contains(byte);
        let most = pattern.bytes().filter(is_random).count() / 4;
        let KeyHint(shown) = key.hint();
        let mut random = 0;
        let fits = pattern.bytes().rev().take(shown.len()).take_while(|byte| {
            random += usize::from(is_random(byte));
            random <= most
        });
        let kept = fits.count();
        KeyHint(shown.get(shown.len() - kept..).unwrap_or_default().to_owned())
    }

    /// Makes a key of this form from random bytes.
    pub fn make(&self, now: Time, random: [u8; RANDOM_BYTES]) -> LicenceKey {
        let text = match self {
            Self::Groups => filled("*****-*****-*****-*****", &random),
            Self::Pattern(KeyPattern(pattern)) => filled(pattern, &random),
            Self::Ulid => ulid(now, &random),
            Self::Uuid => uuid(random),
        };
        LicenceKey(text)
    }
}

/// The pattern with random symbols and digits.
fn filled(pattern: &str, random: &[u8; RANDOM_BYTES]) -> String {
    let mut bytes = random.iter();
    let mut drawn = |symbols: &[u8], c: char| {
        let drawn = bytes.next().map(|byte| usize::from(*byte) % symbols.len());
        drawn.and_then(|place| symbols.get(place)).map_or(c, |symbol| char::from(*symbol))
    };
    let symbol = |c: char| match c {
        '*' => drawn(SYMBOLS, c),
        '#' => drawn(DIGITS, c),
        c => c,
    };
    pattern.chars().map(symbol).collect()
}

/// The time in milliseconds as ten symbols, and sixteen random ones.
fn ulid(now: Time, random: &[u8; RANDOM_BYTES]) -> String {
    let ms = u64::try_from(now.unix_milliseconds()).unwrap_or_default();
    let of_time = (0..10_u32).rev().map(|place| (ms >> (place * 5)) % 32);
    let of_chance = random.iter().take(16).map(|byte| u64::from(byte % 32));
    let symbol = |value: u64| usize::try_from(value).ok().and_then(|it| SYMBOLS.get(it)).map_or('0', |it| (*it).into());
    of_time.chain(of_chance).map(symbol).collect()
}

fn uuid(random: [u8; RANDOM_BYTES]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(random.split_at(16).0);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> LicenceKey {
        LicenceKey::try_from(text.to_owned()).unwrap()
    }

    fn format(text: &str) -> Result<KeyFormat, KeyFormatError> {
        KeyFormat::try_from(text.to_owned())
    }

    #[test]
    fn no_key_gets_into_a_log() {
        let text = "7KQ2M-9XR4T-HW3JD-P6C8V-N5BFA";
        let key = LicenceKey::try_from(text.to_owned()).unwrap();
        let typed = TypedKey::try_from(text.to_owned()).unwrap();
        assert!(!format!("{key:?} {typed:?}").contains("7KQ2M"));
        assert_eq!(typed.key(), Some(key));
        assert_eq!(TypedKey::try_from("no key".to_owned()).unwrap().key(), None);
    }

    #[test]
    fn a_key_is_visible_and_not_short() {
        for bad in ["", "1234567", "1234 678", "12345678\n", "schlüssel", &"x".repeat(256)] {
            assert!(LicenceKey::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(LicenceKey::try_from("x".repeat(255)).is_ok());
        assert_eq!(format!("{:?}", key("12345678")), "LicenceKey(…)");
    }

    #[test]
    fn case_says_nothing_in_the_forms_that_purser_makes() {
        for (text, canonical) in [
            ("0B8F5C2E-3B1D-4E0A-9C55-0123456789AB", "0b8f5c2e-3b1d-4e0a-9c55-0123456789ab"),
            ("7zk3m-9qwx2-abcde-f0123", "7ZK3M-9QWX2-ABCDE-F0123"),
            ("01arz3ndektsv4rrffq69g5fav", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            ("7zk3m-9qwx2-abcde-il012", "7zk3m-9qwx2-abcde-il012"),
            ("old-Key_1", "old-Key_1"),
            ("AbCdEfGh", "AbCdEfGh"),
        ] {
            assert_eq!(key(text).canonical(), canonical);
        }
    }

    #[test]
    fn a_hint_is_the_end_and_at_most_a_quarter() {
        for (text, hint) in [
            ("7ZK3M-9QWX2-ABCDE-F0123", "F0123"),
            ("0b8f5c2e-3b1d-4e0a-9c55-0123456789ab", "3456789ab"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "9G5FAV"),
            ("12345678", "78"),
            ("1234567-", ""),
            ("ACME-1234567890-AB", "AB"),
        ] {
            assert_eq!(key(text).hint(), KeyHint(hint.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_pattern_with_too_few_random_bits_is_refused() {
        for (text, fits) in [
            ("*************", true),
            ("************", false),
            ("####################", true),
            ("###################", false),
            ("ACME-*****-*****-***", true),
            ("ACME-****-****-****-#", false),
            ("ACME-****-****-****-##", true),
            ("ACME *************", false),
            ("ACME+*************", false),
            ("groups", true),
            ("uuid", true),
            ("ulid", true),
            ("Groups", false),
            ("", false),
        ] {
            assert_eq!(format(text).is_ok(), fits, "{text}");
            if let Ok(format) = format(text) {
                assert_eq!(String::from(format), text);
            }
        }
        assert!(format(&"*".repeat(64)).is_ok() && format(&"*".repeat(65)).is_err());
    }

    #[test]
    fn the_hint_of_a_pattern_shows_a_quarter_of_what_is_random() {
        for (pattern, key, hint) in [
            ("ACME-*****-*****-*****", "ACME-ABCDE-FGHJK-MNPQR", "PQR"),
            (
                "A-VERY-LONG-PREFIX-OF-A-VENDOR-WHO-LIKES-NAMES-1-*************",
                "A-VERY-LONG-PREFIX-OF-A-VENDOR-WHO-LIKES-NAMES-1-ABCDEFGHJKMNP",
                "MNP",
            ),
            ("####################-X9", "01234567890123456789-X9", "X9"),
        ] {
            assert_eq!(format(pattern).unwrap().hint(&super::tests::key(key)), KeyHint(hint.to_owned()), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_key_has_the_form_of_its_format(random in prop::array::uniform32(any::<u8>())) {
            let mut bytes = [0; RANDOM_BYTES];
            bytes[..32].copy_from_slice(&random);
            bytes[32..].copy_from_slice(&random);
            let now = Time::try_from("2026-01-31T00:00:00Z".to_owned()).unwrap();
            for text in ["groups", "uuid", "ulid", "A.b_*****-*****-*****-##"] {
                let made = format(text).unwrap().make(now, bytes);
                let again = LicenceKey::try_from(made.reveal().to_owned());
                prop_assert_eq!(again.as_ref(), Ok(&made));
                prop_assert_eq!(made.canonical(), made.reveal());
            }
            let uuid = format("uuid").unwrap().make(now, bytes);
            let (version, variant) = (uuid.reveal().chars().nth(14), uuid.reveal().chars().nth(19));
            prop_assert!(version == Some('4') && variant.is_some_and(|it| "89ab".contains(it)));
            let ulid = format("ulid").unwrap().make(now, bytes);
            prop_assert!(ulid.reveal().starts_with("01KG8NJW00"), "{}", ulid.reveal());
            let pattern = format("A.b_*****-*****-*****-##").unwrap().make(now, bytes);
            prop_assert!(pattern.reveal().starts_with("A.b_"));
            prop_assert!(pattern.reveal().bytes().rev().take(2).all(|it| it.is_ascii_digit()));
        }
    }
}
