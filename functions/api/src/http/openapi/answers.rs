//! The answers of an operation: its problems, and the headers of its answers.
//!
//! Invariant: every answer that can occur is declared with its status and codes, and no `default` hides a missing
//! one. Answers common to all operations of a kind are declared here, the others above the handler. The tests check
//! each answer they get against the document.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use purser_edge::prelude::*;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Content, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, Response, Schema};

use super::Schemas;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    Anybody,
    /// A signed-in user, about their own account.
    SignedIn,
    /// Operators and resellers, by API key or in a session.
    Known,
}

pub fn declare(operation: &mut Operation, callers: Callers, has_body: bool, schemas: &Schemas) {
    let once = takes(operation, "Idempotency-Key");
    let mut codes = common(operation, callers, has_body);
    let responses = &mut operation.responses.responses;
    for status in codes.keys() {
        responses.entry(status.clone()).or_insert_with(|| RefOr::T(Response::new("")));
    }
    for (status, response) in responses {
        let (RefOr::T(response), Ok(known)) = (response, StatusCode::try_from(status.as_str())) else {
            continue;
        };
        let above = std::mem::take(&mut response.description);
        let mut more = codes.remove(status.as_str()).unwrap_or_default();
        more.retain(|code| !above.contains(code));
        let mut said = vec![above];
        said.extend(more);
        said.retain(|code| !code.is_empty());
        let name = known.canonical_reason().unwrap_or_default();
        response.description = match said.join(", ") {
            codes if codes.is_empty() => name.to_owned(),
            codes => format!("{name}: {codes}"),
        };
        if known.is_success() {
            succeed(response, once, schemas);
        } else {
            fail(response, known);
        }
    }
}

/// Declares that a caller who has the resource may ask whether it has changed.
pub fn declare_unchanged(operation: &mut Operation, schemas: &Schemas) {
    let ok = operation.responses.responses.get("200");
    if !matches!(ok, Some(RefOr::T(ok)) if is_versioned(ok, schemas)) {
        return;
    }
    let header = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Answer with 304 if this is the current ETag."))
        .schema(Some(text()));
    operation.parameters.get_or_insert_default().push(header.build().into());
    let unchanged = RefOr::T(Response::new("Not Modified: the caller has the current version."));
    operation.responses.responses.insert("304".to_owned(), unchanged);
}

/// Declares that what an operation tells programs is signed, whether it grants or refuses.
pub fn declare_signed(operation: &mut Operation) {
    let says = "The signature of the answer: `kid=\"…\", sig=\"…\"`. `GET /v1/signing-keys` has the key.";
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status.starts_with('2') || status == "409")
        {
            add(response, "Purser-Signature", says, text());
        }
    }
}

fn fail(response: &mut Response, status: StatusCode) {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    let content = Content::new(Some(schema));
    // A problem that says more has a schema of its own.
    response.content.entry("application/problem+json".into()).or_insert_with(|| content.into());
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let (name, says, form) = match status {
        StatusCode::UNAUTHORIZED => ("WWW-Authenticate", "`Bearer`.", text()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ("Retry-After", "How many seconds to wait before sending the request again.", seconds)
        }
        _ => return,
    };
    add(response, name, says, form);
}

fn succeed(response: &mut Response, once: bool, schemas: &Schemas) {
    if once {
        add(response, "Idempotency-Replayed", "`true` if this repeats the answer to the first request.", text());
    }
    if is_versioned(response, schemas) {
        add(response, "ETag", "The version of the resource, to send as `If-Match`.", text());
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn add(response: &mut Response, name: &str, says: &str, form: ObjectBuilder) {
    let header = HeaderBuilder::new().schema(Some(form)).description(Some(says));
    response.headers.insert(name.into(), header.build().into());
}

fn is_versioned(response: &Response, schemas: &Schemas) -> bool {
    let Some(RefOr::T(content)) = response.content.get("application/json") else {
        return false;
    };
    let Some(RefOr::Ref(named)) = &content.schema else {
        return false;
    };
    let name = named.ref_location.rsplit('/').next().unwrap_or_default();
    match schemas.get(name) {
        Some(RefOr::T(Schema::Object(form))) => {
            let version = form.properties.get("version");
            matches!(version, Some(RefOr::T(Schema::Object(it))) if it.schema_type == Type::Integer.into())
        }
        _ => false,
    }
}

fn any(operation: &Operation, fits: impl Fn(&Parameter) -> bool) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|it| matches!(it, RefOr::T(it) if fits(it)))
}

fn takes(operation: &Operation, name: &str) -> bool {
    any(operation, |it| it.name == name)
}

/// The problem codes, by status, that follow from the callers, parameters and body of an operation.
fn common(operation: &Operation, callers: Callers, has_body: bool) -> BTreeMap<String, BTreeSet<String>> {
    let within = |place: ParameterIn| any(operation, |it| it.parameter_in == place);
    let takes = |name: &str| takes(operation, name);
    let must_take_a_key = any(operation, |it| it.name == "Idempotency-Key" && it.required == Required::True);
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut declare = |status: StatusCode, code| {
        codes.entry(status.as_str().to_owned()).or_default().insert(code);
    };
    let kinds: [(bool, Each); 11] = [
        (true, <(NotThroughEdge, RateLimited, InternalError, Busy)>::each),
        (callers != Callers::Anybody, <(Unauthenticated, Forbidden)>::each),
        (callers == Callers::Known, <(SecondFactorMissing, ResellerPending)>::each),
        (callers == Callers::Known && has_body, ResellerSuspended::each),
        (within(ParameterIn::Path), NotFound::each),
        // A query that the operation does not know is refused; of the service itself, it is ignored.
        (callers != Callers::Anybody || within(ParameterIn::Query), MalformedRequest::each),
        (takes("cursor"), InvalidCursor::each),
        (has_body, BodyReasons::each),
        (takes("Idempotency-Key"), <(MalformedRequest, IdempotencyKeyReused)>::each),
        (must_take_a_key, IdempotencyKeyRequired::each),
        (takes("If-Match"), VersionMismatch::each),
    ];
    for (_, each) in kinds.iter().filter(|(so, _)| *so) {
        each(&mut declare);
    }
    codes
}

type Each = fn(&mut dyn FnMut(StatusCode, String));
type BodyReasons = (MalformedRequest, RequestTimeout, PayloadTooLarge, UnsupportedMediaType, InvalidFields);
