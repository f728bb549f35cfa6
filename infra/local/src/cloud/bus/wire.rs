//! The wire protocol of EventBridge (AWS JSON 1.1), as far as `PutEvents` needs it.
//!
//! Invariant: requests over the limits, and entries without a source, a type or a detail that is a JSON object, are
//! refused here as in the cloud.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Core, On};
use crate::{ACCOUNT, REGION};

const MAX_ENTRIES: usize = 10;

/// The most bytes in a request, as EventBridge counts them.
const MAX_BYTES: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    /// Seconds since the epoch, with fractions.
    time: Option<f64>,
    source: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    detail_type: Option<String>,
    detail: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    failed_entry_count: usize,
    entries: Vec<Outcome>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "PascalCase")]
enum Outcome {
    Accepted { event_id: String },
    Refused { error_code: &'static str, error_message: String },
}

/// `POST /` with `X-Amz-Target: AWSEvents.PutEvents`.
pub(super) async fn put_events(State(core): State<Arc<Core>>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = headers.get("x-amz-target").map(HeaderValue::as_bytes);
    if operation != Some(b"AWSEvents.PutEvents") {
        return refuse("UnknownOperationException", "only PutEvents is served here");
    }
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse("SerializationException", &error.to_string()),
    };
    if request.entries.is_empty() || request.entries.len() > MAX_ENTRIES {
        return refuse(
            "ValidationException",
            &format!(
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: \
                 Member must have length between 1 and {MAX_ENTRIES}, inclusive"
            ),
        );
    }
    if request.entries.iter().map(Entry::bytes).sum::<usize>() > MAX_BYTES {
        return refuse("ValidationException", "Total size of the entries in the request is over the limit.");
    }
    let now = (core.now)();
    let entries: Vec<_> = request
        .entries
        .into_iter()
        .map(|entry| match entry.envelope(now) {
            Ok((event_id, event)) => {
                core.publish(On::Own, &event);
                Outcome::Accepted { event_id }
            }
            Err(refused) => refused,
        })
        .collect();
    let refused = entries.iter().filter(|it| matches!(it, Outcome::Refused { .. }));
    answer(StatusCode::OK, &json!(Answer { failed_entry_count: refused.count(), entries }))
}

impl Entry {
    /// The size as EventBridge counts it: 14 bytes for a time, and the length of every text.
    fn bytes(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail];
        let texts = texts.into_iter().flatten().chain(&self.resources);
        texts.map(String::len).sum::<usize>() + self.time.map_or(0, |_| 14)
    }

    /// The event's id, and the event in the envelope that rules and functions get.
    fn envelope(self, now: Timestamp) -> Result<(String, Value), Outcome> {
        let missing = |name: &str| Outcome::Refused {
            error_code: "InvalidArgument",
            error_message: format!("Parameter {name} is not valid. Reason: {name} is a required argument."),
        };
        let given = |text: Option<String>| text.filter(|it| !it.is_empty());
        let source = given(self.source).ok_or_else(|| missing("Source"))?;
        let kind = given(self.detail_type).ok_or_else(|| missing("DetailType"))?;
        let detail = given(self.detail).ok_or_else(|| missing("Detail"))?;
        let detail = serde_json::from_str(&detail).ok().filter(Value::is_object).ok_or_else(|| Outcome::Refused {
            error_code: "MalformedDetail",
            error_message: "Detail is malformed.".to_owned(),
        })?;
        let time = self.time.and_then(at).unwrap_or(now);
        let id = uuid::Uuid::new_v4().to_string();
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": kind,
            "source": source,
            "account": ACCOUNT,
            // Whole seconds, as in EventBridge.
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": self.resources,
            "detail": detail,
        });
        Ok((id, event))
    }
}

fn at(seconds: f64) -> Option<Timestamp> {
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

fn refuse(kind: &str, message: &str) -> Response {
    answer(StatusCode::BAD_REQUEST, &json!({"__type": kind, "message": message}))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, kind, body.to_string()).into_response()
}
