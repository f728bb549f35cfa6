//! `manage-users`: the logins of operators, resellers' staff and customers (rules D4, B1).
//!
//! Invariant: operators reach every login; a reseller its own staff, but no operator among them, and gives nobody more
//! than it has. Other roles or another status end a login's sessions in the same commit.

mod clean_up;
mod lists;

use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ResellerRefid, UserRefid};
use purser_domain::basic::text::Name;
use purser_domain::people::caller::Role;
use purser_domain::people::user::{User, UserChange, UserStatus};
use purser_domain::refusal::What;
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, IfMatch, MaybeBody, Named, OptionalKey};
use purser_edge::http::json;
use purser_edge::http::json::present;
use purser_edge::shapes::{EmailShape, IdempotencyKeyShape, NameShape, ResellerRefidShape, UserRefidShape, UserShape};
use purser_edge::{App, Call, Problem};
use purser_store::people::account::{Account, AccountChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(invite_user, lists::list_users))
        .routes(routes!(read_user, change_user, clean_up::delete_user))
        .routes(routes!(clean_up::list_stale_users))
        .routes(routes!(lists::list_logins))
        .routes(routes!(activate_user))
        .routes(routes!(suspend_user))
}

/// Somebody to invite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"email": "ada@acme.example", "name": "Ada Lovelace", "operator": true}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct InviteUser {
    #[schema(value_type = EmailShape)]
    email: EmailAddress,
    #[schema(value_type = NameShape)]
    name: Name,
    /// Whether it is an operator; only operators may say so.
    #[serde(default)]
    operator: bool,
    /// The reseller it is a member of; a reseller's key implies itself.
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
}

/// Invite somebody
///
/// Makes a login, and mails its owner a link to set a password.
#[utoipa::path(
    post, path = "/v1/users", tag = "users", request_body = InviteUser,
    params(
        ("Idempotency-Key" = Option<IdempotencyKeyShape>, Header, description = "A repeat answers the first answer."),
    ),
    responses(
        (status = 201, body = UserShape),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`, for another reseller"),
        (status = 409, description = "`duplicate_email`, `reseller_suspended`, `reseller_pending`"),
        (status = 422, description = "`invalid_reseller`"),
    )
)]
async fn invite_user(
    State(app): State<App>,
    call: Call,
    key: OptionalKey,
    body: MaybeBody<InviteUser>,
) -> Result<Response, Problem> {
    let key = key?;
    let Body(body) = body?;
    if body.operator {
        call.caller.must_operate()?;
    }
    let reseller = call.reseller(body.reseller.as_deref())?;
    let request = call.request(&app, key.as_ref(), &body)?;
    let holds = |user: User| User { operator: body.operator, reseller: reseller.clone(), ..user };
    let invited =
        app.store.create_user(&body.email, &body.name, holds, &request, |user| json::write(&UserShape::from(user)));
    Ok(answer::created(invited.await?))
}

/// Whether the caller may see and manage a login.
fn may_reach(call: &Call, user: &User) -> bool {
    match &call.caller.role {
        Role::Operator => true,
        Role::Reseller(own) => user.reseller.as_ref() == Some(own) && !user.operator,
        Role::Customer => false,
    }
}

async fn user(app: &App, call: &Call, refid: &UserRefid) -> Result<User, Problem> {
    let found = app.store.user(refid).await?;
    let own = found.filter(|user| may_reach(call, user));
    own.ok_or_else(|| Refusal::NotFound(What::User).into())
}

/// Show a login
#[utoipa::path(
    get, path = "/v1/users/{refid}", tag = "users", params(("refid" = UserRefidShape, Path)),
    responses((status = 200, body = UserShape))
)]
async fn read_user(
    State(app): State<App>,
    call: Call,
    named: Result<Named<UserRefid>, Problem>,
) -> Result<Response, Problem> {
    let Named(refid) = named?;
    let user = user(&app, &call, &refid).await?;
    answer::ok(&UserShape::from(&user))
}

/// What to change of a login.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"operator": false}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeUser {
    #[schema(value_type = NameShape)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
    /// Whether it is an operator.
    #[schema(value_type = bool)]
    #[serde(default, deserialize_with = "present")]
    operator: Option<bool>,
    /// The reseller it is a member of; null: of none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<Option<String>>,
}

/// Change a login
///
/// Other roles end its sessions.
#[utoipa::path(
    patch, path = "/v1/users/{refid}", tag = "users", request_body = ChangeUser,
    params(
        ("refid" = UserRefidShape, Path),
        ("If-Match" = Option<String>, Header, description = "Only if this is its ETag."),
    ),
    responses(
        (status = 200, body = UserShape),
        (status = 403, description = "`forbidden`"),
        (status = 422, description = "`invalid_reseller`"),
    )
)]
async fn change_user(
    State(app): State<App>,
    call: Call,
    named: Result<Named<UserRefid>, Problem>,
    version: Result<IfMatch, Problem>,
    body: MaybeBody<ChangeUser>,
) -> Result<Response, Problem> {
    call.caller.must_operate()?;
    let Named(refid) = named?;
    let _found = user(&app, &call, &refid).await?;
    let version = version?;
    let Body(body) = body?;
    let reseller = match &body.reseller {
        Some(Some(named)) => {
            let named = ResellerRefid::parse(named).ok_or(Refusal::InvalidReseller)?;
            let there = app.store.wallet(&named).await?;
            there.ok_or(Refusal::InvalidReseller)?;
            Some(Some(named))
        }
        Some(None) => Some(None),
        None => None,
    };
    let change = UserChange { name: body.name, operator: body.operator, reseller, ..UserChange::default() };
    changed(&app, &call, &refid, &version, change).await
}

async fn changed(
    app: &App,
    call: &Call,
    refid: &UserRefid,
    version: &IfMatch,
    change: UserChange,
) -> Result<Response, Problem> {
    let apply = |account: &Account| {
        if !may_reach(call, &account.user) {
            return Err(Refusal::NotFound(What::User).into());
        }
        version.must_hold(account.user.version)?;
        if account.user.kept_out && change.status == Some(UserStatus::Active) {
            call.caller.must_operate()?;
        }
        let changed = account.user.changed(&change);
        let shown = UserShape::from(changed.as_ref().unwrap_or(&account.user));
        let change = changed.map(|user| AccountChange { user: Some(user), ..AccountChange::default() });
        Ok((change, json::write(&shown)?))
    };
    let request = call.request(app, None, &())?;
    let changed = app.store.change_account(refid, &request, apply).await?;
    Ok(answer::changed(changed))
}

/// Let a login sign in again
#[utoipa::path(
    post, path = "/v1/users/{refid}/activate", tag = "users", params(("refid" = UserRefidShape, Path)),
    responses((status = 200, body = UserShape))
)]
async fn activate_user(
    State(app): State<App>,
    call: Call,
    named: Result<Named<UserRefid>, Problem>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, UserStatus::Active).await
}

/// Keep a login out
///
/// Its sessions end.
#[utoipa::path(
    post, path = "/v1/users/{refid}/suspend", tag = "users", params(("refid" = UserRefidShape, Path)),
    responses((status = 200, body = UserShape))
)]
async fn suspend_user(
    State(app): State<App>,
    call: Call,
    named: Result<Named<UserRefid>, Problem>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, UserStatus::Suspended).await
}

async fn set_status(
    app: &App,
    call: &Call,
    named: Result<Named<UserRefid>, Problem>,
    status: UserStatus,
) -> Result<Response, Problem> {
    let Named(refid) = named?;
    let change =
        UserChange { status: Some(status), by_operator: call.caller.must_operate().is_ok(), ..UserChange::default() };
    changed(app, call, &refid, &IfMatch::any(), change).await
}
