//! E-mails to users about changes of their account, so that they notice changes they did not make (rule D2).

use purser_domain::basic::refid::UserRefid;
use purser_domain::parties::reseller::Reseller;
use purser_domain::people::user::User;
use purser_edge::App;
use purser_edge::process::mail::Mail;

use purser_mails::{accounts, branding_reseller};

pub(super) async fn password_changed(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    let mail = |(user, reseller): (User, Option<Reseller>)| {
        accounts::password_changed(app, &user.email, &user.name, when, reseller.as_ref())
    };
    found.map(mail).transpose()
}

/// Goes to the previous address, so that its owner notices a change by a thief of the account.
pub(super) async fn email_changed(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let Some((User { name, previous_email: Some(before), .. }, reseller)) = user_and_reseller(app, user).await? else {
        return Ok(None);
    };
    accounts::email_changed(app, &before, &name, when, reseller.as_ref()).map(Some)
}

pub(super) async fn second_factor_changed(
    app: &App,
    user: &UserRefid,
    on: bool,
    when: &str,
) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    let mail = |(user, reseller): (User, Option<Reseller>)| {
        accounts::second_factor_changed(app, &user.email, &user.name, on, when, reseller.as_ref())
    };
    found.map(mail).transpose()
}

pub(super) async fn new_device(app: &App, user: &UserRefid, login: &str, when: &str) -> Result<Option<Mail>, String> {
    let Some((User { email, name, .. }, reseller)) = user_and_reseller(app, user).await? else {
        return Ok(None);
    };
    let Some(login) = app.store.login(login).await? else {
        return Ok(None);
    };
    let address = login.address.as_deref().unwrap_or("unknown");
    accounts::new_device(app, &email, &name, when, address, login.agent.as_deref(), reseller.as_ref()).map(Some)
}

/// A user, and the reseller whose brand the user's e-mails carry. `None` if the user has been deleted.
async fn user_and_reseller(app: &App, refid: &UserRefid) -> Result<Option<(User, Option<Reseller>)>, String> {
    let Some(user) = app.store.user(refid).await? else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    Ok(Some((user, reseller)))
}
