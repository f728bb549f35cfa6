//! `api-keys`: how machines get in, and out again.
//!
//! Invariant: a key is shown once, at its creation; a reseller makes, sees and revokes keys for itself only.

use crate::accounts::view::ApiKeyView;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use purser_domain::basic::refid::{ApiKeyRefid, ResellerRefid};
use purser_domain::basic::text::Name;
use purser_domain::people::api_key::ApiKey;
use purser_domain::people::caller::{Caller, Role};
use purser_edge::caller::call::Listed;
use purser_edge::caller::input::Named;
use purser_edge::http::answer;
use purser_edge::http::answer::{List, position};
use purser_edge::http::extract::{Body, Key, Limit, Params};
use purser_edge::http::json;
use purser_edge::http::problem::refusals::{InvalidReseller, KeyAlreadyShown, NotFound, Refused};
use purser_edge::{App, Call, Input, Problem};
use purser_store::engine::page::Page;
use purser_store::engine::secrets::{random, sha256_hex};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(create_api_key, list_api_keys)).routes(routes!(revoke_api_key))
}

/// A key to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Web shop"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CreateApiKey {
    /// The reseller it acts for; an operator's key unless given. A reseller's own key implies itself.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// What it is for.
    name: Name,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedApiKey {
    /// The key; it is shown this once.
    key: String,
    #[serde(flatten)]
    view: ApiKeyView,
}

/// Create an API key
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "api-keys", request_body = CreateApiKey,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeat is refused."),
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
    let shown = CreatedApiKey { key: format!("{}.{secret}", made.refid), view: (&made).into() };
    let created = app.store.create_api_key(&made, &request, json::write(&shown)?).await?;
    Ok(answer::created(created))
}

/// Which keys.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApiKeyQuery {
    /// Only this reseller's; an operator that names none sees the operators'.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// Where to go on: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many, 25 unless given.
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
    Input(call, Named(refid), ..): Input<Call, Named<ApiKeyRefid>>,
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
