//! E-mails about a user's account: links for its owner, and notices of changes (rules D1, D2).
//!
//! Invariants: an e-mail to an unconfirmed address repeats nothing that a stranger may have typed. A notice says when
//! the change happened, because notices may arrive out of order, and what to do if someone else made the change.

use std::time::Duration;

use purser_charts::trend::grouped;
use purser_domain::basic::text::is_allowed;
use purser_domain::basic::{EmailAddress, Name, UserRefid};
use purser_domain::parties::Reseller;
use purser_domain::people::clean_up::{Reason, Stale};
use purser_domain::people::{OwnedKey, User};
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, brand, counted, greeting, readable_duration};

const MAX_DEVICE_CHARS: usize = 120;

/// Why someone gets an account without having asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The user's company became a reseller (rule B1).
    Onboarding,
    /// An operator, or a reseller for one of its clients, created the account.
    Invitation,
}

/// To whom e-mails about an account go, and whose brand they carry: the vendor's if there is no reseller.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    pub app: &'a App,
    pub to: &'a EmailAddress,
    pub reseller: Option<&'a Reseller>,
    /// How the e-mail greets its reader. `None` if the address has not been confirmed: a stranger may have chosen the
    /// name, and could so make Purser send any text to any address.
    pub name: Option<&'a Name>,
}

impl<'a> Recipient<'a> {
    /// A user, at their own address.
    pub fn of(app: &'a App, user: &'a User, reseller: Option<&'a Reseller>) -> Self {
        let name = user.confirmed_at.is_some().then_some(&user.name);
        Self { app, to: &user.email, reseller, name }
    }
}

impl Recipient<'_> {
    fn brand(&self) -> &str {
        brand(self.app, self.reseller)
    }

    fn greeting(&self) -> String {
        greeting(self.name.map(Name::as_str))
    }

    /// Contains the link that confirms a new user's address, which nobody has proved yet.
    pub fn confirm(&self, link: &str, valid_for: Duration) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, valid_for) = (&*greeting(None), &*readable_duration(valid_for));
        mail!(
            brand, self.to, format!("Confirm your e-mail address for {brand}"), Colour::of_brand(self.reseller),
            "accounts/confirm/mail.txt", "accounts/confirm/mail.html", { greeting, link, valid_for }
        )
    }

    /// Goes to an existing user whose address someone registered again. The link sets a new password.
    pub fn already_registered(&self, link: &str, valid_for: Duration) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, valid_for) = (&*self.greeting(), &*readable_duration(valid_for));
        mail!(
            brand, self.to, format!("You already have an account with {brand}"), Colour::of_brand(self.reseller),
            "accounts/already_registered/mail.txt", "accounts/already_registered/mail.html",
            { greeting, link, valid_for }
        )
    }

    pub fn reset_password(&self, link: &str, valid_for: Duration) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, valid_for) = (&*self.greeting(), &*readable_duration(valid_for));
        mail!(
            brand, self.to, format!("Reset your {brand} password"), Colour::of_brand(self.reseller),
            "accounts/reset_password/mail.txt", "accounts/reset_password/mail.html", { greeting, link, valid_for }
        )
    }

    /// Contains the link that sets the first password of an account that someone else created.
    pub fn set_password(&self, link: &str, valid_for: Duration, occasion: Occasion) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, email) = (&*self.greeting(), self.to.as_str());
        let valid_for = &*readable_duration(valid_for);
        let (subject, reason) = match occasion {
            Occasion::Onboarding => (
                format!("Your partner account with {brand}"),
                format!("You are now a partner of {brand}, and we have created an account for you."),
            ),
            Occasion::Invitation => (
                format!("Your invitation to {brand}"),
                format!("You have been invited to {brand}, and we have created an account for you."),
            ),
        };
        let reason = reason.as_str();
        mail!(
            brand, self.to, subject, Colour::of_brand(self.reseller),
            "accounts/set_password/mail.txt", "accounts/set_password/mail.html",
            { greeting, reason, email, link, valid_for }
        )
    }

    /// Contains the link that confirms a user's new address, and goes to that address, which nobody has proved yet.
    pub fn confirm_new_email(&self, link: &str, valid_for: Duration) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, valid_for) = (&*greeting(None), &*readable_duration(valid_for));
        mail!(
            brand, self.to, format!("Confirm your new e-mail address for {brand}"), Colour::of_brand(self.reseller),
            "accounts/confirm_new_email/mail.txt", "accounts/confirm_new_email/mail.html", { greeting, link, valid_for }
        )
    }

    /// Here and in the functions below, `when` is text for people: `24 November 2026 at 12:00 UTC`.
    pub fn password_changed(&self, when: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let greeting = &*self.greeting();
        mail!(
            brand, self.to, format!("Your {brand} password was changed"), Colour::of_brand(self.reseller),
            "accounts/password_changed/mail.txt", "accounts/password_changed/mail.html", { greeting, when }
        )
    }

    /// Goes to the address that may be replaced, and does not reveal the new one.
    pub fn email_change_requested(&self, when: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let greeting = &*self.greeting();
        mail!(
            brand, self.to, format!("A new e-mail address was requested for your {brand} account"),
            Colour::of_brand(self.reseller),
            "accounts/email_change_requested/mail.txt", "accounts/email_change_requested/mail.html", { greeting, when }
        )
    }

    /// Goes to the previous address and does not reveal the new one.
    pub fn email_changed(&self, when: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, email) = (&*self.greeting(), self.to.as_str());
        mail!(
            brand, self.to, format!("The e-mail address of your {brand} account was changed"),
            Colour::of_brand(self.reseller),
            "accounts/email_changed/mail.txt", "accounts/email_changed/mail.html", { greeting, email, when }
        )
    }

    pub fn new_device(&self, when: &str, address: &str, device: Option<&str>) -> Result<Mail, String> {
        let brand = self.brand();
        let device = single_line(device.unwrap_or_default());
        let device = if device.is_empty() { "unknown" } else { device.as_str() };
        let greeting = &*self.greeting();
        mail!(
            brand, self.to, format!("New sign-in to your {brand} account"), Colour::of_brand(self.reseller),
            "accounts/new_device/mail.txt", "accounts/new_device/mail.html", { greeting, when, address, device }
        )
    }

    /// Goes to everybody who decides about access. `maker` is the name of the user who made the key, or what else did.
    pub fn api_key_created(&self, key: &OwnedKey, maker: &str, when: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let scopes = key.scopes.clone().into_iter().map(Into::into).collect::<Vec<&str>>().join(", ");
        let (greeting, key_name) = (&*self.greeting(), key.name.as_str());
        let (refid, scopes) = (key.refid.as_str(), scopes.as_str());
        let expires = &*key.expires_at.for_people();
        let acts_for = &*acts_for(key);
        mail!(
            brand, self.to, format!("A new API key for {brand}"), Colour::of_brand(self.reseller),
            "accounts/api_key_created/mail.txt", "accounts/api_key_created/mail.html",
            { greeting, key_name, refid, acts_for, scopes, expires, maker, when }
        )
    }

    /// Goes to everybody who decides about access, like [`Self::api_key_created`].
    pub fn api_key_expires_soon(&self, key: &OwnedKey, maker: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let (greeting, key_name, refid) = (&*self.greeting(), key.name.as_str(), key.refid.as_str());
        let (expires, acts_for) = (&*key.expires_at.for_people(), &*acts_for(key));
        mail!(
            brand, self.to, format!("An API key for {brand} expires soon"), Colour::of_brand(self.reseller),
            "accounts/api_key_expires_soon/mail.txt", "accounts/api_key_expires_soon/mail.html",
            { greeting, key_name, refid, acts_for, maker, expires }
        )
    }

    pub fn second_factor_changed(&self, on: bool, when: &str) -> Result<Mail, String> {
        let brand = self.brand();
        let (state, consequence) = if on {
            (
                "on",
                "From now on, you sign in with your password and a code from your authenticator app. Keep your \
                 recovery codes in a safe place that you can reach without the app.",
            )
        } else {
            ("off", "From now on, you can sign in with your password alone.")
        };
        let greeting = &*self.greeting();
        mail!(
            brand, self.to, format!("Two-step sign-in was turned {state} for your {brand} account"),
            Colour::of_brand(self.reseller),
            "accounts/second_factor_changed/mail.txt", "accounts/second_factor_changed/mail.html",
            { greeting, state, when, consequence }
        )
    }
}

fn acts_for(key: &OwnedKey) -> String {
    key.role.reseller().map_or_else(|| "an operator".to_owned(), |reseller| format!("the reseller {reseller}"))
}

/// The accounts that appear to be unused, for the report to operators.
#[derive(Debug, Default)]
pub struct StaleAccounts {
    pub unconfirmed: u64,
    pub dormant: u64,
    /// The first of these accounts, at most [`MAX_LISTED`].
    pub listed: Vec<(UserRefid, Stale)>,
}

pub const MAX_LISTED: usize = 20;

impl StaleAccounts {
    /// Counts an account, and lists it unless the list is full.
    pub fn add(&mut self, user: &UserRefid, stale: Stale) {
        match stale.reason {
            Reason::Unconfirmed => self.unconfirmed += 1,
            Reason::Dormant => self.dormant += 1,
        }
        if self.listed.len() < MAX_LISTED {
            self.listed.push((user.clone(), stale));
        }
    }

    pub fn count(&self) -> u64 {
        self.unconfirmed + self.dormant
    }

    /// The listed accounts, one per line, without names and addresses: a list of people who have left does not belong
    /// in a mailbox.
    fn lines(&self) -> String {
        let line = |(user, stale): &(UserRefid, Stale)| {
            let Stale { reason, since } = stale;
            let why = match reason {
                Reason::Unconfirmed => "not confirmed",
                Reason::Dormant => "no sign-in",
            };
            format!("{user} {} {why}", since.day())
        };
        self.listed.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The report to an operator about accounts that appear to be unused, and how to delete them (rule D6).
pub fn stale_accounts(app: &App, to: &EmailAddress, name: &Name, stale: &StaleAccounts) -> Result<Mail, String> {
    let (brand, name) = (app.config.brand.as_str(), name.as_str());
    let (count, listed) = (stale.count(), stale.listed.len());
    let (appear, they) = match count {
        1 => ("appears", "it has no role and is not linked to a client"),
        _ => ("appear", "they have no role and are not linked to a client"),
    };
    let subject = format!("{} at {brand} {appear} to be unused", counted(count, "account"));
    let summary = &*format!("{subject}: {they}.");
    let rule = &app.config.accounts.clean_up;
    let [unconfirmed, dormant] = [rule.unconfirmed, rule.dormant].map(|limit| limit.as_hours() / 24);
    let unconfirmed = &*format!("Not confirmed within {unconfirmed} days: {}", grouped(stale.unconfirmed.into()));
    let dormant = &*format!("No sign-in for {dormant} days: {}", grouped(stale.dormant.into()));
    let columns = "with the date on which it was created or last used, and the reason:";
    let heading = &*match (count, listed) {
        (1, _) => format!("This is the account, {columns}"),
        (all, listed) if all == listed as u64 => format!("These are the accounts, each {columns}"),
        (_, listed) => format!("These are the first {listed} accounts, each {columns}"),
    };
    let lines = &*stale.lines();
    let url = app.config.public_url.as_deref().unwrap_or("https://…");
    mail!(
        brand, to, subject, Colour::VENDOR,
        "operators/stale_accounts/mail.txt", "operators/stale_accounts/mail.html",
        { name, summary, unconfirmed, dormant, heading, lines, url }
    )
}

/// Makes one line of what a device sent, and limits its length.
fn single_line(text: &str) -> String {
    let readable = |it: char| if is_allowed(it) { it } else { ' ' };
    let short: String = text.chars().take(MAX_DEVICE_CHARS).map(readable).collect();
    short.split_whitespace().collect::<Vec<_>>().join(" ")
}
