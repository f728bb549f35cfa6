//! The API's document as a contract, against which every answer that a test gets is checked.
//!
//! Invariant: an operation answers only with statuses that the document lists, and a problem has only the codes that
//! are listed with its status; what the document calls signed has a signature. Requests that reach no operation (an
//! unknown path, another method) are not covered.

use std::sync::LazyLock;

use purser_api::http::fallback::fits;
use serde_json::Value;

use crate::reply::Reply;

static PATHS: LazyLock<Value> = LazyLock::new(|| {
    let document = purser_api::http::openapi::document();
    serde_json::to_value(document.paths.paths).expect("JSON")
});

/// Asserts that the document lists an answer like this for the request.
pub fn hold(method: &str, target: &str, reply: &Reply) {
    let path = target.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else {
        return;
    };
    let listed = &operation["responses"][reply.status.to_string()];
    let what = format!("{method} {path}: {} {}", reply.status, reply.json);
    assert!(listed.is_object(), "not in the document: {what}");
    let signed = listed["headers"]["Purser-Signature"].is_object();
    assert!(!signed || reply.header("purser-signature").is_some(), "not signed: {what}");
    if reply.status >= 400 {
        let codes = listed["description"].as_str().unwrap_or_default();
        let code = format!("`{}`", reply.text("code"));
        assert!(codes.contains(&code), "the code is not in the document: {what}");
    }
}

/// The operation that a request reaches: of the path templates that match, the first one with the method.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = PATHS.as_object().expect("paths");
    let mut fitting = paths.iter().filter(|(template, _)| fits(template, path));
    fitting.find_map(|(_, item)| item.get(method.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(status: u16, code: &str) {
        let reply = Reply { status, headers: Vec::new(), bytes: Vec::new(), json: json!({"code": code}) };
        hold("GET", "/v1/clients/CL-1?x", &reply);
    }

    #[test]
    fn what_is_listed_holds() {
        answered(200, "");
        answered(404, "not_found");
    }

    #[test]
    #[should_panic(expected = "not in the document: GET /v1/clients/CL-1: 409")]
    fn another_status_does_not() {
        answered(409, "duplicate_email");
    }

    #[test]
    #[should_panic(expected = "not signed: POST /v1/licences/validate: 200")]
    fn an_answer_to_a_program_without_a_signature_does_not() {
        let reply = Reply { status: 200, headers: Vec::new(), bytes: Vec::new(), json: json!({}) };
        hold("POST", "/v1/licences/validate", &reply);
    }

    #[test]
    #[should_panic(expected = "the code is not in the document")]
    fn another_code_does_not() {
        answered(404, "lost");
    }
}
