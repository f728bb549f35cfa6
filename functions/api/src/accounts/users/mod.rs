//! `manage-users`: the users of operators, resellers and customers (rules D4, B1).
//!
//! Invariant: operators manage every user. A reseller manages its own staff, except operators among them, and can't
//! grant anybody more than it may do itself. A change of a user's roles or status ends the user's sessions in the
//! same commit.

mod clean_up;
mod lists;

use purser_domain::basic::{EmailAddress, Name, ResellerRefid, UserRefid};
use purser_domain::people::{ResellerRole, Scopes, User, UserChange, UserStatus};
use purser_edge::http::json::present;
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_edge::process::metrics::Metric;
use purser_store::people::account::{Account, AccountChange};

use crate::accounts::view::UserView;

noted!(AnotherReseller = NotFound, ", if a reseller names another reseller");

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(invite_user, lists::list_users))
        .routes(routes!(read_user, change_user, clean_up::delete_user))
        .routes(routes!(clean_up::list_stale_users))
        .routes(routes!(lists::list_logins))
        .routes(routes!(activate_user))
        .routes(routes!(suspend_user))
        .routes(routes!(release_second_factor))
}

/// A user to invite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"email": "ada@acme.example", "name": "Ada Lovelace", "operator": true}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct InviteUser {
    email: EmailAddress,
    name: Name,
    /// Whether the user becomes an operator. Only operators may set this.
    #[serde(default)]
    operator: bool,
    /// The reseller whose staff the user joins. A caller who is a reseller can name only itself, which is also the
    /// default.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// What the user may do as an operator; everything if it is left out. Only operators may set this, and nobody can
    /// give a scope that they lack.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes>,
    /// What the user may do as a member of the reseller; `owner` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    reseller_role: Option<ResellerRole>,
}

/// Refuses scopes for a user who is no operator, and a role in a reseller for one who is no member: they would be
/// dropped without a word.
fn must_fit(operates: bool, belongs: bool, (scopes, role): (bool, bool)) -> Result<(), Problem> {
    if scopes && !operates {
        return Err(Problem::invalid("/scopes", "are an operator's; a member's follow from reseller_role"));
    }
    if role && !belongs {
        return Err(Problem::invalid("/reseller_role", "is only for a member of a reseller"));
    }
    Ok(())
}

/// Refuses to give a user scopes of which the caller lacks one.
fn must_grant(call: &Call, scopes: Option<Scopes>) -> Result<(), Problem> {
    scopes.map_or(Ok(()), |scopes| call.may_grant(&scopes)).map_err(Problem::from)
}

/// Invite a user
///
/// Creates a user, and e-mails them a link to set a password. Needs the scope `admin`, and of a signed-in user a recent
/// proof.
#[utoipa::path(
    post, path = "/v1/users", tag = "users", request_body = InviteUser,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
    ),
    responses(
        (status = 201, body = UserView),
        Refused<(
            Forbidden, ProofRequired, AnotherReseller, DuplicateEmail, ResellerSuspended, ResellerPending,
            InvalidReseller, TooManyAttempts, AnswerErased,
        )>,
    )
)]
async fn invite_user(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Proven<Admin>, (), Option<Key>, Body<InviteUser>>,
) -> Result<Response, Problem> {
    if body.operator || body.scopes.is_some() {
        call.caller.must_operate()?;
    }
    let reseller = call.reseller(body.reseller.as_deref())?;
    let given = (body.scopes.is_some(), body.reseller_role.is_some());
    must_fit(body.operator, reseller.is_some(), given)?;
    let request = call.repeatable(key, &body)?;
    let holds = |user: User| User {
        operator: body.operator,
        scopes: body.scopes.clone().filter(|_| body.operator),
        reseller: reseller.clone(),
        reseller_role: body.reseller_role.unwrap_or_default(),
        ..user
    };
    must_grant(&call, body.operator.then(|| body.scopes.clone().unwrap_or_else(Scopes::all)))?;
    must_grant(&call, reseller.as_ref().map(|_| body.reseller_role.unwrap_or_default().scopes()))?;
    let asker = call.asker(1);
    let invited = app.store.create_user::<UserView>(&body.email, &body.name, holds, asker.as_ref(), &request).await;
    let invited = call.told(&app, asker.as_ref(), invited).await?;
    if body.operator {
        app.security(Metric::OperatorMade, call.caller.actor.as_str(), None);
    }
    Ok(answer::created(invited))
}

/// Show a user
#[utoipa::path(
    get, path = "/v1/users/{refid}", tag = "users", params(("refid" = UserRefid, Path)),
    responses((status = 200, body = UserView))
)]
async fn read_user(Input(_call, Found(user), ..): Input<Call, Found<User>>) -> Result<Response, Problem> {
    answer::ok(&UserView::from(&user))
}

/// The changes to a user. Members that are left out stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"operator": false}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ChangeUser {
    #[schema(value_type = Name)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
    /// Whether the user is an operator.
    #[schema(value_type = bool)]
    #[serde(default, deserialize_with = "present")]
    operator: Option<bool>,
    /// The reseller whose staff the user belongs to; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<Option<String>>,
    /// What the user may do as an operator; null for everything.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Scopes>)]
    scopes: Option<Option<Scopes>>,
    /// What the user may do as a member of the reseller. A reseller can change nothing else.
    #[schema(value_type = ResellerRole)]
    #[serde(default, deserialize_with = "present")]
    reseller_role: Option<ResellerRole>,
}

/// Change a user
///
/// A change of roles or scopes ends the user's sessions, and those of the user's API keys that may do more than the
/// user. Needs the scope `admin`, and of a signed-in user a recent proof.
#[utoipa::path(
    patch, path = "/v1/users/{refid}", tag = "users", request_body = ChangeUser,
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag."),
    ),
    responses((status = 200, body = UserView), Refused<(Forbidden, ProofRequired, InvalidReseller)>)
)]
async fn change_user(
    State(app): State<App>,
    Input(call, Found(user), version, Body(body)): Input<Proven<Admin>, Found<User>, IfMatch, Body<ChangeUser>>,
) -> Result<Response, Problem> {
    if body.name.is_some() || body.operator.is_some() || body.reseller.is_some() || body.scopes.is_some() {
        call.caller.must_operate()?;
    }
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
    let belongs = reseller.as_ref().map_or(user.reseller.is_some(), Option::is_some);
    let given = (matches!(body.scopes, Some(Some(_))), body.reseller_role.is_some());
    must_fit(body.operator.unwrap_or(user.operator), belongs, given)?;
    let change = UserChange {
        name: body.name,
        operator: body.operator,
        scopes: body.scopes,
        reseller,
        reseller_role: body.reseller_role,
        status: None,
        by_operator: call.caller.must_operate().is_ok(),
    };
    let answer = changed(&app, &call, &user.refid, &version, change).await?;
    if body.operator == Some(true) && !user.operator {
        app.security(Metric::OperatorMade, call.caller.actor.as_str(), None);
    }
    Ok(answer)
}

async fn changed(
    app: &App,
    call: &Call,
    refid: &UserRefid,
    version: &IfMatch,
    change: UserChange,
) -> Result<Response, Problem> {
    let apply = |account: &Account| {
        if !call.may_manage(&account.user) {
            return Err(Refusal::NotFound(ResourceKind::User).into());
        }
        version.must_hold(account.user.version)?;
        if account.user.kept_out && change.status == Some(UserStatus::Active) {
            call.caller.must_operate()?;
        }
        let changed = account.user.changed(&change);
        if let Some(changed) = &changed {
            may_give(call, &account.user, changed)?;
        }
        Ok(changed)
    };
    let changed = app.store.change_rights::<UserView>(refid, &call.request(), apply).await?;
    Ok(answer::changed(changed))
}

/// Refuses a change by which a user gets rights that the caller may not grant: a role, scopes in it, or the permission
/// to sign in with them.
fn may_give(call: &Call, before: &User, after: &User) -> Result<(), Refusal> {
    let rights = |user: &User| {
        let scopes = user.rights().filter(|_| user.may_sign_in());
        // As an operator, a user does not act as a member.
        scopes.map(|scopes| (user.operator, user.reseller.clone().filter(|_| !user.operator), scopes))
    };
    let given = rights(after).filter(|given| rights(before).as_ref() != Some(given));
    let Some((.., scopes)) = given else { return Ok(()) };
    call.may_grant(&scopes)
}

/// Let a suspended user sign in again
///
/// Needs the scope `admin`, all scopes that the user then has, and of a signed-in user a recent proof.
#[utoipa::path(
    post, path = "/v1/users/{refid}/activate", tag = "users",
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = UserView), Refused<ProofRequired>)
)]
async fn activate_user(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Proven<Admin>, Named<UserRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, UserStatus::Active).await
}

/// Suspend a user
///
/// The user's sessions end, and the user can't sign in.
#[utoipa::path(
    post, path = "/v1/users/{refid}/suspend", tag = "users",
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = UserView))
)]
async fn suspend_user(
    State(app): State<App>,
    Input(call, named, version, ()): Input<Ending, Named<UserRefid>, IfMatch>,
) -> Result<Response, Problem> {
    set_status(&app, &call, named, &version, UserStatus::Suspended).await
}

/// Let a user whose second factor is lost do without it
///
/// The second factor stays until the user sets a new password by a link in an e-mail, within 24 hours. So neither an
/// operator alone nor a reader of the e-mails alone can remove it. Needs the scope `admin`, and of a signed-in user a
/// recent proof.
#[utoipa::path(
    post, path = "/v1/users/{refid}/release-second-factor", tag = "users",
    params(
        ("refid" = UserRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses((status = 200, body = UserView), Refused<(ProofRequired, SecondFactorDisabled)>)
)]
async fn release_second_factor(
    State(app): State<App>,
    Input(call, Found(user), version, ()): Input<Operator<Proven<Admin>>, Found<User>, IfMatch>,
) -> Result<Response, Problem> {
    let release = |account: &Account| {
        version.must_hold(account.user.version)?;
        if account.credentials.second_factor.is_none() {
            return Err(Refusal::SecondFactorDisabled.into());
        }
        let mut credentials = account.credentials.next(call.now);
        credentials.factor_released_at = Some(call.now);
        Ok(Some(AccountChange { credentials: Some(credentials), ..AccountChange::default() }))
    };
    let released = app.store.change_account::<UserView>(&user.refid, &call.request(), release).await?;
    Ok(answer::changed(released))
}

async fn set_status(
    app: &App,
    call: &Call,
    Named(refid): Named<UserRefid>,
    version: &IfMatch,
    status: UserStatus,
) -> Result<Response, Problem> {
    let change =
        UserChange { status: Some(status), by_operator: call.caller.must_operate().is_ok(), ..UserChange::default() };
    changed(app, call, &refid, version, change).await
}
