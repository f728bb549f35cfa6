//! E-mail addresses.
//!
//! Invariant: e-mails can be sent to an [`EmailAddress`]: it is valid, at most 254 bytes, and ASCII, with the domain
//! in its `xn--` form, because SES accepts no other. Two addresses are the same if they differ only in case (rule
//! A1).

use email_address::Options;

use crate::basic::text::{Name, TextError, text_type};

/// The longest address, in bytes (RFC 5321).
const MOST: usize = 254;

text_type!(
    /// An e-mail address in ASCII, with the domain in its `xn--` form.
    EmailAddress,
    check check,
    schema formatted(KnownFormat::Email).max_length(Some(MOST)),
    as "Email", example "billing@acme.example"
);

fn check(text: &str) -> Result<(), TextError> {
    if text.len() > MOST {
        return Err(TextError::TooLong(MOST));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TextError::Malformed(
            "must be an ASCII e-mail address without spaces; write the domain in its xn-- form",
        ));
    }
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    email_address::EmailAddress::parse_with_options(text, options)
        .map(|_| ())
        .map_err(|_| TextError::Malformed("must be a valid e-mail address"))
}

impl EmailAddress {
    /// The same text for all spellings of one address, for comparisons and keys.
    pub fn folded(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }

    /// A name for somebody of whom only the address is known: what stands before the `@`.
    pub fn name(&self) -> Name {
        let (local, _) = self.as_str().rsplit_once('@').unwrap_or((self.as_str(), ""));
        Name::of_ascii(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_compared_without_case() {
        for good in ["a@b.co", "First.Last+tag@Example.COM", "x@xn--bcher-kva.example"] {
            assert!(EmailAddress::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let long = format!("{}@{}.com", "a".repeat(64), "b".repeat(186));
        for bad in
            ["", "a", "a@", "@b.co", "a@b", "a b@c.co", "A <a@b.co>", "a@[127.0.0.1]", "é@b.co", "a\n@b.co", &long]
        {
            assert!(EmailAddress::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let address = EmailAddress::try_from("Ops@Example.COM".to_owned());
        assert_eq!(address.map(|a| a.folded()), Ok("ops@example.com".to_owned()));
    }
}
