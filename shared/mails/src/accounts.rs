//! Mails about a login: links that its owner alone gets, and notices of what changed (rules D1, D2).
//!
//! Invariants: a mail to an address that nobody has confirmed repeats nothing that a stranger may have typed; a notice
//! says when, because notices may overtake each other, and what to do if it was somebody else.

use std::time::Duration;

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::UserRefid;
use purser_domain::basic::text::{Name, is_allowed};
use purser_domain::parties::reseller::Reseller;
use purser_domain::people::clean_up::{Reason, Stale};
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, brand, period};

/// How much of what a device says of itself is repeated, in characters.
const MOST_OF_DEVICE: usize = 120;

/// The link that confirms the address of a new login. Without a name: whoever registered may be a stranger, who would
/// have us mail any words to anybody.
pub fn confirm(
    app: &App,
    to: &EmailAddress,
    link: &str,
    valid_for: Duration,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let valid = &*period(valid_for);
    mail!(
        brand, to, format!("Confirm your address for {brand}"), Colour::of(reseller),
        "accounts/confirm/mail.txt", "accounts/confirm/mail.html", { link, valid }
    )
}

/// That somebody registered an address that has a login already. The link chooses a new password.
pub fn already_registered(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    link: &str,
    valid_for: Duration,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, valid) = (name.as_str(), &*period(valid_for));
    mail!(
        brand, to, format!("You have an account with {brand} already"), Colour::of(reseller),
        "accounts/already_registered/mail.txt", "accounts/already_registered/mail.html", { name, link, valid }
    )
}

/// The link that chooses a new password.
pub fn reset_password(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    link: &str,
    valid_for: Duration,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, valid) = (name.as_str(), &*period(valid_for));
    mail!(
        brand, to, format!("Choose a new password for {brand}"), Colour::of(reseller),
        "accounts/reset_password/mail.txt", "accounts/reset_password/mail.html", { name, link, valid }
    )
}

/// Why somebody who has not asked for it gets a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Its company became a reseller (rule B1).
    Onboarding,
    /// An operator, or a reseller for its clients, made the login.
    Invitation,
}

/// The link that chooses the first password of a login that somebody else made; of an onboarded reseller `name` is the
/// company's.
pub fn set_password(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    link: &str,
    valid_for: Duration,
    occasion: Occasion,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, email, valid) = (name.as_str(), to.as_str(), &*period(valid_for));
    let (subject, reason) = match occasion {
        Occasion::Onboarding => (
            format!("Your login as a partner of {brand}"),
            format!("you are a partner of {brand}, and this is how you get in."),
        ),
        Occasion::Invitation => {
            (format!("Your invitation to {brand}"), format!("you are invited to {brand}: there is an account for you."))
        }
    };
    let reason = reason.as_str();
    mail!(
        brand, to, subject, Colour::of(reseller),
        "accounts/set_password/mail.txt", "accounts/set_password/mail.html", { name, reason, email, link, valid }
    )
}

/// The link that confirms a login's new address; it goes to that address.
pub fn confirm_new_email(
    app: &App,
    to: &EmailAddress,
    link: &str,
    valid_for: Duration,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let valid = &*period(valid_for);
    mail!(
        brand, to, format!("Confirm your new address for {brand}"), Colour::of(reseller),
        "accounts/confirm_new_email/mail.txt", "accounts/confirm_new_email/mail.html", { link, valid }
    )
}

/// That the password changed; `when` is for people, as in all that follow.
pub fn password_changed(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    when: &str,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let name = name.as_str();
    mail!(
        brand, to, format!("Your {brand} password was changed"), Colour::of(reseller),
        "accounts/password_changed/mail.txt", "accounts/password_changed/mail.html", { name, when }
    )
}

/// That the address changed; it goes to the one before, and does not tell the new one.
pub fn email_changed(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    when: &str,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, email) = (name.as_str(), to.as_str());
    mail!(
        brand, to, format!("Your {brand} account has another address"), Colour::of(reseller),
        "accounts/email_changed/mail.txt", "accounts/email_changed/mail.html", { name, email, when }
    )
}

/// That somebody signed in from a device that never did before: from which network address, and what the device says
/// it is, if it says anything.
pub fn new_device(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    when: &str,
    address: &str,
    device: Option<&str>,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let device = plain(device.unwrap_or_default());
    let device = if device.is_empty() { "unknown" } else { device.as_str() };
    let name = name.as_str();
    mail!(
        brand, to, format!("New sign-in to your {brand} account"), Colour::of(reseller),
        "accounts/new_device/mail.txt", "accounts/new_device/mail.html", { name, when, address, device }
    )
}

/// That the second factor was turned on or off.
pub fn second_factor_changed(
    app: &App,
    to: &EmailAddress,
    name: &Name,
    on: bool,
    when: &str,
    reseller: Option<&Reseller>,
) -> Result<Mail, String> {
    let brand = brand(app, reseller);
    let (name, turned) = (name.as_str(), if on { "on" } else { "off" });
    mail!(
        brand, to, format!("Two-step sign-in to {brand} is {turned}"), Colour::of(reseller),
        "accounts/second_factor_changed/mail.txt", "accounts/second_factor_changed/mail.html", { name, turned, when }
    )
}

/// Logins that nobody needs any more, as an operator is told of them.
#[derive(Debug, Default)]
pub struct StaleAccounts {
    /// How many were never confirmed.
    pub unconfirmed: u64,
    /// How many nobody has signed in to for long.
    pub dormant: u64,
    /// The first of them, at most [`MOST_SHOWN`].
    pub first: Vec<(UserRefid, Stale)>,
}

/// How many accounts a mail names.
pub const MOST_SHOWN: usize = 20;

impl StaleAccounts {
    /// One more.
    pub fn add(&mut self, user: &UserRefid, stale: Stale) {
        match stale.reason {
            Reason::Unconfirmed => self.unconfirmed += 1,
            Reason::Dormant => self.dormant += 1,
        }
        if self.first.len() < MOST_SHOWN {
            self.first.push((user.clone(), stale));
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.unconfirmed + self.dormant
    }

    /// A line for each that is named: its refid, since which day, and why. Nobody's name or address: a list of people
    /// who have left is none of a mailbox's business.
    fn lines(&self) -> String {
        let line = |(user, stale): &(UserRefid, Stale)| {
            let Stale { reason, since } = stale;
            format!("{user} {} {}", since.day(), reason.as_str())
        };
        self.first.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The report to an operator of accounts that nobody needs, and how to delete them (rule D6). Nothing is deleted by it.
pub fn stale_accounts(app: &App, to: &EmailAddress, name: &Name, found: &StaleAccounts) -> Result<Mail, String> {
    let (brand, name) = (app.config.brand.as_str(), name.as_str());
    let accounts = |count| match count {
        1 => "1 account".to_owned(),
        count => format!("{count} accounts"),
    };
    let rule = &app.config.accounts.clean_up;
    let days = [rule.unconfirmed, rule.dormant].map(|it| it.as_hours() / 24);
    let (count, lines) = (&*accounts(found.count()), &*found.lines());
    let never = format!("never confirmed in {} days: {}", days[0], found.unconfirmed);
    let unused = format!("without a sign-in in {} days: {}", days[1], found.dormant);
    let (never, unused) = (never.as_str(), unused.as_str());
    let shown = match found.first.len() {
        all if found.count() == all as u64 => "They are, since when, and why:".to_owned(),
        some => format!("The first {some} of them, since when, and why:"),
    };
    let shown = shown.as_str();
    let url = app.config.public_url.as_deref().unwrap_or("https://…");
    mail!(
        brand, to, format!("{count} that nobody needs"), Colour::VENDORS,
        "operators/stale_accounts/mail.txt", "operators/stale_accounts/mail.html",
        { name, count, never, unused, shown, lines, url }
    )
}

/// Text that a device sent, on one line and of bounded length.
fn plain(text: &str) -> String {
    let readable = |it: char| if is_allowed(it) { it } else { ' ' };
    let short = text.chars().take(MOST_OF_DEVICE).map(readable);
    short.collect::<String>().trim().to_owned()
}
