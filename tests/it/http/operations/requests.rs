//! Requests as values: made from a case so that they succeed, and then spoilt.
//!
//! Invariant: a request that is made from a case has everything that the document requires.

use purser_tests::document::Operation;
use purser_tests::prelude::*;

/// What the request of a case says, apart from its operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The ids in the path, in order.
    pub at: Vec<String>,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    pub picture: Option<&'static [u8]>,
}

pub const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\xdacd\xf8\xcfP\x0f\0\x03\x86\x01\x80Z4}k\0\0\0\0IEND\xaeB`\x82";

impl Sample {
    /// Names another id in the path.
    pub fn and(mut self, id: &str) -> Self {
        self.at.push(id.to_owned());
        self
    }

    pub fn query(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub fn picture(mut self) -> Self {
        self.picture = Some(PICTURE);
        self
    }

    /// The request that succeeds, with the idempotency key `key` if the operation requires one.
    pub fn request(&self, operation: &Operation, key: &str) -> Request {
        let mut request = Request {
            method: operation.method.clone(),
            path: filled(&operation.path, &self.at),
            query: self.query.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            headers: Vec::new(),
            body: self.body.as_ref().map(|body| body.to_string().into_bytes()),
        };
        if self.body.is_some() {
            request = request.with_header("content-type", "application/json");
        }
        if let Some(picture) = self.picture {
            request = request.with_header("content-type", "image/png");
            request = request.with_body(picture);
        }
        let header = operation.header("Idempotency-Key");
        if header.is_some_and(|header| header.required) {
            request = request.with_header("idempotency-key", key);
        }
        request
    }
}

fn filled(path: &str, ids: &[String]) -> String {
    let fill = |path: String, id: &String| {
        let (before, rest) = path.split_once('{').expect("a parameter for each id");
        let (_, after) = rest.split_once('}').expect("a parameter's end");
        format!("{before}{id}{after}")
    };
    let filled = ids.iter().fold(path.to_owned(), fill);
    assert!(!filled.contains('{'), "{path}: there is no id for some parameter");
    filled
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Pairs `name=value`, escaped as they are sent.
    pub query: Vec<String>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub async fn send(&self, caller: &Caller) -> Reply {
        let mut target = self.path.clone();
        if !self.query.is_empty() {
            target = format!("{target}?{}", self.query.join("&"));
        }
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        caller.send(&self.method, &target, &headers, self.body.clone()).await
    }
}

/// Describes the variant with nothing wrong.
pub const WELL: &str = "unchanged";

/// The request, and variants of it with something wrong. No variant may reveal more than the request itself does.
pub fn variants(operation: &Operation, request: &Request) -> Vec<(&'static str, Request)> {
    let mut variants = vec![(WELL, request.clone())];
    if operation.body.is_some() {
        variants.push(("with a bad body", request.clone().with_body(r#"{"?":7}"#)));
        variants.push(("with half a body", request.clone().with_body("{")));
        variants.push(("without a content type", request.clone().without_header("content-type")));
    }
    if operation.header("Idempotency-Key").is_some() {
        let without = request.clone().without_header("idempotency-key");
        variants.push(("with a bad key", without.clone().with_header("idempotency-key", "a b")));
        variants.push(("without a key", without));
    }
    if operation.header("If-Match").is_some() {
        let other = request.clone().with_header("if-match", "\"77\"");
        variants.push(("for another version", other));
    }
    if !operation.query.is_empty() {
        let mut other = request.clone();
        other.query.push("colour=red".to_owned());
        variants.push(("with a bad query", other));
    }
    variants
}

pub fn plain() -> Sample {
    Sample::default()
}

pub fn at(id: &str) -> Sample {
    let at = vec![id.to_owned()];
    Sample { at, ..plain() }
}

/// Whether this is the answer for something that does not exist: 404, or an empty list.
pub fn is_nothing(reply: &Reply) -> bool {
    let nothing = json!({"data": [], "next_cursor": null});
    (reply.status, reply.text("code")) == (404, "not_found") || reply.status == 200 && reply.json == nothing
}
