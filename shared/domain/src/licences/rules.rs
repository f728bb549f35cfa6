//! What a licence allows: features by their codes, domains and network addresses.
//!
//! Invariant: a domain is stored as it is compared: without scheme, port, `www.` and trailing dot, in lower case and
//! ASCII. An address range has no bits beyond its length.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::basic::stored::is_stored;
use crate::basic::text::{TextError, shows_nothing, text_type};

/// Features, domains and address ranges: how many of each a licence may have at most. They are read with each
/// validation, so they must be few.
pub const MOST_RULES: usize = 32;

text_type!(
    /// The code of a feature that a program offers to holders of a licence that has it.
    Feature,
    check |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(()) } else { Err(TextError::Malformed("must be 1 to 64 letters, digits or . _ : -")) }
    },
    schema pattern(1, 64, "^[A-Za-z0-9._:-]+$"),
    as "Feature", example "export.pdf"
);

/// The name of a host, as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, derive_more::Display)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

#[cfg(feature = "schema")]
crate::value_schema!(
    Domain,
    "The domain that an installation runs on. Scheme, port, path, `www.` and a trailing dot make no difference.",
    formal(pattern(1, 255, r"^[^\s\u0000-\u001f\u007f-\u009f]+$"), "domain"),
    "shop.example.com"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a host, such as shop.example.com")]
pub struct DomainError;

impl Domain {
    /// Whether it is a name that only developers' machines have, which every licence allows.
    pub fn is_local(&self) -> bool {
        let top = self.0.rsplit_once('.').map(|(_, top)| top);
        self.0 == "localhost" || matches!(top, Some("local" | "test"))
    }
}

/// Whether `www.` makes no difference in a text. It does in what is stored, from which it was taken once, and below
/// `*.`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Www {
    Stripped,
    Kept,
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        Self::read(&text, if is_stored() { Www::Kept } else { Www::Stripped })
    }
}

impl Domain {
    fn read(text: &str, www: Www) -> Result<Self, DomainError> {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()) => host,
            _ => host,
        };
        let host = idna::domain_to_ascii_strict(host.strip_suffix('.').unwrap_or(host)).map_err(|_| DomainError)?;
        let host = host.strip_prefix("www.").filter(|_| www == Www::Stripped).unwrap_or(&host);
        let label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
        };
        let seen = !text.chars().any(shows_nothing);
        let fits = seen && text.len() <= 255 && host.len() <= 253 && host.split('.').all(label);
        if fits { Ok(Self(host.to_owned())) } else { Err(DomainError) }
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

/// Which domains a licence allows: one, or with `*.` everything below one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainRule {
    domain: Domain,
    /// Whether it is for everything below the domain, and not for the domain.
    below: bool,
}

#[cfg(feature = "schema")]
crate::value_schema!(
    DomainRule,
    "A domain that a licence allows; with `*.` before it, everything below the domain, but not the domain itself.",
    formal(pattern(1, 255, r"^[^\s\u0000-\u001f\u007f-\u009f]+$"), "domain"),
    "*.example.com"
);

impl DomainRule {
    pub fn allows(&self, domain: &Domain) -> bool {
        if !self.below {
            return *domain == self.domain;
        }
        let above = domain.0.strip_suffix(self.domain.0.as_str()).and_then(|above| above.strip_suffix('.'));
        above.is_some_and(|above| !above.is_empty())
    }
}

impl fmt::Display for DomainRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", if self.below { "*." } else { "" }, self.domain)
    }
}

impl TryFrom<String> for DomainRule {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        match text.strip_prefix("*.") {
            Some(rest) => Ok(Self { domain: Domain::read(rest, Www::Kept)?, below: true }),
            None => Ok(Self { domain: Domain::try_from(text)?, below: false }),
        }
    }
}

impl From<DomainRule> for String {
    fn from(rule: DomainRule) -> Self {
        rule.to_string()
    }
}

/// A range of network addresses (CIDR), of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange(IpNet);

#[cfg(feature = "schema")]
crate::value_schema!(
    IpRange,
    "A range of network addresses (CIDR), or one address.",
    formal(pattern(2, 49, "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"), "cidr"),
    "203.0.113.0/24"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address or a range of addresses, such as 203.0.113.0/24 or 2001:db8::/32")]
pub struct IpRangeError;

impl IpRange {
    /// Whether the address is in the range. An IPv4 address that is written as an IPv6 one is an IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for IpRange {
    type Error = IpRangeError;

    fn try_from(text: String) -> Result<Self, IpRangeError> {
        let range: IpNet = match text.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().into(),
            Err(_) => text.parse().map_err(|_| IpRangeError)?,
        };
        Ok(Self(unmapped(range).trunc()))
    }
}

/// A range of IPv4 addresses that is written as one of IPv6 is one of IPv4.
fn unmapped(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else { return range };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(range, IpNet::V4)
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::as_stored;

    fn domain(text: &str) -> Result<String, DomainError> {
        Domain::try_from(text.to_owned()).map(String::from)
    }

    #[test]
    fn a_domain_is_compared_in_one_spelling() {
        for (text, compared) in [
            ("example.com", "example.com"),
            ("https://WWW.Example.COM:8443/shop?x#y", "example.com"),
            ("example.com.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("localhost:3000", "localhost"),
            ("www.www.example.com", "www.example.com"),
            ("203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(domain(text), Ok(compared.to_owned()), "{text}");
            let stored = as_stored(|| domain(compared));
            assert_eq!(stored, Ok(compared.to_owned()), "{text}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            ".",
            "https://",
            "a..b",
            "-a.example",
            "a b.example",
            "a_b.example",
            "[::1]",
            &long,
            "*.a.b",
            "a\u{200b}.b",
        ] {
            assert_eq!(domain(text), Err(DomainError), "{text}");
        }
    }

    #[test]
    fn a_rule_is_for_a_domain_or_for_everything_below_it() {
        for (rule, domain, allowed) in [
            ("example.com", "www.example.com", true),
            ("example.com", "shop.example.com", false),
            ("*.example.com", "shop.example.com", true),
            ("*.example.com", "a.shop.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "www.example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.www.example.com", "shop.example.com", false),
            ("*.Bücher.example", "a.xn--bcher-kva.example", true),
        ] {
            let read = DomainRule::try_from(rule.to_owned()).unwrap();
            let domain = Domain::try_from(domain.to_owned()).unwrap();
            assert_eq!(read.allows(&domain), allowed, "{rule} {domain}");
        }
        for (text, local) in [("localhost", true), ("a.test", true), ("a.local", true), ("test", false)] {
            assert_eq!(Domain::try_from(text.to_owned()).unwrap().is_local(), local, "{text}");
        }
        assert!(DomainRule::try_from("*.*.example.com".to_owned()).is_err());
    }

    #[test]
    fn a_range_holds_addresses_of_its_family() {
        for (range, shown, address, held) in [
            ("203.0.113.0/24", "203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.77/24", "203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7/32", "203.0.113.7", true),
            ("203.0.113.0/24", "203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24", "203.0.113.9", true),
            ("2001:DB8::/32", "2001:db8::/32", "2001:db8:ffff::1", true),
            ("::/0", "::/0", "203.0.113.9", false),
            ("0.0.0.0/0", "0.0.0.0/0", "2001:db8::1", false),
        ] {
            let range = IpRange::try_from(range.to_owned()).unwrap();
            assert_eq!((range.to_string().as_str(), range.holds(address.parse().unwrap())), (shown, held), "{address}");
        }
        for text in ["", "203.0.113.0/33", "203.0.113/24", "::/129", "example.com", "203.0.113.0/-1"] {
            assert!(IpRange::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
