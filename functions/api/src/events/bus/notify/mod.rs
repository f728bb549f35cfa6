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
use purser_domain::parties::{Client, Reseller, ResellerStatus};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use serde_json::Value;

use purser_mails::{clients, resellers};

pub const TAKES: &[EventName] = &[
    EventName::ClientCreated,
    EventName::ClientStatusChanged,
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
];

/// Sends the e-mail for an event. An error asks for another delivery.
pub async fn notify(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("notify", event)?;
    let send = async {
        if let Event::ApiKeyCreated { key, owner, .. } = &occurrence.event {
            return api_keys::created(&app, &delivery, key, owner, &occurrence.time.for_people()).await;
        }
        match mail_for(&app, &delivery, occurrence).await? {
            Some(mail) => app.mail(&mail).await,
            None => Ok(()),
        }
    };
    delivery.once(&app, Box::pin(send)).await
}

async fn mail_for(app: &App, delivery: &Delivery, occurrence: Occurrence) -> Result<Option<Mail>, String> {
    let when = &*occurrence.time.for_people();
    match occurrence.event {
        Event::ClientCreated { client, .. } => {
            let found = client_and_reseller(app, &client).await?;
            found.map(|(client, reseller)| clients::welcome(app, &client, reseller.as_ref())).transpose()
        }
        Event::ClientStatusChanged { client, from, to, .. } => {
            let found = client_and_reseller(app, &client).await?;
            let mail = |(client, reseller): (Client, Option<Reseller>)| {
                clients::client_status(app, &client, reseller.as_ref(), (from, to), when)
            };
            found.map(mail).transpose()
        }
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
        Event::PasswordChanged { user } => accounts::password_changed(app, &user, when).await,
        Event::EmailChangeRequested { user } => accounts::email_change_requested(app, &user, when).await,
        Event::EmailChanged { user } => accounts::email_changed(app, &user, when).await,
        Event::SecondFactorChanged { user, on } => accounts::second_factor_changed(app, &user, on, when).await,
        Event::SignedInFromNewDevice { user, login } => accounts::new_device(app, &user, &login, when).await,
        other => Err(delivery.not_taken(other.name())),
    }
}

/// A client, and the reseller whose brand its e-mails carry. `None` if the client has been deleted.
async fn client_and_reseller(app: &App, refid: &ClientRefid) -> Result<Option<(Client, Option<Reseller>)>, String> {
    let Some(client) = app.store.client(refid).await? else {
        return Ok(None);
    };
    let owner = match &client.reseller {
        Some(refid) => app.store.reseller(refid).await?,
        None => None,
    };
    Ok(Some((client, owner)))
}
