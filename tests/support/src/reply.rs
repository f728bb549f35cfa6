//! An answer of the API, with the assertions that tests make about it.

use axum::response::Response;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    /// The body as JSON; null if it is not JSON.
    pub json: Value,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, bytes: Vec<u8>) -> Self {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        };
        Self {
            status: status.as_u16(),
            headers: headers.iter().map(header).collect(),
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
        }
    }

    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await;
        let bytes = bytes.expect("a body").to_vec();
        Self::new(parts.status, &parts.headers, bytes)
    }

    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// Asserts that this is a problem with this status and code, in the form of RFC 9457.
    #[track_caller]
    #[must_use]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.text("code")), (status, code), "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.json["status"], status);
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The cost that the answer states: calls, RCU, WCU.
    pub fn cost(&self) -> (u32, f64, f64) {
        let float = |name| self.figure(name).parse().expect("a number");
        (self.figure("calls").parse().expect("a number"), float("rcu"), float("wcu"))
    }

    /// How many passwords were hashed for the answer. Hashing dominates the time of an answer, so a difference would
    /// tell strangers whether an account exists.
    pub fn hashes(&self) -> u32 {
        self.figure("hashes").parse().expect("a number")
    }

    fn figure(&self, name: &str) -> &str {
        let header = self.header("purser-cost").expect("the laptop should state the cost of an answer");
        let part = header.split(' ').find_map(|part| part.strip_prefix(name));
        part.and_then(|part| part.strip_prefix('=')).expect("a figure")
    }

    /// A string member; empty if it is not a string.
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub fn number(&self, member: &str) -> u64 {
        self.json[member].as_u64().expect("a number")
    }

    /// The JSON pointer of the first invalid field, or `none`.
    pub fn pointer(&self) -> &str {
        self.json["errors"][0]["pointer"].as_str().unwrap_or("none")
    }
}
