//! The mails `notify` sends: each a folder of templates, text and HTML, filled with the same words.
//!
//! Invariant: a client's mails carry its reseller's brand (SPEC B12); a reseller's come in the vendor's name.

use askama::Template;
use purser_domain::client::{Client, ClientStatus};
use purser_domain::reseller::Reseller;
use purser_edge::App;
use purser_edge::mail::Mail;
use serde_json::Value;

/// A mail from its two templates, which share their fields; the HTML has the brand's colour besides.
macro_rules! mail {
    ($brand:expr, $to:expr, $subject:expr, $colour:expr, $text:literal, $html:literal, { $($field:ident),* }) => {{
        #[derive(Template)]
        #[template(path = $text)]
        struct Text<'a> { brand: &'a str, $($field: &'a str),* }
        #[derive(Template)]
        #[template(path = $html)]
        struct Html<'a> { brand: &'a str, colour: &'a str, $($field: &'a str),* }
        let (brand, colour) = ($brand, $colour);
        let text = Text { brand, $($field),* }.render();
        let html = Html { brand, colour, $($field),* }.render();
        Ok(Mail {
            brand: brand.to_owned(),
            to: $to.clone(),
            subject: $subject,
            text: text.map_err(|error| error.to_string())?,
            html: html.map_err(|error| error.to_string())?,
        })
    }};
}

/// The welcome of a new client (SPEC A10).
pub(super) fn welcome(
    app: &App,
    client: &Client,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, client_id) = (client.name.as_str(), client.client_id.as_str());
    mail!(
        brand, client.email, format!("Welcome to {brand}"), colour(reseller),
        "mails/welcome/mail.txt", "mails/welcome/mail.html", { name, client_id }
    )
}

/// The notice of a client's changed status (SPEC A10). It says when, because notices may overtake each other.
pub(super) fn client_status(
    app: &App,
    client: &Client,
    reseller: Option<&Reseller>,
    (from, to): (ClientStatus, ClientStatus),
    when: &str,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, from, to) = (client.name.as_str(), from.as_str(), to.as_str());
    mail!(
        brand, client.email, format!("Your {brand} account is now {to}"), colour(reseller),
        "mails/client_status/mail.txt", "mails/client_status/mail.html", { name, from, to, when }
    )
}

/// The warning that a reseller's credit ran low (SPEC B9).
pub(super) fn credits_ran_low(
    app: &App,
    reseller: &Reseller,
    left: u64,
    threshold: u64,
) -> Result<Mail, String> {
    let company = reseller.company_name.as_str();
    let (balance, threshold) = (&*money(app, left), &*money(app, threshold));
    let outlook = if app.config.hold_on_low_credit {
        format!("Purchases are held until you top up to at least {threshold}.")
    } else {
        "Purchases go on until the balance is spent. Please top up in time.".to_owned()
    };
    let outlook = outlook.as_str();
    let subject = format!("Your credit is low: {left} credits left");
    mail!(
        app.config.brand.as_str(), reseller.email, subject, colour(None),
        "mails/credits_ran_low/mail.txt", "mails/credits_ran_low/mail.html",
        { company, balance, threshold, outlook }
    )
}

/// That an application to become a reseller arrived (SPEC B1).
pub(super) fn application_received(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        reseller.email,
        format!("Your application to {brand}"),
        colour(None),
        "mails/application_received/mail.txt",
        "mails/application_received/mail.html",
        { company }
    )
}

/// That it was approved (SPEC B1).
pub(super) fn application_approved(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        reseller.email,
        format!("Welcome as a partner of {brand}"),
        colour(None),
        "mails/application_approved/mail.txt",
        "mails/application_approved/mail.html",
        { company }
    )
}

fn brand<'a>(app: &'a App, reseller: Option<&'a Reseller>) -> &'a str {
    reseller.map_or(app.config.brand.as_str(), Reseller::brand_name)
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
