//! The profile of the signed-in user.

use purser_domain::basic::Name;
use purser_domain::people::UserChange;
use purser_edge::caller::call::SignedIn;
use purser_edge::http::json::present;
use purser_edge::prelude::*;
use purser_store::people::account::{Account, AccountChange};

use crate::accounts::view::UserView;

/// Show your own account
#[utoipa::path(
    get, path = "/v1/me", tag = "account", security(("session" = [])),
    responses((status = 200, body = UserView))
)]
pub(super) async fn read_me(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    let user = app.store.user(&me.user).await?;
    let user = user.ok_or(Refusal::SessionEnded)?;
    answer::ok(&UserView::from(&user))
}

/// The changes to your own account. Members that are left out stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Ada King"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ChangeMe {
    #[schema(value_type = Name)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Name>,
}

/// Change your own account
#[utoipa::path(
    patch, path = "/v1/me", tag = "account", security(("session" = [])), request_body = ChangeMe,
    params(("If-Match" = Option<String>, Header, description = "Change only if this is the current ETag.")),
    responses((status = 200, body = UserView))
)]
pub(super) async fn change_me(
    State(app): State<App>,
    Input(me, (), version, Body(body)): Input<SignedIn, (), IfMatch, Body<ChangeMe>>,
) -> Result<Response, Problem> {
    let change = UserChange { name: body.name, ..UserChange::default() };
    let change = |account: &Account| {
        version.must_hold(account.user.version)?;
        let changed = account.user.changed(&change);
        Ok(changed.map(|user| AccountChange { user: Some(user), ..AccountChange::default() }))
    };
    let changed = app.store.change_own_account::<UserView>((&me.user, &me.session), &me.request, change).await?;
    Ok(answer::changed(changed))
}
