//! Answers: resources and lists as HTTP responses.
//!
//! Invariant: a replayed answer is the first one byte for byte, and says that it is a replay; a resource with a
//! version carries it as its `ETag`.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue, StatusCode};
use purser_store::engine::command::answer::Answer;
use purser_store::engine::page::Page;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Array, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::json;
use crate::http::problem::{Problem, refusals};
use crate::process::app::App;

/// A page of a list. The document names it by an alias, `ClientList`; of a type with parameters the macro would make up
/// a name.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// The items.
    pub data: Vec<T>,
    /// What `cursor` must be for the next page; null at the end.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("What `cursor` must be for the next page; null at the end."));
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("data", Array::new(Ref::from_schema_name(T::name())))
            .required("data")
            .property("next_cursor", cursor)
            .required("next_cursor")
            .into()
    }
}

// Derived, the document would repeat the items' form in each list, and every generated client, too.
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
    /// The answer that is this page of the list with `scope`.
    pub fn answer<D>(app: &App, scope: &str, page: Page<D>, shape: impl Fn(&D) -> T) -> Result<Response, Problem> {
        let next_cursor = page.position.map(|position| app.store.cursor(scope, &position));
        let data = page.items.iter().map(shape).collect();
        ok(&Self { data, next_cursor })
    }
}

/// The position that `cursor` stands at in the list with `scope`.
pub fn position(app: &App, scope: &str, cursor: Option<&str>) -> Result<Option<String>, Problem> {
    let invalid = |_| Problem::because(refusals::InvalidCursor, "The cursor was not given for this list.");
    cursor.map(|cursor| app.store.position(scope, cursor).map_err(invalid)).transpose()
}

/// 201 with the resource that was created.
pub fn created(answer: Answer) -> Response {
    respond(StatusCode::CREATED, answer)
}

/// 200 with the resource that was changed.
pub fn changed(answer: Answer) -> Response {
    respond(StatusCode::OK, answer)
}

/// 200 with something that was read.
pub fn ok(body: &impl Serialize) -> Result<Response, Problem> {
    Ok(respond(StatusCode::OK, Answer::first(json::write(body)?)))
}

/// 202 with what will be looked at later.
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
