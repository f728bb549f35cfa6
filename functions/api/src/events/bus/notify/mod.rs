//! `notify`: sends e-mails about what happened (rules A10, B1, B9).
//!
//! Invariant: an event is claimed before its e-mail is sent and settled afterwards. So an e-mail is sent once, unless
//! a crash comes between the two or SES's answer is lost. The recipient is read when the e-mail is written. If they
//! no longer exist, no e-mail is sent, and that is no error.

mod accounts;
mod api_keys;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::ClientRefid;
use purser_domain::event::{Event, EventName, Occurrence};
use purser_domain::parties::ResellerStatus;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use serde_json::Value;

use purser_mails::{clients, resellers};

pub const TAKES: &[EventName] = &[
    EventName::ClientCreated,
    EventName::ClientStatusChanged,
    EventName::ClientNoticeFellDue,
    EventName::CreditsRanLow,
    EventName::ResellerOnboarded,
    EventName::ResellerStatusChanged,
    EventName::ResellerEmailChanged,
    EventName::PasswordChanged,
    EventName::EmailChangeRequested,
    EventName::EmailChanged,
    EventName::SecondFactorChanged,
    EventName::SignedInFromNewDevice,
    EventName::ApiKeyCreated,
    EventName::ApiKeyExpiresSoon,
];

/// Sends the e-mail for an event. An error asks for another delivery.
pub async fn notify(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("notify", event)?;
    let send = async {
        let when = &*occurrence.time.for_people();
        match &occurrence.event {
            Event::ApiKeyCreated { key, owner, .. } => {
                return api_keys::tell(&app, &delivery, (key, owner), |to, key, maker| {
                    to.api_key_created(key, maker, when)
                })
                .await;
            }
            Event::ApiKeyExpiresSoon { key, owner, .. } => {
                return api_keys::tell(&app, &delivery, (key, owner), |to, key, maker| {
                    to.api_key_expires_soon(key, maker)
                })
                .await;
            }
            _ => {}
        }
        match mail_for(&app, &delivery, occurrence).await? {
            Some(mail) => delivery.mail(&app, &mail).await,
            None => Ok(()),
        }
    };
    delivery.once(&app, Box::pin(send)).await
}

async fn mail_for(app: &App, delivery: &Delivery, occurrence: Occurrence) -> Result<Option<Mail>, String> {
    let when = &*occurrence.time.for_people();
    match occurrence.event {
        Event::ClientCreated { client, .. } => to_client(app, &client, |recipient| recipient.welcome(app)).await,
        Event::ClientStatusChanged { client, .. } => {
            app.store.plan_notice(&client, delivery.stamp(), app.clock.now()).await?;
            Ok(None)
        }
        Event::ClientNoticeFellDue { client } => to_client(app, &client, |recipient| recipient.status(app, when)).await,
        Event::CreditsRanLow { reseller, balance, threshold } => {
            let found = app.store.reseller(&reseller).await?;
            found.map(|it| resellers::credits_ran_low(app, &it, balance.get(), threshold.get())).transpose()
        }
        Event::ResellerOnboarded { reseller, status: ResellerStatus::Pending, .. } => {
            let found = app.store.reseller(&reseller).await?;
            found.map(|reseller| resellers::application_received(app, &reseller)).transpose()
        }
        Event::ResellerStatusChanged { reseller, from: ResellerStatus::Pending, to: ResellerStatus::Active } => {
            let found = app.store.reseller(&reseller).await?;
            found.map(|reseller| resellers::application_approved(app, &reseller)).transpose()
        }
        Event::ResellerOnboarded { .. } | Event::ResellerStatusChanged { .. } => Ok(None),
        Event::ResellerEmailChanged { reseller } => {
            let found = app.store.reseller(&reseller).await?;
            let before = found.and_then(|it| Some((it.previous_email.clone()?, it)));
            before.map(|(to, reseller)| resellers::email_changed(app, &to, &reseller, when)).transpose()
        }
        Event::PasswordChanged { user } => accounts::notice(app, &user, |to| to.password_changed(when)).await,
        Event::EmailChangeRequested { user } => {
            accounts::notice(app, &user, |to| to.email_change_requested(when)).await
        }
        Event::EmailChanged { user } => accounts::email_changed(app, &user, when).await,
        Event::SecondFactorChanged { user, on } => {
            accounts::notice(app, &user, |to| to.second_factor_changed(on, when)).await
        }
        Event::SignedInFromNewDevice { user, login } => accounts::new_device(app, &user, &login, when).await,
        other => Err(delivery.not_taken(other.name())),
    }
}

/// The e-mail that `write` writes to a client, on account of its reseller. `None` if the client has been deleted.
async fn to_client(
    app: &App,
    refid: &ClientRefid,
    write: impl Fn(&clients::Recipient) -> Result<Mail, String>,
) -> Result<Option<Mail>, String> {
    let Some(client) = app.store.client(refid).await? else {
        return Ok(None);
    };
    let reseller = match &client.reseller {
        Some(refid) => app.store.reseller(refid).await?,
        None => None,
    };
    let user = match &client.user {
        Some(refid) => app.store.user(refid).await?,
        None => None,
    };
    let caused_by = client.reseller.clone();
    let mail = write(&clients::Recipient { client, reseller, user })?;
    Ok(Some(Mail { reseller: caused_by, ..mail }))
}
