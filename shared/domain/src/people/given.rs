//! What people present as a proof besides a password: tokens, devices, codes and answers to a challenge.
//!
//! Invariant: each value has the form of Purser's own values, as far as it is public. The code that stores genuine
//! values decides whether a value is genuine. `Debug` shows none of them.

use serde::Deserialize;

use crate::basic::text::TextError;

fn visible(text: &str, most: usize) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Blank);
    }
    if text.chars().count() > most {
        return Err(TextError::TooLong(most));
    }
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    visible.then_some(()).ok_or(TextError::Malformed("must be visible ASCII"))
}

fn code(text: &str, most: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    if text.chars().count() > most {
        return Err(TextError::TooLong(most));
    }
    let symbol = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-';
    text.bytes().all(symbol).then_some(()).ok_or(TextError::Malformed("must be letters, digits, spaces and dashes"))
}

macro_rules! given {
    ($($(#[doc = $says:literal])+ $name:ident as $shown:literal, $check:ident $most:literal, $example:literal;)*) => {$(
        #[cfg(feature = "schema")]
        crate::value_schema!($name as $shown, concat!($($says),+), $check($most), $example);

        $(#[doc = $says])+
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                $check(&text, $most)?;
                Ok(Self(text))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

given! {
    /// The token of a link in an e-mail; opaque.
    GivenToken as "Token", visible 128, "q0aVnAhvbOEdpGvmVCS1Ib1qD9rKc4oS3kWwqT2m1uY";
    /// Shows that the user has signed in from this device before; opaque.
    GivenDevice as "Device", visible 128, "US-7ZK3M9QWX2ABCDEF.7ZK3M9QWX2ABCDEF.2.1811808000.kA3p7c0dS9yYq1mUe5oXbA";
    /// Six digits from an authenticator app, or a recovery code.
    GivenCode as "Code", code 64, "123456";
    /// The token of a solved CAPTCHA challenge, or what reCAPTCHA gave to the page; opaque.
    GivenChallenge as "Challenge", visible 8192, "q0aVnAhvbOEdpGvmVCS1Ib1qD9rKc4oS3kWwqT2m1uY";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ours_can_not_be_is_refused() {
        let token = |text: &str| GivenToken::try_from(text.to_owned());
        assert_eq!(token(""), Err(TextError::Blank));
        assert_eq!(token(&"x".repeat(129)), Err(TextError::TooLong(128)));
        for text in ["a b", "é", "a\u{7f}", "\u{202e}a"] {
            assert!(token(text).is_err(), "{text:?}");
        }
        assert_eq!(token("q0aV-_.~").unwrap().as_str(), "q0aV-_.~");
    }

    #[test]
    fn a_code_is_taken_however_it_is_grouped() {
        let code = |text: &str| GivenCode::try_from(text.to_owned());
        for text in ["123456", "123 456", "7ZK3-M9QW-X2AB-CDEF", "7zk3m9qwx2abcdef"] {
            assert_eq!(code(text).unwrap().as_str(), text);
        }
        for text in ["", " ", "12345é", "1\n2", &"1".repeat(65)] {
            assert!(code(text).is_err(), "{text:?}");
        }
        assert_eq!(format!("{:?}", code("123456")), "Ok(GivenCode(…))");
    }
}
