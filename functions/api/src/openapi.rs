//! The API's document, OpenAPI 3.1, made from the routes of every function.
//!
//! Invariant: a route that exists stands in the document, with its security and its problems, because both come
//! from the same lines.

use http::StatusCode;
use purser_edge::problem::ProblemShape;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    Ref, RefOr, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use crate::{Entry, FUNCTIONS};

const DESCRIPTION: &str = "Clients, resellers, prepaid credits and licences. Errors are RFC 9457 problems with a \
    stable `code`. Commands that move credits require an `Idempotency-Key` and take effect once per key.";

/// The document.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Purser")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let mut components = ComponentsBuilder::new()
        .schema("Problem", ProblemShape::schema())
        .security_scheme(
            "key",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
    let mut schemas = Vec::new();
    ProblemShape::schemas(&mut schemas);
    components = components.schemas_from_iter(schemas);
    let mut document = OpenApiBuilder::new()
        .info(info)
        .components(Some(components.build()))
        .build();
    for function in FUNCTIONS {
        if let Entry::Http(routes) = function.entry {
            document.merge(routes().split_for_parts().1);
        }
    }
    for (path, item) in &mut document.paths.paths {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            finish(operation, path.starts_with("/v1/"));
        }
    }
    document
}

/// Every operation can be refused with a problem, and is when too much is asked; those below `/v1` need a key,
/// unless they say themselves that anybody may. A response is called by its status, because the format wants it called
/// something.
fn finish(operation: &mut Operation, keyed: bool) {
    for (status, response) in &mut operation.responses.responses {
        let name = status
            .parse()
            .ok()
            .and_then(|status: StatusCode| status.canonical_reason());
        if let (RefOr::T(response), Some(name)) = (response, name) {
            name.clone_into(&mut response.description);
        }
    }
    let responses = &mut operation.responses.responses;
    let seconds = HeaderBuilder::new().schema(Some(
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1)),
    ));
    let too_many = problem("Too Many Requests").header(
        "Retry-After",
        seconds
            .description(Some("After how many seconds the next request may be sent."))
            .build(),
    );
    responses.insert("429".into(), too_many.build().into());
    responses.insert("default".into(), problem("A problem").build().into());
    if keyed && operation.security.is_none() {
        responses.insert("401".into(), problem("Unauthorized").build().into());
        operation.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    }
}

fn problem(description: &str) -> ResponseBuilder {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", Content::new(Some(schema)))
}
