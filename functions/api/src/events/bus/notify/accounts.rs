//! E-mails to users about changes and sign-ins to their account, so that they notice misuse (rule D2).

use purser_domain::basic::UserRefid;
use purser_domain::parties::Reseller;
use purser_domain::people::User;
use purser_edge::App;
use purser_edge::process::mail::Mail;
use purser_mails::accounts::Recipient;
use purser_mails::branding_reseller;

pub(super) async fn password_changed(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    let mail = |(user, reseller): (User, Option<Reseller>)| {
        Recipient { app, to: &user.email, reseller: reseller.as_ref() }.password_changed(&user.name, when)
    };
    found.map(mail).transpose()
}

/// Goes to the address that the account still has, so that its owner can stop a thief.
pub(super) async fn email_change_requested(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    let mail = |(user, reseller): (User, Option<Reseller>)| {
        Recipient { app, to: &user.email, reseller: reseller.as_ref() }.email_change_requested(&user.name, when)
    };
    found.map(mail).transpose()
}

/// Goes to the previous address, so that its owner notices a change by a thief of the account.
pub(super) async fn email_changed(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let Some((User { name, previous_email: Some(before), .. }, reseller)) = user_and_reseller(app, user).await? else {
        return Ok(None);
    };
    Recipient { app, to: &before, reseller: reseller.as_ref() }.email_changed(&name, when).map(Some)
}

pub(super) async fn second_factor_changed(
    app: &App,
    user: &UserRefid,
    on: bool,
    when: &str,
) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    let mail = |(user, reseller): (User, Option<Reseller>)| {
        Recipient { app, to: &user.email, reseller: reseller.as_ref() }.second_factor_changed(&user.name, on, when)
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
    let recipient = Recipient { app, to: &email, reseller: reseller.as_ref() };
    recipient.new_device(&name, when, address, login.agent.as_deref()).map(Some)
}

/// A user, and the reseller whose brand the user's e-mails carry. `None` if the user has been deleted.
async fn user_and_reseller(app: &App, refid: &UserRefid) -> Result<Option<(User, Option<Reseller>)>, String> {
    let Some(user) = app.store.user(refid).await? else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    Ok(Some((user, reseller)))
}
