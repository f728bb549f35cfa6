//! `mail-links`: sends e-mails with links that only the owner of an address can follow (rules D1, B1).
//!
//! Invariant: a link's token is created here, after the caller has been answered, and it appears in one e-mail and
//! nowhere else. A delivery that is repeated after a failure creates another token. A newer token doesn't invalidate
//! an older one (rule D3).

use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::ResellerRefid;
use purser_domain::event::{Event, EventName};
use purser_domain::parties::{Reseller, ResellerStatus};
use purser_domain::people::{Purpose, User};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use purser_store::people::link::Link;
use serde_json::Value;

use purser_mails::accounts::{Occasion, Recipient};
use purser_mails::branding_reseller;

const CONFIRM: &str = "/customer/confirm";
const CONFIRM_EMAIL: &str = "/customer/confirm-email";
const RESET: &str = "/customer/reset-password";

pub const TAKES: &[EventName] =
    &[EventName::LinkRequested, EventName::UserInvited, EventName::ResellerOnboarded, EventName::ResellerStatusChanged];

/// Sends the link for an event. An error asks for another delivery.
pub async fn mail_links(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("mail-links", event)?;
    let send = async {
        match mail_for(&app, &delivery, occurrence.event).await? {
            Some(mail) => app.mail(&mail).await,
            None => Ok(()),
        }
    };
    delivery.once(&app, Box::pin(send)).await
}

async fn mail_for(app: &App, delivery: &Delivery, event: Event) -> Result<Option<Mail>, String> {
    let request = delivery.request(app.clock.now());
    match event {
        Event::LinkRequested { request: id } => {
            let Some(asked) = app.store.link_request(&id).await? else {
                return Ok(None);
            };
            let confirms = app.config.accounts.confirm_address;
            let link = app.store.answer_link_request(&asked, confirms, &request);
            mail(app, link.await?, Occasion::Invitation).await
        }
        Event::UserInvited { user } => {
            let link = app.store.invite(&user, &request).await?;
            mail(app, link, Occasion::Invitation).await
        }
        Event::ResellerOnboarded { reseller, status: ResellerStatus::Active, .. }
        | Event::ResellerStatusChanged { reseller, from: ResellerStatus::Pending, to: ResellerStatus::Active } => {
            onboarding(app, delivery, &reseller).await
        }
        Event::ResellerOnboarded { .. } | Event::ResellerStatusChanged { .. } => Ok(None),
        other => Err(delivery.not_taken(other.name())),
    }
}

/// The e-mail to the user of a reseller that may now trade, because it was onboarded or its application was approved.
async fn onboarding(app: &App, delivery: &Delivery, reseller: &ResellerRefid) -> Result<Option<Mail>, String> {
    let Some(Reseller { user, .. }) = app.store.reseller(reseller).await? else {
        return Ok(None);
    };
    let link = app.store.invite(&user, &delivery.request(app.clock.now())).await?;
    mail(app, link, Occasion::Onboarding).await
}

async fn mail(app: &App, link: Option<Link>, occasion: Occasion) -> Result<Option<Mail>, String> {
    let Some(Link { user, purpose, has_account, token, to }) = link else {
        return Ok(None);
    };
    let reseller = branding_reseller(app, &user).await?;
    let recipient = Recipient { app, to: &to, reseller: reseller.as_ref() };
    let lasts = Duration::from_secs(purpose.lasts().unsigned_abs().as_secs());
    let User { name, .. } = user;
    let link = |page| purser_mails::link(app, page, &token);
    let mail = match purpose {
        Purpose::Confirm {} => recipient.confirm(&link(CONFIRM)?, lasts),
        Purpose::ChangeEmail { .. } => recipient.confirm_new_email(&link(CONFIRM_EMAIL)?, lasts),
        Purpose::Reset if has_account => recipient.already_registered(&name, &link(RESET)?, lasts),
        Purpose::Reset => recipient.reset_password(&name, &link(RESET)?, lasts),
        Purpose::SetPassword => recipient.set_password(&name, &link(RESET)?, lasts, occasion),
    };
    mail.map(Some)
}
