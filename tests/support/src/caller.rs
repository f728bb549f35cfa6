//! A caller of the API: an address and an API key, or none. Every answer is checked against the API's document.

use reqwest::header::HeaderValue;
use reqwest::{Client, Method};
use serde_json::Value;

use crate::contract;
use crate::reply::Reply;

#[derive(Debug, Clone)]
pub struct Caller {
    http: Client,
    url: String,
    key: Option<String>,
}

impl Caller {
    pub fn new(http: Client, url: impl Into<String>, key: Option<String>) -> Self {
        Self { http, url: url.into(), key }
    }

    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(ToOwned::to_owned), ..self.clone() }
    }

    /// The same caller, but calling the server that `other` calls.
    #[must_use]
    pub fn moved(&self, other: &Self) -> Self {
        Self { url: other.url.clone(), ..self.clone() }
    }

    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Sends a request to a server that must answer.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Reply {
        let sent = self.try_send(method, path, headers, body).await;
        sent.expect("an answer")
    }

    /// Sends a request to a server that may end before it has answered.
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

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }

    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.send("POST", path, &headers, Some(body.to_string().into())).await
    }

    /// Posts without a body, to an action.
    pub async fn act(&self, path: &str) -> Reply {
        self.send("POST", path, &[], None).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        let body = Some(body.to_string().into());
        self.send("PUT", path, &headers, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }
}
