//! `create-client`: a new client (rules A1–A3, A6, A7, A10).
//!
//! Invariant: a reseller creates clients only for itself.

use crate::clients::body::ClientBody;
use crate::clients::view::ClientView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ResellerRefid, UserRefid};
use purser_domain::basic::text::{ClientId, Name, Phone};
use purser_domain::parties::metadata::Metadata;
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Key};
use purser_edge::http::problem::refusals::{
    DuplicateClientId, DuplicateEmail, Forbidden, InvalidReseller, InvalidUser, MetadataTooLarge, NotFound, Refused,
    ResellerPending, ResellerSuspended, SensitiveMetadata, UserBound,
};
use purser_edge::{App, Call, Input, Problem};
use purser_store::parties::client::ClientCreation;
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
    name: Name,
    /// Unique among all clients, whatever its case.
    email: EmailAddress,
    phone: Option<Phone>,
    /// Anything else, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
    /// The reseller it belongs to; standalone unless given. A reseller's own key implies itself.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The id other systems know it by; a UUID unless given. It can't be changed.
    client_id: Option<ClientId>,
    /// The refid of the login it is bound to; only an operator may name one. No login has two clients.
    #[schema(value_type = Option<UserRefid>)]
    user: Option<String>,
}

/// Create a client
#[utoipa::path(
    post, path = "/v1/clients", tag = "clients", request_body = CreateClient,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeat answers the first answer."),
    ),
    responses(
        (status = 201, body = ClientView),
        Refused<(
            Forbidden, NotFound, DuplicateEmail, DuplicateClientId, UserBound, ResellerSuspended, ResellerPending,
            InvalidReseller, InvalidUser, SensitiveMetadata, MetadataTooLarge,
        )>,
    )
)]
async fn create_client(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Call, (), Option<Key>, Body<CreateClient>>,
) -> Result<Response, Problem> {
    let reseller = call.reseller(body.reseller.as_deref())?;
    let user = call.login(body.user.as_deref())?;
    // Spelling out what a key implies makes no difference.
    let resolved = CreateClient { reseller: reseller.as_ref().map(ToString::to_string), ..body.clone() };
    let request = call.repeatable(key, &resolved)?;
    let new = ClientBody::new(body.name, body.email, body.phone, body.metadata, body.client_id).into_new()?;
    let creation = ClientCreation { new: &new, reseller: reseller.as_ref(), user };
    Ok(answer::created(app.store.create_client::<ClientView>(&creation, &request).await?))
}
