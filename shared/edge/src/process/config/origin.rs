//! Origins: where a page came from, as browsers write it (RFC 6454).
//!
//! Invariant: an [`Origin`] is exactly what a browser sends for it, so that comparing texts is enough, and nobody on
//! the way can pass for it: it is `https`, or a page of the reader's own machine.

use http::{HeaderValue, Uri};

/// The names of a machine that lead to nobody else.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// An origin, like `https://shop.example` or `http://localhost:5173`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = is_origin(text).then(|| HeaderValue::try_from(text).ok()).flatten();
        known.map(Self).ok_or_else(|| format!("must be an origin like https://shop.example, but one is {text:?}"))
    }

    /// The host, without a port.
    pub fn host(&self) -> &str {
        let text = self.0.to_str().unwrap_or_default();
        let named = text.split_once("://").map_or(text, |(_, named)| named);
        // An IPv6 address has colons of its own, within brackets.
        match named.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => named,
        }
    }
}

impl From<Origin> for HeaderValue {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl PartialEq<HeaderValue> for Origin {
    fn eq(&self, given: &HeaderValue) -> bool {
        self.0 == given
    }
}

fn is_origin(text: &str) -> bool {
    let Some((uri, given)) = text.parse::<Uri>().ok().zip(text.split_once("://").map(|(_, given)| given)) else {
        return false;
    };
    let (scheme, host) = (uri.scheme_str(), uri.host().unwrap_or_default());
    // Browsers write no port that goes without saying, no user, no path and no capital letter.
    let usual = if scheme == Some("https") { 443 } else { 80 };
    let port = uri.port_u16().filter(|port| *port != usual).map_or_else(String::new, |port| format!(":{port}"));
    let safe = scheme == Some("https") || scheme == Some("http") && LOOPBACK.contains(&host);
    safe && !host.is_empty() && !host.contains('*') && *given == format!("{}{port}", host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_no_port() {
        for (origin, host) in [
            ("https://shop.example", "shop.example"),
            ("https://shop.example:8443", "shop.example"),
            ("http://[::1]:5173", "[::1]"),
            ("http://[::1]", "[::1]"),
        ] {
            assert_eq!(Origin::parse(origin).unwrap().host(), host);
        }
    }

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, valid) in [
            ("https://shop.example", true),
            ("https://shop.example:8443", true),
            ("http://localhost:5173", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:5173", true),
            ("http://shop.example", false),
            ("http://localhost.evil.example", false),
            ("https://shop.example/", false),
            ("https://shop.example/here", false),
            ("https://shop.example?", false),
            ("https://shop.example:443", false),
            ("https://shop.example:08443", false),
            ("https://Shop.example", false),
            ("https://a@shop.example", false),
            ("https://*.shop.example", false),
            ("https://", false),
            ("https://*", false),
            ("ftp://shop.example", false),
            ("shop.example", false),
            ("null", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(is_origin(text), valid, "{text}");
        }
    }
}
