//! How a history talks to the system: through the API like any caller, but with no network.
//!
//! Invariant: an unexpected refusal ends the history; no error is passed over.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::{Method, StatusCode};
use jiff::Timestamp;
use purser_local::run::system::System;
use serde_json::Value;

use super::HistoryError;

/// The most bytes in a response; a purchase for 32 clients takes far fewer.
const MOST_BYTES: usize = 4 << 20;

const RAN_DRY: [&str; 2] = ["insufficient_credits", "provisioning_held"];

pub(super) struct Door {
    system: System,
    requests: u64,
}

pub(super) enum Sale {
    Made(Value),
    /// The reseller lacks credits, or its wallet is held.
    RanDry {
        /// The cost of the purchase; zero if the wallet is held.
        required: u64,
    },
}

impl Door {
    pub fn of(system: System) -> Self {
        Self { system, requests: 0 }
    }

    pub fn system(&self) -> &System {
        &self.system
    }

    pub async fn close(self) {
        self.system.shutdown().await;
    }

    pub fn requests(&self) -> u64 {
        self.requests
    }

    pub fn now(&self) -> Timestamp {
        self.system.clock().timestamp()
    }

    /// Moves the clock forward to `moment`; does nothing if `moment` has passed.
    pub fn turn_to(&self, moment: Timestamp) {
        let by = moment.duration_since(self.now());
        if by.is_positive() {
            self.system.clock().advance(by);
        }
    }

    pub async fn operate(&mut self, method: Method, path: &str, body: &Value) -> Result<Value, HistoryError> {
        let key = self.system.operator_key().to_owned();
        self.ask(&key, method, path, body).await
    }

    pub async fn ask(&mut self, key: &str, method: Method, path: &str, body: &Value) -> Result<Value, HistoryError> {
        let (status, answer) = self.answer(key, method.clone(), path, body).await?;
        self.expect(status, answer, &method, path)
    }

    pub async fn buy(&mut self, key: &str, path: &str, body: &Value) -> Result<Sale, HistoryError> {
        let (status, answer) = self.answer(key, Method::POST, path, body).await?;
        let code = answer.get("code").and_then(Value::as_str);
        if code.is_some_and(|code| RAN_DRY.contains(&code)) {
            let required = answer.get("required").and_then(Value::as_u64).unwrap_or(0);
            return Ok(Sale::RanDry { required });
        }
        self.expect(status, answer, &Method::POST, path).map(Sale::Made)
    }

    fn expect(&self, status: StatusCode, answer: Value, method: &Method, path: &str) -> Result<Value, HistoryError> {
        if status.is_success() {
            return Ok(answer);
        }
        Err(HistoryError::Refused {
            request: format!("{method} {path}"),
            moment: self.now(),
            answer: format!("{} {answer}", status.as_u16()),
        })
    }

    async fn answer(
        &mut self,
        key: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<(StatusCode, Value), HistoryError> {
        self.requests += 1;
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        if !body.is_null() {
            request = request.header("content-type", "application/json");
        }
        // Only requests that move credits need an idempotency key. For others, it would cost an extra item.
        if ["/credits", "/provisions", "/bulk", "/refund", "/transfers"].iter().any(|end| path.ends_with(end)) {
            request = request.header("idempotency-key", format!("history-{}", self.requests));
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.body(body)?;
        let response = self.system.ask(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), MOST_BYTES).await?;
        let answer = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        Ok((status, answer))
    }
}
