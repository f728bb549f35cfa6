//! Mails to resellers about themselves, in the vendor's name (rules B1, B9).

use purser_domain::parties::reseller::Reseller;
use purser_edge::App;
use purser_edge::process::mail::Mail;

use super::{Colour, money};

/// The warning that a reseller's credit ran low (rule B9).
pub fn credits_ran_low(app: &App, reseller: &Reseller, left: u64, threshold: u64) -> Result<Mail, String> {
    let company = reseller.company_name.as_str();
    let (balance, threshold) = (&*money(&app.config, left), &*money(&app.config, threshold));
    let outlook = if app.config.hold_on_low_credit {
        format!("Purchases are held until you top up to at least {threshold}.")
    } else {
        "Purchases go on until the balance is spent. Please top up in time.".to_owned()
    };
    let outlook = outlook.as_str();
    let subject = format!("Your credit is low: {left} credits left");
    mail!(
        app.config.brand.as_str(), reseller.email, subject, Colour::VENDORS,
        "resellers/credits_ran_low/mail.txt", "resellers/credits_ran_low/mail.html",
        { company, balance, threshold, outlook }
    )
}

/// That an application to become a reseller arrived (rule B1).
pub fn application_received(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        reseller.email,
        format!("Your application to {brand}"),
        Colour::VENDORS,
        "resellers/application_received/mail.txt",
        "resellers/application_received/mail.html",
        { company }
    )
}

/// That it was approved (rule B1).
pub fn application_approved(app: &App, reseller: &Reseller) -> Result<Mail, String> {
    let (brand, company) = (app.config.brand.as_str(), reseller.company_name.as_str());
    mail!(
        brand,
        reseller.email,
        format!("Welcome as a partner of {brand}"),
        Colour::VENDORS,
        "resellers/application_approved/mail.txt",
        "resellers/application_approved/mail.html",
        { company }
    )
}
