//! E-mails to clients about their accounts (rule A10).
//!
//! Invariant: an e-mail repeats nothing that a reseller typed, such as a name, except to an address whose owner proved
//! it as a user of the client.

use purser_domain::basic::EmailAddress;
use purser_domain::parties::{Client, ClientStatus, Reseller};
use purser_domain::people::User;
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, brand, greeting};

/// The client that an e-mail is for, with its reseller and its user, if it has them.
#[derive(Debug)]
pub struct Recipient {
    pub client: Client,
    pub reseller: Option<Reseller>,
    pub user: Option<User>,
}

impl Recipient {
    fn greeting(&self) -> String {
        let same = |it: &EmailAddress| it.folded() == self.client.email.folded();
        let proved = self.user.as_ref().is_some_and(|user| user.confirmed_at.is_some() && same(&user.email));
        greeting(proved.then_some(self.client.name.as_str()))
    }

    pub fn welcome(&self, app: &App) -> Result<Mail, String> {
        let Self { client, reseller, .. } = self;
        let brand = brand(app, reseller.as_ref());
        let (greeting, refid) = (&*self.greeting(), client.refid.as_str());
        mail!(
            brand, client.email, format!("Welcome to {brand}"), Colour::of_brand(reseller.as_ref()),
            "clients/welcome/mail.txt", "clients/welcome/mail.html", { greeting, refid }
        )
    }

    /// Says which status a client has (rule A10), and as of when, because notices may arrive out of order.
    pub fn status(&self, app: &App, when: &str) -> Result<Mail, String> {
        let Self { client, reseller, .. } = self;
        let brand = brand(app, reseller.as_ref());
        let consequence = match client.status {
            ClientStatus::Active => "You can now use everything that belongs to your account.",
            _ => "If you did not expect this, please contact us.",
        };
        let (greeting, status) = (&*self.greeting(), client.status.into_str());
        mail!(
            brand, client.email, format!("Your {brand} account is now {status}"), Colour::of_brand(reseller.as_ref()),
            "clients/client_status/mail.txt", "clients/client_status/mail.html",
            { greeting, status, when, consequence }
        )
    }
}
