//! `notify`: mails about what happened (SPEC A10, B9).
//!
//! Invariant: an event is claimed before its mail is sent and settled after, so a mail is sent once, unless a crash
//! comes between the two or SES's answer gets lost; whoever the mail is about is read fresh, and a mail to nobody is
//! no error.

use askama::Template;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::caller::Actor;
use purser_domain::client::Client;
use purser_domain::refid::{ClientRefid, ResellerRefid};
use purser_domain::reseller::Reseller;
use purser_edge::App;
use purser_edge::mail::Mail;
use purser_store::claim::Claim;
use purser_store::item::{Origin, Stamp};
use serde::Deserialize;
use serde_json::Value;

const CONSUMER: &str = "notify";

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

/// Sends the mail an event calls for. An error asks for another delivery.
pub async fn notify(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let id = event
        .detail
        .get("id")
        .and_then(Value::as_str)
        .ok_or("an event without an id")?
        .to_owned();
    let stamp = Stamp {
        actor: Actor::new(CONSUMER),
        request: uuid::Uuid::new_v4().to_string(),
        origin: Origin::Api,
        cause: id.clone(),
    };
    match app
        .store
        .claim(CONSUMER, &id, &stamp, app.clock.now())
        .await
        .map_err(|error| error.to_string())?
    {
        Claim::Held => {}
        Claim::Done => return Ok(()),
        Claim::Taken => return Err(format!("{id} is being handled by another delivery")),
    }
    if let Err(error) = send(&app, &event.detail_type, event.detail).await {
        // As far as is known nothing was sent, so the next delivery may try at once.
        let released = app
            .store
            .release(CONSUMER, &id, &stamp, app.clock.now())
            .await;
        return Err(released.err().map_or(error, |error| error.to_string()));
    }
    let settled = app
        .store
        .settle(CONSUMER, &id, &stamp, app.clock.now())
        .await;
    settled.map_err(|error| error.to_string())
}

async fn send(app: &App, name: &str, detail: Value) -> Result<(), String> {
    match mail_for(app, name, detail).await? {
        Some(mail) => app.mailer.send(&mail).await,
        None => Ok(()),
    }
}

async fn mail_for(app: &App, name: &str, detail: Value) -> Result<Option<Mail>, String> {
    match name {
        "ClientCreated" => {
            let ClientCreated { client } = read(detail)?;
            let Some(client) = app
                .store
                .client(&client)
                .await
                .map_err(|error| error.to_string())?
            else {
                return Ok(None);
            };
            let reseller = match &client.reseller {
                Some(reseller) => app
                    .store
                    .reseller(reseller)
                    .await
                    .map_err(|error| error.to_string())?,
                None => None,
            };
            welcome(app, &client, reseller.as_ref()).map(Some)
        }
        "CreditsRanLow" => {
            let low: CreditsRanLow = read(detail)?;
            let reseller = app
                .store
                .reseller(&low.reseller)
                .await
                .map_err(|error| error.to_string())?;
            reseller
                .map(|reseller| credits_ran_low(app, &reseller, &low))
                .transpose()
        }
        other => Err(format!("no mail is written for {other}")),
    }
}

fn read<T: serde::de::DeserializeOwned>(detail: Value) -> Result<T, String> {
    serde_json::from_value(detail).map_err(|error| format!("an event's detail: {error}"))
}

#[derive(Template)]
#[template(path = "mails/welcome/mail.txt")]
struct WelcomeText<'a> {
    name: &'a str,
    brand: &'a str,
    client_id: &'a str,
}

#[derive(Template)]
#[template(path = "mails/welcome/mail.html")]
struct WelcomeHtml<'a> {
    name: &'a str,
    brand: &'a str,
    client_id: &'a str,
    colour: &'a str,
}

/// The welcome mail; a reseller's client gets it in the reseller's name and colour (SPEC B12).
fn welcome(app: &App, client: &Client, reseller: Option<&Reseller>) -> Result<Mail, String> {
    let brand = reseller.map_or(app.config.brand.as_str(), Reseller::brand_name);
    let (name, client_id) = (client.name.as_str(), client.client_id.as_str());
    let text = WelcomeText {
        name,
        brand,
        client_id,
    };
    let html = WelcomeHtml {
        name,
        brand,
        client_id,
        colour: colour(reseller),
    };
    Ok(Mail {
        brand: brand.to_owned(),
        to: client.email.clone(),
        subject: format!("Welcome to {brand}"),
        text: text.render().map_err(|error| error.to_string())?,
        html: html.render().map_err(|error| error.to_string())?,
    })
}

#[derive(Template)]
#[template(path = "mails/credits_ran_low/mail.txt")]
struct CreditsRanLowText<'a> {
    company: &'a str,
    brand: &'a str,
    balance: &'a str,
    threshold: &'a str,
}

#[derive(Template)]
#[template(path = "mails/credits_ran_low/mail.html")]
struct CreditsRanLowHtml<'a> {
    company: &'a str,
    brand: &'a str,
    balance: &'a str,
    threshold: &'a str,
    colour: &'a str,
}

/// The warning to the reseller itself, so it comes in the vendor's name.
fn credits_ran_low(app: &App, reseller: &Reseller, low: &CreditsRanLow) -> Result<Mail, String> {
    let brand = app.config.brand.as_str();
    let company = reseller.company_name.as_str();
    let (balance, threshold) = (&money(app, low.balance), &money(app, low.threshold));
    let text = CreditsRanLowText {
        company,
        brand,
        balance,
        threshold,
    };
    let html = CreditsRanLowHtml {
        company,
        brand,
        balance,
        threshold,
        colour: colour(None),
    };
    Ok(Mail {
        brand: brand.to_owned(),
        to: reseller.email.clone(),
        subject: format!("Your credit is low: {} credits left", low.balance),
        text: text.render().map_err(|error| error.to_string())?,
        html: html.render().map_err(|error| error.to_string())?,
    })
}

/// Credits with their worth in the display currency: `490 credits (4.90 USD)`.
fn money(app: &App, credits: u64) -> String {
    let unit = app.config.credits_per_unit;
    let hundredths = u128::from(credits % unit) * 100 / u128::from(unit);
    format!(
        "{credits} credits ({}.{hundredths:02} {})",
        credits / unit,
        app.config.currency
    )
}

/// The white label's primary colour, when it is a plain hexadecimal one: it goes into a style attribute.
fn colour(reseller: Option<&Reseller>) -> &str {
    let given = reseller
        .and_then(|reseller| reseller.metadata.as_object().get("colours"))
        .and_then(|colours| colours.get("primary"))
        .and_then(Value::as_str);
    let plain = |colour: &&str| {
        let digits = colour.strip_prefix('#').unwrap_or_default();
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    given.filter(plain).unwrap_or("#1f3a5f")
}
