//! `api-keys`: creating, listing and revoking the keys with which programs call the API.
//!
//! Invariant: a key is shown once, when it is created. A reseller creates, lists and revokes only its own keys.

use http::StatusCode;
use purser_domain::basic::{ApiKeyRefid, Name, ResellerRefid};
use purser_domain::people::{ApiKey, Caller, Role};
use purser_edge::caller::call::Listed;
use purser_edge::http::answer::{List, position};
use purser_edge::http::json;
use purser_edge::prelude::*;
use purser_store::engine::Page;
use purser_store::engine::secrets::{random, sha256_hex};

use crate::accounts::view::ApiKeyView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(create_api_key, list_api_keys)).routes(routes!(revoke_api_key))
}

/// The API key to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Web shop"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CreateApiKey {
    /// The reseller that the key acts for. If an operator leaves it out, the key is an operator's. A reseller can
    /// name only itself, and may leave it out.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// A name that tells people what the key is for.
    name: Name,
}

/// An API key that has just been created.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedApiKey {
    /// The key itself. It is shown only this once.
    key: String,
    #[serde(flatten)]
    view: ApiKeyView,
}

/// Create an API key
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "api-keys", request_body = CreateApiKey,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request is refused."),
    ),
    responses((status = 201, body = CreatedApiKey), Refused<(NotFound, KeyAlreadyShown, InvalidReseller)>)
)]
async fn create_api_key(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Call, (), Option<Key>, Body<CreateApiKey>>,
) -> Result<Response, Problem> {
    let reseller = call.reseller(body.reseller.as_deref())?;
    let request = call.repeatable(key, &body)?;
    let role = reseller.map_or(Role::Operator, Role::Reseller);
    let secret = data_encoding::BASE64URL_NOPAD.encode(&random::<32>()?);
    let made = ApiKey {
        refid: app.store.new_api_key_refid()?,
        name: body.name,
        role,
        secret_sha256: sha256_hex(secret.as_bytes()),
        created_at: call.now,
        version: 1,
    };
    let tenant = match &made.role {
        Role::Reseller(reseller) => format!("{reseller}."),
        Role::Operator | Role::Customer => String::new(),
    };
    // The key names its reseller, so that the reseller's standing is read with it.
    let shown = CreatedApiKey { key: format!("{}.{tenant}{secret}", made.refid), view: (&made).into() };
    let created = app.store.create_api_key(&made, &request, json::write(&shown)?).await?;
    Ok(answer::created(created))
}

/// Which API keys to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApiKeyQuery {
    /// The reseller whose keys to list. If an operator omits this parameter, the operators' own keys are listed.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// The size of a page; 25 by default.
    limit: Option<Limit>,
}

type ApiKeyList = List<ApiKeyView>;

/// List API keys, newest first
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "api-keys", params(ApiKeyQuery),
    responses((status = 200, body = ApiKeyList), Refused<NotFound>)
)]
async fn list_api_keys(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<ApiKeyQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&query.reseller);
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let Listed::Of(reseller) = call.listed(query.reseller.as_deref())? else {
        let none = Page::<ApiKey>::only(None);
        return List::answer(&app, &scope, none, |key| ApiKeyView::from(key));
    };
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.api_keys(reseller.as_ref(), limit, position).await?;
    List::answer(&app, &scope, page, |key: &ApiKey| ApiKeyView::from(key))
}

/// Revoke an API key
#[utoipa::path(
    delete, path = "/v1/api-keys/{refid}", tag = "api-keys", params(("refid" = ApiKeyRefid, Path)),
    responses((status = 204))
)]
async fn revoke_api_key(
    State(app): State<App>,
    Input(call, Named(refid), ..): Input<Ending, Named<ApiKeyRefid>>,
) -> Result<Response, Problem> {
    app.store.revoke_api_key(&refid, &call.request(), |key| may_revoke(&call.caller, key)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn may_revoke(caller: &Caller, key: &ApiKey) -> bool {
    match &key.role {
        Role::Operator | Role::Customer => caller.must_operate().is_ok(),
        Role::Reseller(reseller) => caller.owns(Some(reseller)),
    }
}
