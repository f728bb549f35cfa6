//! The part of the configuration that is about accounts.
//!
//! Invariant: as of all of it; a session, a link and a clean-up never last so long or short that one defeats the other.

use http::Uri;
use purser_domain::people::clean_up::CleanUp;
use purser_domain::people::password::{self, PasswordPolicy};
use purser_domain::people::session::Limits;

use super::values::{days, http_url, plain, text, times_minutes};
use super::variable::{Lookup, Variable, Variables, required, usually, variables};

/// Where Google judges answers.
pub(super) const SITEVERIFY: &str = "https://www.google.com/recaptcha/api/siteverify";

variables! {
    /// Who signs in, and how.
    #[derive(Debug, Clone)]
    pub struct Accounts {
        /// Whether anybody may register (rule D1).
        registration: bool = usually("PURSER_REGISTRATION", true, plain),
        /// Whether a registration counts only once its address is confirmed (rule D1).
        confirm_address: bool = usually("PURSER_CONFIRM_ADDRESS", true, plain),
        /// Whether operators must sign in with a second factor.
        operator_second_factor: bool = usually("PURSER_OPERATOR_SECOND_FACTOR", false, plain),
        /// How long sessions last.
        sessions: Limits = Limits::group(),
        /// How long logins stay that nobody needs (rule D6).
        clean_up: CleanUp = CleanUp::group(),
        /// What is asked of new passwords (rule D2).
        passwords: PasswordPolicy = usually("PURSER_PASSWORD_LENGTH", password::USUAL, password_policy),
        /// How strangers show that they are people (rule D2).
        captcha: Captcha = Captcha::group(),
    }
}

variables! {
    Limits {
        idle = usually("PURSER_SESSION_IDLE_MINUTES", 30, times_minutes(1)),
        absolute = usually("PURSER_SESSION_HOURS", 12, times_minutes(60)),
    }
}

variables! {
    // Longer than any link or session is good for: what is in use is never listed.
    CleanUp {
        unconfirmed = usually("PURSER_UNCONFIRMED_DAYS", 30, days(2)),
        dormant = usually("PURSER_DORMANT_DAYS", 730, days(60)),
    }
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    PasswordPolicy::at_least(plain(text)?).map_err(|error| error.to_string())
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

variables! {
    /// A site at reCAPTCHA.
    #[derive(Clone)]
    pub struct Recaptcha {
        /// What pages name it by.
        site_key: String = required("PURSER_RECAPTCHA_SITE_KEY", text),
        /// What it proves itself with. `Debug` hides it.
        secret: String = required("PURSER_RECAPTCHA_SECRET", text),
        /// Where answers are judged: an absolute `http` or `https` address.
        url: Uri = usually("PURSER_RECAPTCHA_URL", SITEVERIFY, http_url),
    }
}

impl std::fmt::Debug for Recaptcha {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (site_key, url) = (&self.site_key, &self.url);
        write!(f, "Recaptcha({site_key:?} at {url}, secret …)")
    }
}

impl Variables for Captcha {
    /// The variables of a site at reCAPTCHA are read only where it is asked.
    fn group() -> Variable<Self> {
        let kind = usually("PURSER_CAPTCHA", "off", |text| match text {
            "off" => Ok(Some(Self::Off)),
            "arithmetic" => Ok(Some(Self::Arithmetic)),
            "recaptcha" => Ok(None),
            _ => Err("must be off, arithmetic or recaptcha".to_owned()),
        });
        let site = Recaptcha::group();
        let names = [kind.names, site.names].concat();
        let read = move |lookup: Lookup<'_>| match (kind.read)(lookup)? {
            Some(captcha) => Ok(captcha),
            None => (site.read)(lookup).map(Self::Recaptcha),
        };
        Variable { names, read: Box::new(read) }
    }
}
