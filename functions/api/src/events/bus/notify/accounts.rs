//! E-mails to users about changes and sign-ins to their account, so that they notice misuse (rule D2).

use purser_domain::basic::UserRefid;
use purser_domain::parties::Reseller;
use purser_domain::people::User;
use purser_edge::App;
use purser_edge::process::mail::Mail;
use purser_mails::accounts::Recipient;
use purser_mails::branding_reseller;

/// The e-mail that `write` writes to a user. `None` if the user has been deleted.
pub(super) async fn notice(
    app: &App,
    user: &UserRefid,
    write: impl Fn(Recipient<'_>) -> Result<Mail, String>,
) -> Result<Option<Mail>, String> {
    let found = user_and_reseller(app, user).await?;
    found.map(|(user, reseller)| write(Recipient::of(app, &user, reseller.as_ref()))).transpose()
}

/// Goes to the previous address, so that its owner notices a change by a thief of the account.
pub(super) async fn email_changed(app: &App, user: &UserRefid, when: &str) -> Result<Option<Mail>, String> {
    let Some((user, reseller)) = user_and_reseller(app, user).await? else {
        return Ok(None);
    };
    let Some(before) = &user.previous_email else {
        return Ok(None);
    };
    Recipient { to: before, ..Recipient::of(app, &user, reseller.as_ref()) }.email_changed(when).map(Some)
}

pub(super) async fn new_device(app: &App, user: &UserRefid, login: &str, when: &str) -> Result<Option<Mail>, String> {
    let Some((user, reseller)) = user_and_reseller(app, user).await? else {
        return Ok(None);
    };
    let Some(login) = app.store.login(login).await? else {
        return Ok(None);
    };
    let address = login.address.as_deref().unwrap_or("unknown");
    Recipient::of(app, &user, reseller.as_ref()).new_device(when, address, login.agent.as_deref()).map(Some)
}

/// A user, and the reseller whose brand the user's e-mails carry. `None` if the user has been deleted.
async fn user_and_reseller(app: &App, refid: &UserRefid) -> Result<Option<(User, Option<Reseller>)>, String> {
    let Some(user) = app.store.user(refid).await? else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    Ok(Some((user, reseller)))
}
