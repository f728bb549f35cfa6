//! Answers: resources and lists as HTTP responses.
//!
//! Invariant: a replayed answer has the same body as the first one, byte for byte, and a header that marks it as a
//! replay. The `ETag` of a resource is its version.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue, StatusCode};
use purser_store::engine::{Answer, Page};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Array, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::json;
use crate::http::problem::{Problem, refusals};
use crate::process::app::App;

/// A page of a list. In the API document it is called `ClientList` and so on, instead of the name that utoipa's macro
/// generates for a generic type.
#[derive(Debug, Serialize)]
pub struct List<T> {
    pub data: Vec<T>,
    /// The `cursor` of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("The `cursor` of the next page; null on the last page."));
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("data", Array::new(Ref::from_schema_name(T::name())))
            .required("data")
            .property("next_cursor", cursor)
            .required("next_cursor")
            .into()
    }
}

// A derived implementation would repeat the schema of the items in each list, and so in every generated client.
impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: Serialize> List<T> {
    /// The answer with this page of the list that has `scope`; `shape` makes the view of an item.
    pub fn answer<D>(app: &App, scope: &str, page: Page<D>, shape: impl Fn(&D) -> T) -> Result<Response, Problem> {
        let next_cursor = page.position.map(|position| app.store.cursor(scope, &position)).transpose()?;
        let data = page.items.iter().map(shape).collect();
        ok(&Self { data, next_cursor })
    }
}

/// The position in the list with `scope` that `cursor` points to.
pub fn position(app: &App, scope: &str, cursor: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let invalid = || Problem::because(refusals::InvalidCursor, "The cursor does not belong to this list.");
    app.store.position(scope, cursor)?.ok_or_else(invalid).map(Some)
}

/// 201 with the created resource.
pub fn created(answer: Answer) -> Response {
    respond(StatusCode::CREATED, answer)
}

/// 200 with the changed resource.
pub fn changed(answer: Answer) -> Response {
    respond(StatusCode::OK, answer)
}

/// 200 with `body`.
pub fn ok(body: &impl Serialize) -> Result<Response, Problem> {
    Ok(respond(StatusCode::OK, Answer::first(json::write(body)?)))
}

/// This status with `body`. A status of 400 and above says that the body is a problem.
pub fn told(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let mut response = respond(status, Answer::first(json::write(body)?));
    if status.is_client_error() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    Ok(response)
}

/// 202 with a request that will be processed later.
pub fn accepted(body: &impl Serialize) -> Result<Response, Problem> {
    Ok(respond(StatusCode::ACCEPTED, Answer::first(json::write(body)?)))
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

fn respond(status: StatusCode, answer: Answer) -> Response {
    let version = serde_json::from_slice::<Versioned>(&answer.body).ok().map(|resource| resource.version);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(tag) = version.and_then(|version| HeaderValue::try_from(format!("\"{version}\"")).ok()) {
        headers.insert(ETAG, tag);
    }
    if answer.replayed {
        headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    }
    response
}
