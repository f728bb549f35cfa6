//! `mail-links`: mails with links that only the owner of an address can follow (rules D1, B1).
//!
//! Invariant: a token is made here, after whoever asked has been answered, and stands in one mail and nowhere else. A
//! delivery that fails makes another token; a newer one does not end an older one (rule D3).

use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::refid::{ResellerRefid, UserRefid};
use purser_domain::parties::reseller::{Reseller, ResellerStatus};
use purser_domain::people::token::Purpose;
use purser_domain::people::user::User;
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, detail};
use purser_edge::process::mail::Mail;
use purser_store::people::link::Link;
use serde::Deserialize;
use serde_json::Value;

use purser_mails::accounts::{self, Occasion};
use purser_mails::branding_reseller;

/// The page that confirms an address.
const CONFIRM: &str = "/customer/confirm";
/// The page that sets a password.
const RESET: &str = "/customer/reset-password";

/// What `LinkRequested` carries.
#[derive(Debug, Deserialize)]
struct LinkRequested {
    request: String,
}

/// What `UserInvited` carries.
#[derive(Debug, Deserialize)]
struct UserInvited {
    user: UserRefid,
}

/// What `ResellerOnboarded` and `ResellerStatusChanged` carry that matters here.
#[derive(Debug, Deserialize)]
struct ResellerTold {
    reseller: ResellerRefid,
    status: Option<ResellerStatus>,
    from: Option<ResellerStatus>,
    to: Option<ResellerStatus>,
}

impl ResellerTold {
    /// Whether it began to trade: onboarded, or approved.
    fn began(&self) -> bool {
        let approved = (Some(ResellerStatus::Pending), Some(ResellerStatus::Active));
        self.status == Some(ResellerStatus::Active) || (self.from, self.to) == approved
    }
}

/// Mails the link an event calls for. An error asks for another delivery.
pub async fn mail_links(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of("mail-links", &event)?;
    let send = async {
        match mail_for(&app, &delivery, event).await? {
            Some(mail) => app.mail(&mail).await,
            None => Ok(()),
        }
    };
    delivery.once(&app, Box::pin(send)).await
}

async fn mail_for(app: &App, delivery: &Delivery, event: EventBridgeEvent<Value>) -> Result<Option<Mail>, String> {
    let request = delivery.request(app.clock.now());
    match event.detail_type.as_str() {
        "LinkRequested" => {
            let LinkRequested { request: id } = detail(event.detail)?;
            let Some(asked) = app.store.link_request(&id).await? else {
                return Ok(None);
            };
            let confirms = app.config.accounts.confirm_address;
            let link = app.store.answer_link_request(&asked, confirms, &request);
            mail(app, link.await?, Occasion::Invitation).await
        }
        "UserInvited" => {
            let UserInvited { user } = detail(event.detail)?;
            let link = app.store.invite(&user, &request).await?;
            mail(app, link, Occasion::Invitation).await
        }
        "ResellerOnboarded" | "ResellerStatusChanged" => {
            let told: ResellerTold = detail(event.detail)?;
            if !told.began() {
                return Ok(None);
            }
            let reseller = app.store.reseller(&told.reseller).await?;
            let Some(Reseller { user, .. }) = reseller else {
                return Ok(None);
            };
            let link = app.store.invite(&user, &request).await?;
            mail(app, link, Occasion::Onboarding).await
        }
        other => Err(format!("no link is mailed for {other}")),
    }
}

async fn mail(app: &App, link: Option<Link>, occasion: Occasion) -> Result<Option<Mail>, String> {
    let Some(Link { user, purpose, has_account, token, to }) = link else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    let reseller = reseller.as_ref();
    let lasts = Duration::from_secs(purpose.lasts().unsigned_abs().as_secs());
    let User { name, .. } = user;
    let link = |page| purser_mails::link(app, page, &token);
    let mail = match purpose {
        Purpose::Confirm { .. } => accounts::confirm(app, &to, &link(CONFIRM)?, lasts, reseller),
        Purpose::ChangeEmail { .. } => accounts::confirm_new_email(app, &to, &link(CONFIRM)?, lasts, reseller),
        Purpose::Reset if has_account => accounts::already_registered(app, &to, &name, &link(RESET)?, lasts, reseller),
        Purpose::Reset => accounts::reset_password(app, &to, &name, &link(RESET)?, lasts, reseller),
        Purpose::SetPassword => accounts::set_password(app, &to, &name, &link(RESET)?, lasts, occasion, reseller),
    };
    mail.map(Some)
}
