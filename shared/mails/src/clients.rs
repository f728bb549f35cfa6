//! E-mails to clients about their accounts (rule A10).

use purser_domain::parties::{Client, ClientStatus, Reseller};
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, brand};

pub fn welcome(app: &App, client: &Client, reseller: Option<&Reseller>) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, client_id) = (client.name.as_str(), client.client_id.as_str());
    mail!(
        brand, client.email, format!("Welcome to {brand}"), Colour::of_brand(reseller),
        "clients/welcome/mail.txt", "clients/welcome/mail.html", { name, client_id }
    )
}

/// Says that a client's status changed (rule A10), and when, because notices may arrive out of order.
pub fn client_status(
    app: &App,
    client: &Client,
    reseller: Option<&Reseller>,
    (from, to): (ClientStatus, ClientStatus),
    when: &str,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let consequence = match to {
        ClientStatus::Active => "You can now use everything that belongs to your account.",
        _ => "If you did not expect this, please contact us.",
    };
    let (name, from, to) = (client.name.as_str(), from.into_str(), to.into_str());
    mail!(
        brand, client.email, format!("Your {brand} account is now {to}"), Colour::of_brand(reseller),
        "clients/client_status/mail.txt", "clients/client_status/mail.html",
        { name, from, to, when, consequence }
    )
}
