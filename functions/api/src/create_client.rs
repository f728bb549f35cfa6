//! `create-client`: a new client (SPEC A1–A3, A6, A10).
//!
//! Invariant: a reseller creates clients only for itself.

use axum::extract::State;
use axum::response::Response;
use purser_domain::email::EmailAddress;
use purser_domain::text::{ClientId, Name, Phone};
use purser_edge::client_body::ClientBody;
use purser_edge::extract::{Body, MaybeBody, OptionalKey};
use purser_edge::shapes::{
    ClientIdShape, ClientShape, EmailShape, IdempotencyKeyShape, MetadataShape, NameShape,
    PhoneShape, ResellerRefidShape,
};
use purser_edge::{App, Call, Problem, answer, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(create_client))
}

/// A client to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "Acme Corporation",
    "email": "billing@acme.example",
    "metadata": {"segment": "Enterprise"}
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CreateClient {
    #[schema(value_type = NameShape)]
    name: Name,
    /// Unique among all clients, whatever its case.
    #[schema(value_type = EmailShape)]
    email: EmailAddress,
    #[schema(value_type = Option<PhoneShape>)]
    phone: Option<Phone>,
    /// Anything else, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<MetadataShape>)]
    metadata: Option<Map<String, Value>>,
    /// The reseller it belongs to; standalone unless given. A reseller's own key implies itself.
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The id other systems know it by; a UUID unless given. It can't be changed.
    #[schema(value_type = Option<ClientIdShape>)]
    client_id: Option<ClientId>,
}

/// Create a client
#[utoipa::path(
    post, path = "/v1/clients", tag = "clients", request_body = CreateClient,
    params(
        ("Idempotency-Key" = Option<IdempotencyKeyShape>, Header, description = "A repeat answers the first answer."),
    ),
    responses(
        (status = 201, body = ClientShape),
        (status = 404, description = "`not_found`"),
        (
            status = 409,
            description = "`duplicate_email`, `duplicate_client_id`, `reseller_suspended`, `reseller_pending`"
        ),
        (status = 422, description = "`invalid_reseller`, `sensitive_metadata`, `metadata_too_large`"),
    )
)]
async fn create_client(
    State(app): State<App>,
    call: Call,
    key: OptionalKey,
    body: MaybeBody<CreateClient>,
) -> Result<Response, Problem> {
    let key = key?;
    let Body(body) = body?;
    let reseller = call.reseller(body.reseller.as_deref())?;
    // Spelling out what a key implies makes no difference.
    let resolved = CreateClient {
        reseller: reseller.as_ref().map(ToString::to_string),
        ..body.clone()
    };
    let request = call.request(&app, key.as_ref(), &resolved)?;
    let new = ClientBody::new(
        body.name,
        body.email,
        body.phone,
        body.metadata,
        body.client_id,
    )
    .into_new()?;
    let status = app.config.client_status;
    let created = app
        .store
        .create_client(&new, reseller.as_ref(), status, &request, &|client| {
            json::write(&ClientShape::from(client))
        })
        .await?;
    Ok(answer::created(created))
}
