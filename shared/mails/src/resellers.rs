//! E-mails to resellers. They carry the vendor's brand (rules B1, B9).

use purser_domain::basic::EmailAddress;
use purser_domain::parties::Reseller;
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, counted, credits_and_value, greeting};

/// The warning that a reseller's balance fell below its threshold (rule B9).
pub fn credits_ran_low(app: &App, reseller: &Reseller, left: u64, threshold: u64) -> Result<Mail, String> {
    let company = reseller.company_name.as_str();
    let (balance, threshold) = (&*credits_and_value(&app.config, left), &*credits_and_value(&app.config, threshold));
    let outlook = if app.config.hold_on_low_credit {
        format!("New purchases are on hold until you top up your wallet to at least {threshold}.")
    } else if left == 0 {
        "You cannot buy licences until you top up your wallet.".to_owned()
    } else {
        "You can continue to buy licences until the balance is used up. Please top up your wallet in time.".to_owned()
    };
    let outlook = outlook.as_str();
    let subject = format!("Your credit is low: {} left", counted(left, "credit"));
    mail!(
        app.config.brand.as_str(), reseller.email, subject, Colour::VENDOR,
        "resellers/credits_ran_low/mail.txt", "resellers/credits_ran_low/mail.html",
        { company, balance, threshold, outlook }
    )
}

/// Goes to the previous address, and does not reveal the new one.
pub fn email_changed(app: &App, to: &EmailAddress, reseller: &Reseller, when: &str) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        to,
        format!("The e-mail address of {company} at {brand} was changed"),
        Colour::VENDOR,
        "resellers/email_changed/mail.txt",
        "resellers/email_changed/mail.html",
        { company, when }
    )
}

/// Does not repeat the name of the company: anybody may apply with any name, for any address.
pub fn application_received(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let brand = app.config.brand.as_str();
    let greeting = &*greeting(None);
    mail!(
        brand,
        reseller.email,
        format!("Your application to become a partner of {brand}"),
        Colour::VENDOR,
        "resellers/application_received/mail.txt",
        "resellers/application_received/mail.html",
        { greeting }
    )
}

pub fn application_approved(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        reseller.email,
        format!("You are now a partner of {brand}"),
        Colour::VENDOR,
        "resellers/application_approved/mail.txt",
        "resellers/application_approved/mail.html",
        { company }
    )
}
