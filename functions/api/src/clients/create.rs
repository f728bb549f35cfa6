//! `create-client`: creates a client (rules A1–A3, A6, A7, A10).
//!
//! Invariant: a reseller can create clients only for itself.

use purser_domain::basic::{ClientId, EmailAddress, Name, Phone, ResellerRefid, UserRefid};
use purser_domain::parties::Metadata;
use purser_edge::prelude::*;
use purser_store::parties::client::ClientCreation;
use serde_json::{Map, Value};

use crate::clients::body::ClientBody;
use crate::clients::view::{ClientView, seen_by};

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
    /// Unique among all clients, ignoring case.
    email: EmailAddress,
    phone: Option<Phone>,
    /// Any JSON object, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
    /// The reseller that the client will belong to. If an operator omits it, the client is standalone; for a
    /// reseller's own API key it defaults to that reseller.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The id by which other systems know the client; a new UUID if omitted. It can't be changed later.
    client_id: Option<ClientId>,
    /// The refid of the user to bind the client to. Only an operator may give it; a user can be bound to one client
    /// only.
    #[schema(value_type = Option<UserRefid>)]
    user: Option<String>,
}

/// Create a client
#[utoipa::path(
    post, path = "/v1/clients", tag = "clients", request_body = CreateClient,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
    ),
    responses(
        (status = 201, body = ClientView),
        Refused<(
            Forbidden, NotFound, DuplicateEmail, DuplicateClientId, UserBound, ResellerSuspended, ResellerPending,
            InvalidReseller, InvalidUser, SensitiveMetadata, MetadataTooLarge, TooManyAttempts, AnswerErased,
        )>,
    )
)]
async fn create_client(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Selling, (), Option<Key>, Body<CreateClient>>,
) -> Result<Response, Problem> {
    let reseller = call.reseller(body.reseller.as_deref())?;
    let user = call.login(body.user.as_deref())?;
    // The fingerprint covers the resolved reseller, so a repeat that names the reseller counts as the same request as
    // one that relies on the API key.
    let resolved = CreateClient { reseller: reseller.as_ref().map(ToString::to_string), ..body.clone() };
    let new = ClientBody::new(body.name, body.email, body.phone, body.metadata, body.client_id);
    let asker = call.asker(new.named());
    let (key, new) = key.judged(|| new.clone().into_new())?;
    let request = call.repeatable(key, &resolved)?;
    let creation = ClientCreation { new: &new, reseller: reseller.as_ref(), user, asker: asker.as_ref() };
    let created = seen_by!(call, ClientView as Seen => app.store.create_client::<Seen>(&creation, &request).await);
    Ok(answer::created(call.told(&app, asker.as_ref(), created).await?))
}
