//! A caller of the API: an address, a key, and the answers it gets.

use axum::response::Response;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::contract;

/// Somebody with or without a key.
#[derive(Debug, Clone)]
pub struct Caller {
    http: Client,
    url: String,
    key: Option<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Caller {
    /// Somebody who calls `url` with `key`.
    pub fn new(http: Client, url: impl Into<String>, key: Option<String>) -> Self {
        Self { http, url: url.into(), key }
    }

    /// The same caller with another key.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(ToOwned::to_owned), ..self.clone() }
    }

    /// The same caller where `other` calls.
    #[must_use]
    pub fn moved(&self, other: &Self) -> Self {
        Self { url: other.url.clone(), ..self.clone() }
    }

    /// Its key.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Sends anything.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Reply {
        let sent = self.try_send(method, path, headers, body).await;
        sent.expect("an answer")
    }

    /// Sends anything to what may end before it has answered.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Reply, reqwest::Error> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            let value = HeaderValue::from_bytes(format!("Bearer {key}").as_bytes()).expect("a header");
            request = request.header("authorization", value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?;
        let reply = Reply::new(status, &headers, bytes.to_vec());
        contract::hold(method.as_str(), path, &reply);
        Ok(reply)
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }

    /// Posts JSON under an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.send("POST", path, &headers, Some(body.to_string().into())).await
    }

    /// Asks for an action, which needs no body.
    pub async fn act(&self, path: &str) -> Reply {
        self.send("POST", path, &[], None).await
    }

    /// Puts JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        let body = Some(body.to_string().into());
        self.send("PUT", path, &headers, body).await
    }

    /// Patches with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }
}

impl Reply {
    fn new(status: StatusCode, headers: &HeaderMap, bytes: Vec<u8>) -> Self {
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

    /// What a function's routes answered.
    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await;
        let bytes = bytes.expect("a body").to_vec();
        Self::new(parts.status, &parts.headers, bytes)
    }

    /// The answer, which must have this status.
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

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the answer says it cost: calls, RCU, WCU.
    pub fn cost(&self) -> (u32, f64, f64) {
        let float = |name| self.figure(name).parse().expect("a number");
        (self.figure("calls").parse().expect("a number"), float("rcu"), float("wcu"))
    }

    /// How many passwords were hashed for the answer: what its time tells of who was asked for.
    pub fn hashes(&self) -> u32 {
        self.figure("hashes").parse().expect("a number")
    }

    fn figure(&self, name: &str) -> &str {
        let header = self.header("purser-cost").expect("the laptop says what an answer cost");
        let part = header.split(' ').find_map(|part| part.strip_prefix(name));
        part.and_then(|part| part.strip_prefix('=')).expect("a figure")
    }

    /// A member that is text; empty when it is not.
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    /// A member that is a number.
    #[track_caller]
    pub fn number(&self, member: &str) -> u64 {
        self.json[member].as_u64().expect("a number")
    }

    /// The JSON pointer of the first bad field.
    pub fn pointer(&self) -> &str {
        self.json["errors"][0]["pointer"].as_str().unwrap_or("none")
    }
}
