//! The e-mails that functions send. Each has a folder with two templates, text and HTML, which say the same thing.
//!
//! Invariant: e-mails to a client and to its user carry the brand of the client's reseller (rule B12); those to
//! resellers and operators carry the vendor's.
//!
//! The tests keep every e-mail as a snapshot in `src/tests/snapshots`. Review changes to them like code;
//! `INSTA_UPDATE=always cargo test --workspace --lib snapshot` updates them.

use std::fmt;
use std::time::Duration;

use purser_charts::trend::grouped;
use purser_domain::parties::Reseller;
use purser_domain::people::{RoleName, User};
use purser_edge::App;
use purser_edge::process::config::Config;
use serde_json::Value;

/// Renders an e-mail from its two templates. Both get the same fields; the HTML template also gets the subject and
/// the brand's colour.
macro_rules! mail {
    ($brand:expr, $to:expr, $subject:expr, $colour:expr, $text:literal, $html:literal, { $($field:ident),* }) => {{
        #[derive(askama::Template)]
        #[template(path = $text)]
        struct Text<'a> { brand: &'a str, $($field: &'a str),* }
        #[derive(askama::Template)]
        #[template(path = $html)]
        struct Html<'a> { brand: &'a str, subject: &'a str, colour: crate::Colour<'a>, $($field: &'a str),* }
        let (brand, subject, colour) = ($brand, $subject, $colour);
        let text = askama::Template::render(&Text { brand, $($field),* });
        let html = askama::Template::render(&Html { brand, subject: &subject, colour, $($field),* });
        Ok(purser_edge::process::mail::Mail {
            brand: brand.to_owned(),
            to: $to.clone(),
            subject,
            text: text.map_err(|error| error.to_string())?,
            html: html.map_err(|error| error.to_string())?,
            share: purser_edge::process::mail::Share::Notices,
            reseller: None,
        })
    }};
}

pub mod accounts;
pub mod clients;
pub mod partner_report;
pub mod resellers;

/// The URL of a page, with a token. Fails if no public URL is configured, because an e-mail whose link does not work
/// must not be sent.
pub fn link(app: &App, path: &str, token: &str) -> Result<String, String> {
    let base = app.config.public_url.as_ref();
    let base = base.ok_or("PURSER_PUBLIC_URL is not set, so e-mails can't link to pages")?;
    Ok(format!("{base}{path}?token={token}"))
}

/// The reseller whose brand e-mails to a user carry: the reseller of the user's client. `None` if the user has any
/// role besides customer (rule B12).
pub async fn branding_reseller(app: &App, user: &User) -> Result<Option<Reseller>, String> {
    let Some(client) = user.client.as_ref().filter(|_| user.roles() == [RoleName::Customer]) else {
        return Ok(None);
    };
    let client = app.store.client(client).await?;
    match client.and_then(|client| client.reseller) {
        Some(reseller) => Ok(app.store.reseller(&reseller).await?),
        None => Ok(None),
    }
}

/// The first line of an e-mail.
fn greeting(name: Option<&str>) -> String {
    name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"))
}

/// The brand name of an e-mail: the reseller's, or the vendor's if there is no reseller.
fn brand<'a>(app: &'a App, reseller: Option<&'a Reseller>) -> &'a str {
    reseller.map_or(app.config.brand.as_str(), Reseller::brand_name)
}

/// A number with its noun in the singular or plural: `1 client`, `1,490 credits`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count.into()))
}

/// Credits with their value in the display currency: `1,490 credits (14.90 USD)`.
fn credits_and_value(config: &Config, credits: u64) -> String {
    let unit = config.credits_per_unit;
    let hundredths = u128::from(credits % unit) * 100 / u128::from(unit);
    let whole = grouped((credits / unit).into());
    format!("{} ({whole}.{hundredths:02} {})", counted(credits, "credit"), config.currency)
}

/// A duration for people: in hours if it is a whole number of them, otherwise in minutes.
fn readable_duration(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match minutes {
        60.. if minutes.is_multiple_of(60) => counted(minutes / 60, "hour"),
        _ => counted(minutes, "minute"),
    }
}

/// A colour in HTML notation: `#` and three or six hexadecimal digits. Nothing else is accepted, because the text
/// goes into style attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour<'a>(&'a str);

impl<'a> Colour<'a> {
    const VENDOR: Self = Self("#1f3a5f");

    /// The primary colour of the reseller's white label if it is in this notation; otherwise the vendor's.
    fn of_brand(reseller: Option<&'a Reseller>) -> Self {
        let given = reseller
            .and_then(|reseller| reseller.metadata.as_object().get("colours"))
            .and_then(|colours| colours.get("primary"))
            .and_then(Value::as_str);
        given.and_then(Self::parse).unwrap_or(Self::VENDOR)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let plain = matches!(digits.len(), 3 | 6) && digits.bytes().all(|it| it.is_ascii_hexdigit());
        plain.then_some(Self(text))
    }

    /// The colour of text on this background: black or white, whichever is easier to read.
    fn text_colour(&self) -> &'static str {
        if self.brightness() > 140 { "#000000" } else { "#ffffff" }
    }

    /// The perceived brightness, from 0 to 255 (ITU-R BT.601).
    fn brightness(&self) -> u32 {
        let digits = self.0.trim_start_matches('#');
        let wide = digits.len() / 3;
        let part = |at: usize| {
            let hex = digits.get(at * wide..(at + 1) * wide).unwrap_or_default();
            let value = u32::from_str_radix(hex, 16).unwrap_or_default();
            // In three-digit notation, each digit stands for two equal ones.
            if wide == 1 { value * 17 } else { value }
        };
        (299 * part(0) + 587 * part(1) + 114 * part(2)) / 1000
    }
}

impl fmt::Display for Colour<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

#[cfg(test)]
mod tests;
