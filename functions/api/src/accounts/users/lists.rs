//! Lists of users, and of their sign-ins.

use purser_domain::basic::{EmailAddress, ResellerRefid, UserRefid, as_stored};
use purser_domain::people::User;
use purser_edge::caller::call::Listed;
use purser_edge::http::answer::{List, position};
use purser_edge::prelude::*;
use purser_store::engine::Page;
use purser_store::people::user::UserFilter;

use crate::accounts::view::{LoginView, UserView};

/// Which users to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct UserQuery {
    /// List only the staff of this reseller.
    #[param(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// List only operators. Only operators may ask for this.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    operators: bool,
    /// List only the user with this address. Only operators may ask for this.
    email: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// The size of a page; 25 by default.
    limit: Option<Limit>,
}

type UserList = List<UserView>;

/// List users, newest first
#[utoipa::path(
    get, path = "/v1/users", tag = "users", params(UserQuery),
    responses((status = 200, body = UserList), Refused<(Forbidden, NotFound)>)
)]
pub(super) async fn list_users(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<UserQuery>>,
) -> Result<Response, Problem> {
    if query.operators || query.email.is_some() {
        call.caller.must_operate()?;
    }
    let scope = call.cursor_scope(&(&query.reseller, query.operators, &query.email));
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let Listed::Of(reseller) = call.listed(query.reseller.as_deref())? else {
        let none = Page::<User>::only(None);
        return List::answer(&app, &scope, none, |user| UserView::from(user));
    };
    let filter = match (&reseller, query.operators) {
        (Some(reseller), _) => UserFilter::Staff(reseller.clone()),
        (None, true) => UserFilter::Operators,
        (None, false) => UserFilter::All,
    };
    let limit = query.limit.unwrap_or_default().get();
    let mut page = if let Some(email) = query.email {
        Page::only(with_address(&app, email).await?)
    } else {
        app.store.users(&filter, limit, position).await?
    };
    page.items.retain(|user| call.may_manage(user) && filter.shows(user) && (!query.operators || user.operator));
    List::answer(&app, &scope, page, |user: &User| UserView::from(user))
}

/// The user with an address. Text that is not a valid address belongs to no user, and is not refused.
async fn with_address(app: &App, text: String) -> Result<Option<User>, Problem> {
    match as_stored(|| EmailAddress::try_from(text)) {
        Ok(email) => Ok(app.store.user_with_address(&email).await?),
        Err(_) => Ok(None),
    }
}

type LoginList = List<LoginView>;

/// List the sign-ins of a user in the last 180 days, newest first
#[utoipa::path(
    get, path = "/v1/users/{refid}/logins", tag = "users",
    params(("refid" = UserRefid, Path), PageQuery),
    responses((status = 200, body = LoginList))
)]
pub(super) async fn list_logins(
    State(app): State<App>,
    Input(call, Found(user), Params(query), ..): Input<Call, Found<User>, Params<PageQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&());
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.logins(&user.refid, limit, position).await?;
    List::answer(&app, &scope, page, |login| LoginView::from(login))
}
