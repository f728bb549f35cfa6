//! `notify`: mails about what happened (rules A10, B1, B9).
//!
//! Invariant: an event is claimed before its mail is sent and settled after, so a mail is sent once, unless a crash
//! comes between the two or SES's answer gets lost; whoever the mail is about is read fresh, and a mail to nobody is
//! no error.

mod accounts;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::parties::client::{Client, ClientStatus};
use purser_domain::parties::reseller::{Reseller, ResellerStatus};
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, detail};
use purser_edge::process::mail::Mail;
use serde::Deserialize;
use serde_json::Value;

use purser_mails::{clients, resellers};

/// What `CreditsRanLow` carries.
#[derive(Debug, Deserialize)]
struct CreditsRanLow {
    reseller: ResellerRefid,
    balance: u64,
    threshold: u64,
}

/// What `ClientCreated` carries.
#[derive(Debug, Deserialize)]
struct ClientCreated {
    client: ClientRefid,
}

/// What `ClientStatusChanged` carries.
#[derive(Debug, Deserialize)]
struct ClientStatusChanged {
    client: ClientRefid,
    from: ClientStatus,
    to: ClientStatus,
}

/// What `ResellerOnboarded` carries.
#[derive(Debug, Deserialize)]
struct ResellerOnboarded {
    reseller: ResellerRefid,
    status: ResellerStatus,
}

/// What `ResellerStatusChanged` carries.
#[derive(Debug, Deserialize)]
struct ResellerStatusChanged {
    reseller: ResellerRefid,
    from: ResellerStatus,
    to: ResellerStatus,
}

/// Sends the mail an event calls for. An error asks for another delivery.
pub async fn notify(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of("notify", &event)?;
    delivery.once(&app, Box::pin(send(&app, event))).await
}

async fn send(app: &App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    match mail_for(app, event).await? {
        Some(mail) => app.mail(&mail).await,
        None => Ok(()),
    }
}

async fn mail_for(app: &App, event: EventBridgeEvent<Value>) -> Result<Option<Mail>, String> {
    match event.detail_type.as_str() {
        "ClientCreated" => {
            let ClientCreated { client } = detail(event.detail)?;
            let found = client_and_reseller(app, &client).await?;
            found.map(|(client, reseller)| clients::welcome(app, &client, reseller.as_ref())).transpose()
        }
        "ClientStatusChanged" => {
            let when = when(&event)?;
            let ClientStatusChanged { client, from, to } = detail(event.detail)?;
            let found = client_and_reseller(app, &client).await?;
            let mail = |(client, reseller): (Client, Option<Reseller>)| {
                clients::client_status(app, &client, reseller.as_ref(), (from, to), &when)
            };
            found.map(mail).transpose()
        }
        "CreditsRanLow" => {
            let low: CreditsRanLow = detail(event.detail)?;
            let found = reseller(app, &low.reseller).await?;
            found.map(|reseller| resellers::credits_ran_low(app, &reseller, low.balance, low.threshold)).transpose()
        }
        "ResellerOnboarded" => {
            let onboarded: ResellerOnboarded = detail(event.detail)?;
            if onboarded.status != ResellerStatus::Pending {
                return Ok(None);
            }
            let found = reseller(app, &onboarded.reseller).await?;
            found.map(|reseller| resellers::application_received(app, &reseller)).transpose()
        }
        "ResellerStatusChanged" => {
            let changed: ResellerStatusChanged = detail(event.detail)?;
            if (changed.from, changed.to) != (ResellerStatus::Pending, ResellerStatus::Active) {
                return Ok(None);
            }
            let found = reseller(app, &changed.reseller).await?;
            found.map(|reseller| resellers::application_approved(app, &reseller)).transpose()
        }
        "PasswordChanged" | "EmailChanged" | "SecondFactorChanged" | "SignedInFromNewDevice" => {
            let when = when(&event)?;
            accounts::mail_for(app, event, &when).await
        }
        other => Err(format!("no mail is written for {other}")),
    }
}

/// When it happened, for people.
fn when(event: &EventBridgeEvent<Value>) -> Result<String, String> {
    let time = event.time.ok_or("an event without a time")?;
    Ok(time.format("%-d %B %Y at %H:%M UTC").to_string())
}

/// A client with the reseller whose brand its mails carry; none when it has been deleted.
async fn client_and_reseller(app: &App, refid: &ClientRefid) -> Result<Option<(Client, Option<Reseller>)>, String> {
    let Some(client) = app.store.client(refid).await? else {
        return Ok(None);
    };
    let owner = match &client.reseller {
        Some(refid) => reseller(app, refid).await?,
        None => None,
    };
    Ok(Some((client, owner)))
}

async fn reseller(app: &App, refid: &ResellerRefid) -> Result<Option<Reseller>, String> {
    Ok(app.store.reseller(refid).await?)
}
