//! The part of the configuration that is about accounts.
//!
//! Invariant: as of all of it; a session, a link and a clean-up never last so long or short that one defeats the other.

use http::Uri;
use jiff::SignedDuration;
use purser_domain::people::clean_up::CleanUp;
use purser_domain::people::password::{self, PasswordPolicy};
use purser_domain::people::session::Limits;

use super::{ConfigError, Given, wrong};

/// Where Google judges answers.
pub(super) const SITEVERIFY: &str = "https://www.google.com/recaptcha/api/siteverify";

/// Who signs in, and how.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Whether anybody may register (rule D1).
    pub registration: bool,
    /// Whether a registration counts only once its address is confirmed (rule D1).
    pub confirm_address: bool,
    /// Whether operators must sign in with a second factor.
    pub operator_second_factor: bool,
    /// How long sessions last.
    pub sessions: Limits,
    /// How long logins stay that nobody needs (rule D6).
    pub clean_up: CleanUp,
    /// What is asked of new passwords (rule D2).
    pub passwords: PasswordPolicy,
    /// How strangers show that they are people (rule D2).
    pub captcha: Captcha,
}

/// How strangers show that they are people.
#[derive(Debug, Clone)]
pub enum Captcha {
    /// They need not.
    Off,
    /// By a sum.
    Arithmetic,
    /// By Google's reCAPTCHA, or what speaks its protocol.
    Recaptcha(Recaptcha),
}

/// A site at reCAPTCHA.
#[derive(Clone)]
pub struct Recaptcha {
    /// What pages name it by.
    pub site_key: String,
    /// What it proves itself with. `Debug` hides it.
    pub secret: String,
    /// Where answers are judged: an absolute `http` or `https` address.
    pub url: Uri,
}

impl std::fmt::Debug for Recaptcha {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (site_key, url) = (&self.site_key, &self.url);
        write!(f, "Recaptcha({site_key:?} at {url}, secret …)")
    }
}

impl<L: Fn(&str) -> Option<String>> Given<L> {
    pub(super) fn accounts(&self) -> Result<Accounts, ConfigError> {
        Ok(Accounts {
            registration: self.parsed("PURSER_REGISTRATION", true)?,
            confirm_address: self.parsed("PURSER_CONFIRM_ADDRESS", true)?,
            operator_second_factor: self.parsed("PURSER_OPERATOR_SECOND_FACTOR", false)?,
            sessions: Limits {
                idle: self.minutes("PURSER_SESSION_IDLE_MINUTES", 30, 1)?,
                absolute: self.minutes("PURSER_SESSION_HOURS", 12, 60)?,
            },
            clean_up: CleanUp {
                // Longer than any link or session is good for: what is in use is never listed.
                unconfirmed: self.days("PURSER_UNCONFIRMED_DAYS", 30, 2)?,
                dormant: self.days("PURSER_DORMANT_DAYS", 730, 60)?,
            },
            passwords: self.passwords()?,
            captcha: self.captcha()?,
        })
    }

    /// A length of time, given in units of so many minutes: from one to a thousand.
    fn minutes(&self, name: &'static str, default: i64, unit: i64) -> Result<SignedDuration, ConfigError> {
        match self.parsed(name, default)? {
            count @ 1..=1_000 => Ok(SignedDuration::from_mins(count * unit)),
            _ => Err(wrong(name, &"must be from 1 to 1000")),
        }
    }

    /// A length of time in days: from `least` to ten thousand.
    fn days(&self, name: &'static str, default: i64, least: i64) -> Result<SignedDuration, ConfigError> {
        match self.parsed(name, default)? {
            days if (least..=10_000).contains(&days) => Ok(SignedDuration::from_hours(24 * days)),
            _ => Err(wrong(name, &format_args!("must be from {least} to 10000"))),
        }
    }

    fn passwords(&self) -> Result<PasswordPolicy, ConfigError> {
        let name = "PURSER_PASSWORD_LENGTH";
        let least = self.parsed(name, password::USUAL)?;
        PasswordPolicy::at_least(least).map_err(|error| wrong(name, &error))
    }

    fn captcha(&self) -> Result<Captcha, ConfigError> {
        let name = "PURSER_CAPTCHA";
        match self.text_or(name, "off").as_str() {
            "off" => Ok(Captcha::Off),
            "arithmetic" => Ok(Captcha::Arithmetic),
            "recaptcha" => Ok(Captcha::Recaptcha(Recaptcha {
                site_key: self.text("PURSER_RECAPTCHA_SITE_KEY")?,
                secret: self.text("PURSER_RECAPTCHA_SECRET")?,
                url: self.recaptcha_url()?,
            })),
            _ => Err(wrong(name, &"must be off, arithmetic or recaptcha")),
        }
    }

    fn recaptcha_url(&self) -> Result<Uri, ConfigError> {
        let name = "PURSER_RECAPTCHA_URL";
        let url = self.text_or(name, SITEVERIFY).parse::<Uri>();
        url.ok()
            .filter(|url| matches!(url.scheme_str(), Some("http" | "https")))
            .ok_or_else(|| wrong(name, &"must be an http or https address"))
    }
}
