//! `mail-links`: sends e-mails with links that only the owner of an address can follow (rules D1, B1).
//!
//! Invariant: a link's token is created here, after the caller has been answered, and it appears in one e-mail and
//! nowhere else. A delivery that is repeated after a failure creates another token. A newer token doesn't invalidate
//! an older one (rule D3). A request for a link is deleted once it needs no answer any more.

use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::event::{Event, EventName};
use purser_domain::parties::{Reseller, ResellerStatus};
use purser_domain::people::Purpose;
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, withheld};
use purser_edge::process::mail::{Mail, Share};
use purser_store::people::link::{Link, Reply};
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
    let request = match &occurrence.event {
        Event::LinkRequested { request } => Some(request.clone()),
        _ => None,
    };
    let send = async {
        let (reply, occasion) = link_for(&app, &delivery, occurrence.event).await?;
        match reply {
            Reply::Link(link) => delivery.mail(&app, &mail(&app, *link, occasion).await?).await?,
            Reply::Nothing => {}
            Reply::Withheld => withheld(),
        }
        // A request holds an address and perhaps a password. It is deleted only now, so that a delivery after a failure
        // still finds it.
        match request {
            Some(id) => Ok(app.store.remove_link_request(&id).await?),
            None => Ok(()),
        }
    };
    delivery.once(&app, Box::pin(send)).await
}

async fn link_for(app: &App, delivery: &Delivery, event: Event) -> Result<(Reply, Occasion), String> {
    let mailing = delivery.mailing(app.clock.now());
    match event {
        Event::LinkRequested { request: id } => {
            let reply = match app.store.link_request(&id).await? {
                Some(asked) => {
                    let confirms = app.config.accounts.confirm_address;
                    app.store.answer_link_request(&asked, confirms, mailing).await?
                }
                None => Reply::Nothing,
            };
            Ok((reply, Occasion::Invitation))
        }
        Event::UserInvited { user } => Ok((app.store.invite(&user, mailing).await?, Occasion::Invitation)),
        Event::ResellerOnboarded { reseller, status: ResellerStatus::Active, .. }
        | Event::ResellerStatusChanged { reseller, from: ResellerStatus::Pending, to: ResellerStatus::Active } => {
            // The reseller may trade from now on, because it was onboarded or its application was approved.
            let reply = match app.store.reseller(&reseller).await? {
                Some(Reseller { user, .. }) => app.store.invite(&user, mailing).await?,
                None => Reply::Nothing,
            };
            Ok((reply, Occasion::Onboarding))
        }
        Event::ResellerOnboarded { .. } | Event::ResellerStatusChanged { .. } => {
            Ok((Reply::Nothing, Occasion::Onboarding))
        }
        other => Err(delivery.not_taken(other.name())),
    }
}

async fn mail(app: &App, link: Link, occasion: Occasion) -> Result<Mail, String> {
    let Link { user, purpose, has_account, token, to, lasts } = link;
    let reseller = branding_reseller(app, &user).await?;
    let recipient = Recipient { to: &to, ..Recipient::of(app, &user, reseller.as_ref()) };
    let lasts = Duration::from_secs(lasts.unsigned_abs().as_secs());
    let link = |page| purser_mails::link(app, page, &token);
    let mail = match purpose {
        Purpose::Confirm {} => recipient.confirm(&link(CONFIRM)?, lasts),
        Purpose::ChangeEmail { .. } => recipient.confirm_new_email(&link(CONFIRM_EMAIL)?, lasts),
        Purpose::Reset if has_account => recipient.already_registered(&link(RESET)?, lasts),
        Purpose::Reset => recipient.reset_password(&link(RESET)?, lasts),
        Purpose::SetPassword => recipient.set_password(&link(RESET)?, lasts, occasion),
    };
    Ok(Mail { share: Share::Links, ..mail? })
}
