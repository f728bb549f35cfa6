//! `api-keys`: creating, listing and revoking the keys with which programs call the API.
//!
//! Invariant: a key is shown once, when it is created. It may do nothing that its maker may not. A reseller creates,
//! lists and revokes only its own keys.

use http::StatusCode;
use purser_domain::basic::{ApiKeyRefid, Name, ResellerRefid, Time};
use purser_domain::people::caller::api_key;
use purser_domain::people::{ApiKey, Caller, Role, Scopes};
use purser_edge::caller::call::Listed;
use purser_edge::http::answer::{List, position};
use purser_edge::http::json;
use purser_edge::prelude::*;
use purser_store::engine::Page;
use purser_store::engine::secrets::{random, sha256_hex};
use purser_store::people::api_key::ListedKey;

use crate::accounts::view::ApiKeyView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(create_api_key, list_api_keys))
        .routes(routes!(adopt_api_keys))
        .routes(routes!(revoke_api_key))
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
    /// What the key may do: `read` to look, `sell` to create clients and buy, `manage` to change and delete, `admin` to
    /// manage people and keys, `money` for top-ups, refunds and transfers. Nobody can give a scope that they lack; if
    /// this is left out, the key gets all scopes that its maker has.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes>,
    /// When the key stops working: in the future, and at most five years ahead; a year from now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
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
///
/// Needs the scope `admin`, and of a signed-in user a recent proof. The administrators are mailed. The key belongs to
/// the user who makes it; what a key makes belongs to its own owner, who can have at most 20 keys.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "api-keys", request_body = CreateApiKey,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request is refused."),
    ),
    responses(
        (status = 201, body = CreatedApiKey),
        Refused<(Forbidden, ProofRequired, NotFound, KeyAlreadyShown, TooManyApiKeys, InvalidReseller)>,
    )
)]
async fn create_api_key(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Proven<Admin>, (), Option<Key>, Body<CreateApiKey>>,
) -> Result<Response, Problem> {
    let reseller = call.reseller(body.reseller.as_deref())?;
    let request = call.repeatable(key, &body)?;
    let role = reseller.map_or(Role::Operator, Role::Reseller);
    let scopes = body.scopes.unwrap_or_else(|| call.caller.scopes.clone());
    call.caller.must_have_all(&scopes)?;
    let secret = data_encoding::BASE64URL_NOPAD.encode(&random::<32>()?);
    let made = ApiKey {
        refid: app.store.new_api_key_refid()?,
        name: body.name,
        role,
        owner: call.key_owner(),
        scopes,
        expires_at: expiry(body.expires_at, &call)?,
        secret_sha256: sha256_hex(secret.as_bytes()),
        created_at: call.now,
        version: 1,
    };
    let tenant = made.reseller().map_or_else(String::new, |reseller| format!("{reseller}."));
    // The key names its reseller, so that the reseller's standing is read with it.
    let shown = CreatedApiKey { key: format!("{}.{tenant}{secret}", made.refid), view: ApiKeyView::of(&made, None) };
    let created =
        app.store.create_api_key(&made, call.key().map(|key| &key.refid), &request, json::write(&shown)?).await?;
    Ok(answer::created(created))
}

/// When a new key expires. No key makes one that outlives it.
fn expiry(given: Option<Time>, call: &Call) -> Result<Time, Problem> {
    let own = call.key().map(|key| key.expires_at);
    let within = |time: Time| own.map_or(time, |own| own.min(time));
    let Some(given) = given else { return Ok(within(call.now.plus(api_key::LASTS))) };
    if given > call.now && given <= within(call.now.plus(api_key::LASTS_AT_MOST)) {
        return Ok(given);
    }
    let detail = "must be in the future, at most five years ahead, and no later than that of the key that makes it";
    Err(Problem::invalid("/expires_at", detail))
}

/// The reseller whose keys to adopt.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AdoptionQuery {
    /// The reseller whose keys to adopt. If it is left out, the operators' own keys are adopted.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
}

/// What became of the API keys from before keys had owners.
#[derive(Debug, Serialize, ToSchema)]
struct AdoptedApiKeys {
    /// How many keys now belong to a keyring.
    adopted: usize,
    /// The keys whose maker is gone, is suspended, or may do less than the key. They still work: revoke or replace
    /// them.
    orphans: Vec<ApiKeyRefid>,
}

/// Give API keys from before keys had owners to their makers
///
/// From then on such a key ends when its maker loses one of its rights. Running this again changes nothing;
/// `purser-operator migrate` runs it for the operators and for each reseller.
#[utoipa::path(
    post, path = "/v1/api-keys/adopt", tag = "api-keys", params(AdoptionQuery),
    responses((status = 200, body = AdoptedApiKeys), Refused<(Forbidden, NotFound)>)
)]
async fn adopt_api_keys(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Operator<Admin>, (), Params<AdoptionQuery>>,
) -> Result<Response, Problem> {
    let unknown = || Refusal::NotFound(ResourceKind::Reseller);
    let reseller = query.reseller.map(|named| ResellerRefid::parse(&named).ok_or_else(unknown)).transpose()?;
    if let Some(reseller) = &reseller {
        app.store.wallet(reseller).await?.ok_or_else(unknown)?;
    }
    let done = app.store.adopt_api_keys(reseller.as_ref(), &call.request()).await?;
    answer::ok(&AdoptedApiKeys { adopted: done.adopted, orphans: done.orphans })
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
        let none = Page::<ListedKey>::only(None);
        return List::answer(&app, &scope, none, shown);
    };
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.api_keys(reseller.as_ref(), limit, position).await?;
    List::answer(&app, &scope, page, shown)
}

fn shown(listed: &ListedKey) -> ApiKeyView {
    ApiKeyView::of(&listed.key, listed.last_used_at)
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
    caller.owns(key.reseller())
}
