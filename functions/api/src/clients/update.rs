//! `update-client`: changes a client's details, its user and its status (rules A2, A4, A6–A8).
//!
//! Invariant: for another reseller's client, the answer is that for a missing one, before the body is checked.

use purser_domain::basic::{ClientRefid, EmailAddress, Name, Phone, UserRefid};
use purser_domain::parties::{Client, ClientChange, ClientStatus, Metadata};
use purser_edge::http::json::present;
use purser_edge::prelude::*;
use serde_json::{Map, Value};

use crate::clients::body::check_merge;
use crate::clients::view::{ClientView, seen_by};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(change_client))
        .routes(routes!(activate_client))
        .routes(routes!(suspend_client))
        .routes(routes!(deactivate_client))
}

/// The members to change; a member that is left out keeps its value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"phone": "+44 20 7946 0000", "metadata": {"segment": null}}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeClient {
    #[schema(value_type = Name)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
    /// Unique among all clients, ignoring case.
    #[schema(value_type = EmailAddress)]
    #[serde(default, deserialize_with = "present")]
    email: Option<EmailAddress>,
    /// Null removes the phone number.
    #[schema(value_type = Option<Phone>)]
    #[serde(default, deserialize_with = "present")]
    phone: Option<Option<Phone>>,
    /// A JSON merge patch (RFC 7396) for the existing metadata: null removes a key.
    #[schema(value_type = Metadata)]
    #[serde(default, deserialize_with = "present")]
    metadata: Option<Map<String, Value>>,
    /// The refid of the user to bind the client to; null unbinds it. Only an operator may change it. A bound client
    /// must be unbound before it can be bound to another user.
    #[schema(value_type = Option<UserRefid>)]
    #[serde(default, deserialize_with = "present")]
    user: Option<Option<String>>,
}

/// Change a client
#[utoipa::path(
    patch, path = "/v1/clients/{refid}", tag = "clients", request_body = ChangeClient,
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag."),
    ),
    responses(
        (status = 200, body = ClientView),
        Refused<(
            Forbidden, DuplicateEmail, ClientBound, UserBound, InvalidUser, SensitiveMetadata, MetadataTooLarge,
            TooManyAttempts,
        )>,
    )
)]
async fn change_client(
    State(app): State<App>,
    Input(call, Found(found), version, Body(body)): Input<Call, Found<Client>, IfMatch, Body<ChangeClient>>,
) -> Result<Response, Problem> {
    let patch = body.metadata.as_ref();
    check_merge(&found.metadata, patch)?;
    let user = match &body.user {
        Some(user) => {
            call.caller.must_operate()?;
            Some(call.login(user.as_deref())?)
        }
        None => None,
    };
    let now = call.now;
    let change = |client: &Client| {
        version.must_hold(client.version)?;
        let change = ClientChange {
            name: body.name.clone(),
            email: body.email.clone(),
            phone: body.phone.clone(),
            metadata: client.metadata.with(patch)?,
            user: user.clone(),
        };
        client.changed(change, now)
    };
    let may = |client: &Client| call.may_reach(client);
    let (refid, request) = (&found.refid, call.request());
    // A change that succeeds tells as much of the address as one that is refused.
    let moves = body.email.as_ref().is_some_and(|email| email.folded() != found.email.folded());
    call.charge(&app, call.asker(u32::from(moves)).as_ref()).await?;
    let changed =
        seen_by!(call, ClientView as Seen => app.store.change_client::<Seen>(refid, &request, may, change).await);
    Ok(answer::changed(changed?))
}

/// Activate a client
#[utoipa::path(
    post, path = "/v1/clients/{refid}/activate", tag = "clients",
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = ClientView), Refused<StatusTransitionDenied>)
)]
async fn activate_client(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<ClientRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, ClientStatus::Active).await
}

/// Suspend a client
#[utoipa::path(
    post, path = "/v1/clients/{refid}/suspend", tag = "clients",
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = ClientView), Refused<StatusTransitionDenied>)
)]
async fn suspend_client(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<ClientRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, ClientStatus::Suspended).await
}

/// Deactivate a client
#[utoipa::path(
    post, path = "/v1/clients/{refid}/deactivate", tag = "clients",
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = ClientView), Refused<StatusTransitionDenied>)
)]
async fn deactivate_client(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Call, Named<ClientRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, ClientStatus::Inactive).await
}

async fn set_status(
    app: &App,
    call: &Call,
    Named(refid): Named<ClientRefid>,
    version: &IfMatch,
    to: ClientStatus,
) -> Result<Response, Problem> {
    let may = |client: &Client| call.may_reach(client);
    let change = |client: &Client| {
        version.must_hold(client.version)?;
        client.in_status(to, call.now)
    };
    let request = call.request();
    let changed =
        seen_by!(call, ClientView as Seen => app.store.change_client::<Seen>(&refid, &request, may, change).await);
    Ok(answer::changed(changed?))
}
