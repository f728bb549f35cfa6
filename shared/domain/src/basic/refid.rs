//! Refids: public ids like `CL-7ZK3M9QWX2ABCDEF`, by which URLs name most things.
//!
//! Invariant: a refid is a prefix and 16 symbols (80 bits) of Crockford's base 32, which has no look-alikes. It
//! contains no separator of table keys. Text that is not a refid is treated like the id of something that does not
//! exist, so a request body reads refids as `String`, and only the schema asks for the form of a refid.

use std::borrow::Cow;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use derive_more::{Display, Into};
use serde::{Deserialize, Serialize};

/// The random bytes of a refid: 80 bits.
pub const BYTES: usize = 10;
const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 16;

/// Crockford's base 32 in upper case. The fallback can't happen: any test that makes a refid would detect a wrong
/// specification.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str(SYMBOLS);
    specification.encoding().unwrap_or(data_encoding::BASE32HEX_NOPAD)
});

/// The beginning of a refid: 1 to 8 capital letters and a dash. A deployment can set those of clients and resellers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Cow<'static, str>);

impl Prefix {
    pub const USER: Self = Self(Cow::Borrowed("US-"));
    pub const LICENCE: Self = Self(Cow::Borrowed("LI-"));
    pub const ENTRY: Self = Self(Cow::Borrowed("PV-"));
    pub const API_KEY: Self = Self(Cow::Borrowed("AK-"));
    pub const ACTIVATION: Self = Self(Cow::Borrowed("AC-"));
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a refid prefix must be 1 to 8 capital letters and a dash, like CL-")]
pub struct PrefixError;

impl std::str::FromStr for Prefix {
    type Err = PrefixError;
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let letters = text.strip_suffix('-').ok_or(PrefixError)?;
        if is_prefix(letters) { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(PrefixError) }
    }
}

fn is_prefix(letters: &str) -> bool {
    (1..=8).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_refid(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, code)| is_prefix(letters) && is_code(code))
}

/// Whether `text` could come from [`code`].
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == CODE_LENGTH && text.bytes().all(|byte| SYMBOLS.as_bytes().contains(&byte))
}

/// Encodes 80 bits as 16 symbols.
pub fn code(bits: [u8; BYTES]) -> String {
    CROCKFORD.encode(&bits)
}

/// The code of an item that has no refid, such as the record of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Display, Into)]
#[serde(try_from = "String", into = "String")]
pub struct RecordCode(String);

impl RecordCode {
    pub fn new(bits: [u8; BYTES]) -> Self {
        Self(code(bits))
    }
}

impl TryFrom<String> for RecordCode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_code(&text) { Ok(Self(text)) } else { Err("a code has 16 symbols of Crockford's base 32") }
    }
}

macro_rules! refids {
    ($($(#[doc = $says:literal])+ $name:ident $example:literal)*) => {$(
        #[cfg(feature = "schema")]
        $crate::value_schema!($name, concat!($($says),+), refid(CODE_LENGTH), $example);

        $(#[doc = $says])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, Into)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(prefix: &Prefix, bits: [u8; BYTES]) -> Self {
                Self(format!("{}{}", prefix.0, code(bits)))
            }

            pub fn parse(text: &str) -> Option<Self> {
                is_refid(text).then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                if is_refid(&text) { Ok(Self(text)) } else { Err("must be a refid") }
            }
        }

    )*};
}

refids! {
    /// The id of a client, like `CL-7ZK3M9QWX2ABCDEF`.
    ClientRefid "CL-7ZK3M9QWX2ABCDEF"
    /// The id of a reseller, like `RS-7ZK3M9QWX2ABCDEF`.
    ResellerRefid "RS-7ZK3M9QWX2ABCDEF"
    /// The id of a user, like `US-7ZK3M9QWX2ABCDEF`.
    UserRefid "US-7ZK3M9QWX2ABCDEF"
    /// The id of a licence, like `LI-7ZK3M9QWX2ABCDEF`.
    LicenceRefid "LI-7ZK3M9QWX2ABCDEF"
    /// The id of an activation, like `AC-7ZK3M9QWX2ABCDEF`.
    ActivationRefid "AC-7ZK3M9QWX2ABCDEF"
    /// The id of a ledger entry, like `PV-7ZK3M9QWX2ABCDEF`. The entry of a purchase has the id of its provision.
    EntryRefid "PV-7ZK3M9QWX2ABCDEF"
    /// The id of an API key, like `AK-7ZK3M9QWX2ABCDEF`.
    ApiKeyRefid "AK-7ZK3M9QWX2ABCDEF"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refid_reads_back_and_look_alikes_do_not() {
        let prefix: Prefix = "CL-".parse().unwrap();
        let refid = ClientRefid::new(&prefix, [0xA5; BYTES]);
        assert_eq!(refid.as_str().len(), 19);
        assert_eq!(ClientRefid::parse(refid.as_str()), Some(refid));
        assert_eq!(CROCKFORD.encode(&[0, 0x44, 0x32, 0x14, 0xC7]), "0123456 7".replace(' ', ""));
        for bad in [
            "",
            "CL-",
            "CL",
            "CL-ABC",
            "cl-0123456789ABCDEF",
            "CL-0123456789ABCDEI",
            "CL-0123456789ABCDE#",
            "-0123456789ABCDEF",
        ] {
            assert_eq!(ClientRefid::parse(bad), None, "{bad}");
        }
        for bad in ["CL", "cl-", "-", "TOOLONGPREFIX-", "C1-"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
