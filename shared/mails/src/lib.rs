//! The mails that functions send: each a folder of templates, text and HTML, filled with the same words.
//!
//! Invariant: a client's mails carry its reseller's brand (rule B12), also those about its login; a reseller's and an
//! operator's come in the vendor's name.

use std::fmt;
use std::time::Duration;

use purser_charts::trend::grouped;
use purser_domain::parties::reseller::Reseller;
use purser_domain::people::user::User;
use purser_edge::App;
use purser_edge::process::config::Config;
use serde_json::Value;

/// A mail from its two templates, which share their fields; the HTML has the brand's colour besides.
macro_rules! mail {
    ($brand:expr, $to:expr, $subject:expr, $colour:expr, $text:literal, $html:literal, { $($field:ident),* }) => {{
        #[derive(askama::Template)]
        #[template(path = $text)]
        struct Text<'a> { brand: &'a str, $($field: &'a str),* }
        #[derive(askama::Template)]
        #[template(path = $html)]
        struct Html<'a> { brand: &'a str, colour: crate::Colour<'a>, $($field: &'a str),* }
        let (brand, colour) = ($brand, $colour);
        let text = askama::Template::render(&Text { brand, $($field),* });
        let html = askama::Template::render(&Html { brand, colour, $($field),* });
        Ok(purser_edge::process::mail::Mail {
            brand: brand.to_owned(),
            to: $to.clone(),
            subject: $subject,
            text: text.map_err(|error| error.to_string())?,
            html: html.map_err(|error| error.to_string())?,
        })
    }};
}

pub mod accounts;
pub mod clients;
pub mod partner_report;
pub mod resellers;

/// The address of a page with a token, for a mail. An error where nobody has said under which address Purser answers:
/// a mail without a link that works must not be sent.
pub fn link(app: &App, path: &str, token: &str) -> Result<String, String> {
    let base = app.config.public_url.as_ref();
    let base = base.ok_or("PURSER_PUBLIC_URL is not set, so mails can't link to pages")?;
    Ok(format!("{base}{path}?token={token}"))
}

/// The reseller in whose name mails to a user come: whose customer it is, if it is nothing more (rule B12).
pub async fn brand_of(app: &App, user: &User) -> Result<Option<Reseller>, String> {
    let Some(client) = user.client.as_ref().filter(|_| user.roles() == ["customer"]) else {
        return Ok(None);
    };
    let client = app.store.client(client).await?;
    match client.and_then(|client| client.reseller) {
        Some(reseller) => Ok(app.store.reseller(&reseller).await?),
        None => Ok(None),
    }
}

/// In whose name a mail comes.
fn brand<'a>(app: &'a App, reseller: Option<&'a Reseller>) -> &'a str {
    reseller.map_or(app.config.brand.as_str(), Reseller::brand_name)
}

/// Credits with their worth in the display currency: `1,490 credits (14.90 USD)`.
fn money(config: &Config, credits: u64) -> String {
    let unit = config.credits_per_unit;
    let hundredths = u128::from(credits % unit) * 100 / u128::from(unit);
    let (count, whole) = (grouped(credits.into()), grouped((credits / unit).into()));
    format!("{count} credits ({whole}.{hundredths:02} {})", config.currency)
}

/// How long something is valid, for people: whole hours where they are whole, else minutes.
fn period(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let (count, unit) = match minutes {
        60.. if minutes.is_multiple_of(60) => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A colour as HTML writes it, `#` and three or six hexadecimal digits: it goes into style attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour<'a>(&'a str);

impl<'a> Colour<'a> {
    const VENDORS: Self = Self("#1f3a5f");

    /// The white label's primary colour, when it is a plain one.
    fn of(reseller: Option<&'a Reseller>) -> Self {
        let given = reseller
            .and_then(|reseller| reseller.metadata.as_object().get("colours"))
            .and_then(|colours| colours.get("primary"))
            .and_then(Value::as_str);
        given.and_then(Self::parse).unwrap_or(Self::VENDORS)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let plain = matches!(digits.len(), 3 | 6) && digits.bytes().all(|it| it.is_ascii_hexdigit());
        plain.then_some(Self(text))
    }

    /// The colour of what is written on it: black or white, whichever is easier to read there.
    fn ink(&self) -> &'static str {
        if self.brightness() > 140 { "#000000" } else { "#ffffff" }
    }

    /// From 0 to 255: how bright red, green and blue look together (ITU-R BT.601).
    fn brightness(&self) -> u32 {
        let digits = self.0.trim_start_matches('#');
        let wide = digits.len() / 3;
        let part = |at: usize| {
            let hex = digits.get(at * wide..(at + 1) * wide).unwrap_or_default();
            let value = u32::from_str_radix(hex, 16).unwrap_or_default();
            // One digit stands for itself twice.
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
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_as_people_say_it() {
        for (seconds, said) in
            [(60, "1 minute"), (600, "10 minutes"), (3_600, "1 hour"), (5_400, "90 minutes"), (86_400, "24 hours")]
        {
            assert_eq!(period(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn what_stands_on_a_colour_can_be_read() {
        for (colour, ink) in [
            ("#1f3a5f", "#ffffff"),
            ("#fff", "#000000"),
            ("#000", "#ffffff"),
            ("#ffd700", "#000000"),
            ("#c00", "#ffffff"),
        ] {
            assert_eq!(Colour::parse(colour).unwrap().ink(), ink, "{colour}");
        }
        for no_colour in ["red", "#12", "#12345g", "#1234567", "red;x:url(//evil)", ""] {
            assert_eq!(Colour::parse(no_colour), None, "{no_colour}");
        }
    }
}
