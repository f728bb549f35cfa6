//! E-mail addresses.
//!
//! Invariant: e-mails can be sent to an [`EmailAddress`]: it is valid, at most 254 bytes, and ASCII, with the domain
//! in its `xn--` form, because SES accepts no other. Two addresses are the same if they differ only in case (rule
//! A1).

use email_address::Options;

use crate::basic::stored::is_stored;
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
    let invalid = || TextError::Malformed("must be a valid e-mail address");
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let parsed = email_address::EmailAddress::parse_with_options(text, options).map_err(|_| invalid())?;
    if is_stored() {
        return Ok(());
    }
    // The quotation marks may be left out, so that one mailbox would have two addresses.
    if parsed.local_part().contains('"') {
        return Err(TextError::Malformed("must not have quotation marks before the @"));
    }
    if is_host(parsed.domain()) { Ok(()) } else { Err(invalid()) }
}

/// Top levels to which no e-mail can be sent over the internet (RFC 6761, 6762, 7686).
const NOWHERE: [&str; 5] = ["arpa", "invalid", "local", "localhost", "onion"];

/// Whether e-mails can be sent to a domain: labels of letters, digits and inner hyphens, and a top level of at least
/// two letters that is one of the internet.
fn is_host(domain: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    let lettered = top.len() > 1 && (top.bytes().all(|byte| byte.is_ascii_alphabetic()) || is_coded(top));
    domain.split('.').all(label) && lettered && !NOWHERE.iter().any(|it| top.eq_ignore_ascii_case(it))
}

/// Whether a label is a name in another script, coded in ASCII (RFC 5890).
fn is_coded(label: &str) -> bool {
    label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")) && label.len() > 4
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
    use crate::basic::stored::as_stored;

    #[test]
    fn addresses_are_checked_and_compared_without_case() {
        for good in ["a@b.co", "First.Last+tag@Example.COM", "x@xn--bcher-kva.xn--p1ai", "o'brien@3com.co.uk"] {
            assert!(EmailAddress::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let long = format!("{}@{}.com", "a".repeat(64), "b".repeat(186));
        for bad in
            ["", "a", "a@", "@b.co", "a@b", "a b@c.co", "A <a@b.co>", "a@[127.0.0.1]", "é@b.co", "a\n@b.co", &long]
        {
            assert!(EmailAddress::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        for bad in [
            "\"q1\"@example.com",
            "\"a_b\"@example.com",
            "ada@exa_mple.com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@example.123",
            "ada@example.1a",
            "ada@example.c",
            "ada@example.xn--",
            "ada@printer.local",
            "ada@HOST.LOCALHOST",
            "ada@example.invalid",
            "ada@example.onion",
            "ada@1.0.0.127.in-addr.arpa",
        ] {
            assert!(EmailAddress::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(as_stored(|| EmailAddress::try_from("\"q1\"@example.com".to_owned())).is_ok());
        assert!(as_stored(|| EmailAddress::try_from("ada@exa_mple.com".to_owned())).is_ok());
        let address = EmailAddress::try_from("Ops@Example.COM".to_owned());
        assert_eq!(address.map(|a| a.folded()), Ok("ops@example.com".to_owned()));
    }
}
