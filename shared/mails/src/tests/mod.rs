//! Snapshots of every e-mail, and tests of the formatting that they share.
//!
//! A changed e-mail fails its test. `INSTA_UPDATE=always` updates the snapshots; `git diff` then shows what people
//! will read differently.

mod accounts;
mod operators;
mod parties;

use std::time::Duration;

use insta::Settings;
use purser_domain::basic::{EmailAddress, Name};
use purser_domain::parties::{Client, Metadata, Reseller};
use purser_edge::App;
use purser_edge::process::clock::Clock;
use purser_edge::process::config::Config;
use purser_edge::process::mail::Mail;
use purser_edge::process::sdk;
use purser_store::engine::Secrets;
use serde_json::{Value, json};

use super::*;

pub const WHEN: &str = "24 November 2026 at 12:00 UTC";

/// An app with the required configuration and these settings. E-mails read nothing but the configuration.
pub fn app(settings: &[(&str, &str)]) -> App {
    let given = |name: &str| match name {
        "PURSER_MAIL_FROM" => Some("noreply@example.com"),
        "PURSER_TABLE" | "PURSER_BUS" => Some("purser"),
        "PURSER_PUBLIC_URL" => Some("https://licences.example"),
        _ => settings.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
    };
    let config = Config::read(|name| given(name).map(ToOwned::to_owned)).unwrap();
    App::new(config, Secrets::from_root(&[7; 32]).unwrap(), &sdk::settings(), Clock::default())
}

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::try_from(text.to_owned()).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

pub fn reseller(company: &str) -> Reseller {
    let reseller = json!({
        "refid": "RS-0123456789ABCDEF", "user": "US-0123456789ABCDEF", "company_name": company,
        "email": "hello@elite.example", "tier": "gold", "status": "active", "hold_provisioning": false,
        "held_by_rule": false, "low_credit_threshold": 500, "parent": null, "level": 1,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "version": 1,
    });
    serde_json::from_value(reseller).unwrap()
}

/// A reseller with a white label: a name in another script, and a light colour.
pub fn white_label() -> Reseller {
    let label = json!({"name": "株式会社エリート", "colours": {"primary": "#ffd700"}});
    let Value::Object(label) = label else { unreachable!() };
    Reseller { metadata: Metadata::new(label).unwrap(), ..reseller("Elite Ltd") }
}

pub fn client(name: &str) -> Client {
    let client = json!({
        "refid": "CL-0123456789ABCDEF", "client_id": "CUST-1", "name": name, "email": "ops@acme.example",
        "phone": null, "status": "pending", "reseller": null, "user": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "version": 1,
    });
    serde_json::from_value(client).unwrap()
}

#[track_caller]
pub fn assert_mail(snapshot: &str, mail: &Mail) {
    let Mail { brand, to, subject, text, html, .. } = mail;
    let shown = format!("From: {brand}\nTo: {to}\nSubject: {subject}\n\n{text}\n\n----- HTML -----\n\n{html}\n");
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(snapshot, shown));
}

/// Compares an e-mail with its snapshot, and checks that the HTML contains each paragraph of the text.
#[track_caller]
pub fn assert_same_in_both(snapshot: &str, mail: Result<Mail, String>) {
    let mail = mail.unwrap();
    let html = flat(&visible(&mail.html));
    for paragraph in mail.text.split("\n\n") {
        for line in paragraph.lines() {
            let line = flat(line.trim_start_matches("- "));
            assert!(html.contains(&line), "the HTML does not say: {line}\n{html}");
        }
    }
    assert!(mail.html.contains(&format!("<title>{}</title>", escaped(&mail.subject))), "{}", mail.html);
    assert_mail(snapshot, &mail);
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('\'', "&#39;")
}

fn visible(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    text.replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

#[test]
fn a_duration_is_written_as_people_say_it() {
    for (seconds, text) in [
        (0, "0 minutes"),
        (60, "1 minute"),
        (600, "10 minutes"),
        (3_600, "1 hour"),
        (5_400, "90 minutes"),
        (86_400, "24 hours"),
    ] {
        assert_eq!(readable_duration(Duration::from_secs(seconds)), text);
    }
}

#[test]
fn credits_are_counted_in_the_singular_and_the_plural() {
    let config = app(&[]).config;
    for (credits, text) in [
        (0, "0 credits (0.00 USD)"),
        (1, "1 credit (0.01 USD)"),
        (2, "2 credits (0.02 USD)"),
        (1_490, "1,490 credits (14.90 USD)"),
    ] {
        assert_eq!(credits_and_value(&config, credits), text);
    }
}

#[test]
fn text_on_a_colour_is_readable() {
    for (colour, text) in
        [("#1f3a5f", "#ffffff"), ("#fff", "#000000"), ("#000", "#ffffff"), ("#ffd700", "#000000"), ("#c00", "#ffffff")]
    {
        assert_eq!(Colour::parse(colour).unwrap().text_colour(), text, "{colour}");
    }
    for no_colour in ["red", "#12", "#12345g", "#1234567", "red;x:url(//evil)", ""] {
        assert_eq!(Colour::parse(no_colour), None, "{no_colour}");
    }
}
