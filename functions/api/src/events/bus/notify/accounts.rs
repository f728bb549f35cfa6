//! What people are told of their own account, so that they notice what they did not do (rule D2).

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::refid::UserRefid;
use purser_domain::people::user::User;
use purser_edge::App;
use purser_edge::events::consumer::detail;
use purser_edge::process::mail::Mail;
use serde::Deserialize;
use serde_json::Value;

use purser_mails::{accounts, branding_reseller};

/// What the events of a login carry.
#[derive(Debug, Deserialize)]
struct Told {
    user: UserRefid,
    /// With `SignedInFromNewDevice`: the sign-in.
    login: Option<String>,
    /// With `SecondFactorChanged`: whether there is one now.
    on: Option<bool>,
}

/// The mail that an event of a login calls for.
pub(super) async fn mail_for(app: &App, event: EventBridgeEvent<Value>, when: &str) -> Result<Option<Mail>, String> {
    let told: Told = detail(event.detail)?;
    let Some(user) = app.store.user(&told.user).await? else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    let reseller = reseller.as_ref();
    let User { email, name, .. } = &user;
    let mail = match event.detail_type.as_str() {
        "PasswordChanged" => accounts::password_changed(app, email, name, when, reseller),
        "EmailChanged" => match &user.previous_email {
            Some(before) => accounts::email_changed(app, before, name, when, reseller),
            None => return Ok(None),
        },
        "SecondFactorChanged" => {
            let on = told.on.unwrap_or(user.second_factor);
            accounts::second_factor_changed(app, email, name, on, when, reseller)
        }
        _ => {
            let login = told.login.ok_or("a sign-in without an id")?;
            let Some(login) = app.store.login(&login).await? else {
                return Ok(None);
            };
            let address = login.address.as_deref().unwrap_or("unknown");
            accounts::new_device(app, email, name, when, address, login.agent.as_deref(), reseller)
        }
    };
    mail.map(Some)
}
