//! The API's OpenAPI 3.1 document, generated from the routes of every function.
//!
//! Invariant: every route is in the document with its security and its problems, because both come from the same
//! lines of code. Pages for people are left out.

mod answers;

use std::collections::BTreeMap;

use purser_edge::http::problem::ProblemView;
use purser_edge::http::serve::is_by_key;
use purser_edge::prelude::*;
use utoipa::PartialSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OneOf, OpenApi, OpenApiBuilder, RefOr, Schema, SecurityRequirement,
};

use self::answers::Callers;
use crate::{Entry, Routes, functions};

type Schemas = BTreeMap<String, RefOr<Schema>>;

const DESCRIPTION: &str = "Clients, resellers, prepaid credits and licences. Errors are RFC 9457 problems with a \
    stable `code`. Commands that move credits require an `Idempotency-Key` and take effect once per key.";

pub fn document() -> OpenApi {
    let info =
        InfoBuilder::new().title("Purser").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)).build();
    let mut components = ComponentsBuilder::new()
        .schema("Problem", ProblemView::schema())
        // utoipa doesn't collect schemas that only parameters use.
        .schema(Key::name(), Key::schema())
        .schema(Limit::name(), Limit::schema())
        .security_scheme("key", bearer("An API key."))
        .security_scheme("session", bearer("The token of a session. Signing in returns it."));
    let mut schemas = Vec::new();
    ProblemView::schemas(&mut schemas);
    components = components.schemas_from_iter(schemas);
    let mut document = OpenApiBuilder::new().info(info).components(Some(components.build())).build();
    for function in functions() {
        if let Entry::Http(routes) = function.entry
            && !matches!(routes, Routes::Pages(_))
        {
            document.merge(routes.document());
        }
    }
    let schemas = &mut document.components.get_or_insert_default().schemas;
    schemas.values_mut().for_each(describe_members);
    let schemas = schemas.clone();
    for (path, item) in &mut document.paths.paths {
        let changing = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        let changing = changing.into_iter().flatten().map(|it| (it, true));
        for (operation, changes) in item.get.as_mut().map(|it| (it, false)).into_iter().chain(changing) {
            finish(operation, path.starts_with("/v1/"), changes, &schemas);
            if changes && is_by_key(path) {
                answers::declare_signed(operation);
            }
        }
    }
    document
}

fn bearer(says: &str) -> SecurityScheme {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    SecurityScheme::Http(bearer.description(Some(says)).build())
}

/// Completes what `utoipa::path` says: drops nulls from inputs, adds security and the common answers. The body of an
/// operation that changes something is judged even if none is needed.
fn finish(operation: &mut Operation, under_v1: bool, changes: bool, schemas: &Schemas) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema = parameter.schema.take().map(without_null);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                content.schema = content.schema.take().map(without_null);
            }
        }
    }
    // An operation without its own `security` is for operators and resellers, by API key or in a session.
    let [key, session] = ["key", "session"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()));
    let callers = match &operation.security {
        None if under_v1 => Callers::Known,
        Some(own) if own.contains(&session) => Callers::SignedIn,
        _ => Callers::Anybody,
    };
    if callers == Callers::Known {
        operation.security = Some(vec![key, session]);
    }
    answers::declare(operation, callers, changes, schemas);
    if !changes {
        answers::declare_unchanged(operation, schemas);
    }
}

/// utoipa describes a member that may be null as a choice of null and a reference, and puts the description on the
/// reference. This moves it up to the member.
fn describe_members(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    for member in object.properties.values_mut() {
        if let RefOr::T(Schema::OneOf(choice)) = member
            && let Some(RefOr::Ref(form)) = choice.items.first_mut()
            && !form.description.is_empty()
        {
            choice.description = Some(std::mem::take(&mut form.description));
        }
    }
}

/// Removes `null` from the schema of a parameter or body: an optional one is left out, and can't be sent as null.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let null = SchemaType::from(Type::Null);
    let is_null = |it: &RefOr<Schema>| matches!(it, RefOr::T(Schema::Object(it)) if it.schema_type == null);
    match schema {
        RefOr::T(Schema::OneOf(mut choice)) => {
            choice.items.retain(|item| !is_null(item));
            match <[_; 1]>::try_from(choice.items) {
                Ok([only]) => only,
                Err(items) => Schema::OneOf(OneOf { items, ..OneOf::new() }).into(),
            }
        }
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|kind| *kind != Type::Null);
            }
            Schema::Object(object).into()
        }
        other => other,
    }
}
