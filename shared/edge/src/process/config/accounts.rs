//! The part of the configuration that concerns users' accounts.
//!
//! Invariant: as in the rest of the configuration, every value is valid. The limits of sessions, links and clean-up
//! are chosen so that they can't contradict each other.

use http::Uri;
use purser_domain::people::clean_up::CleanUp;
use purser_domain::people::{PasswordPolicy, SessionLimits, password};

use super::values::{days, http_url, plain, text, times_minutes};
use super::variable::{Lookup, Variable, Variables, required, usually, variables};

/// The address at which Google checks the responses of reCAPTCHA.
pub(super) const SITEVERIFY: &str = "https://www.google.com/recaptcha/api/siteverify";

variables! {
    /// Who may register and sign in, and how.
    #[derive(Debug, Clone)]
    pub struct Accounts {
        /// Whether anybody may register (rule D1).
        registration: bool = usually("PURSER_REGISTRATION", true, plain),
        /// Whether a new user must confirm the address before signing in (rule D1).
        confirm_address: bool = usually("PURSER_CONFIRM_ADDRESS", true, plain),
        /// Whether operators must sign in with a second factor.
        operator_second_factor: bool = usually("PURSER_OPERATOR_SECOND_FACTOR", false, plain),
        sessions: SessionLimits = SessionLimits::group(),
        /// After how long an unconfirmed or unused account is listed for deletion (rule D6).
        clean_up: CleanUp = CleanUp::group(),
        /// The requirements for new passwords (rule D2).
        passwords: PasswordPolicy = usually("PURSER_PASSWORD_LENGTH", password::USUAL, password_policy),
        /// How unauthenticated callers prove that they are people (rule D2).
        captcha: Captcha = Captcha::group(),
    }
}

variables! {
    SessionLimits {
        idle = usually("PURSER_SESSION_IDLE_MINUTES", 30, times_minutes(1)),
        absolute = usually("PURSER_SESSION_HOURS", 12, times_minutes(60)),
    }
}

variables! {
    // The minimums exceed the lifetime of any link or session, so an account in use is never listed.
    CleanUp {
        unconfirmed = usually("PURSER_UNCONFIRMED_DAYS", 30, days(2)),
        dormant = usually("PURSER_DORMANT_DAYS", 730, days(60)),
    }
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    PasswordPolicy::at_least(plain(text)?).map_err(|error| error.to_string())
}

/// How unauthenticated callers prove that they are people.
#[derive(Debug, Clone)]
pub enum Captcha {
    Off,
    Arithmetic,
    /// They solve Google's reCAPTCHA, or a challenge of a compatible service.
    Recaptcha(Recaptcha),
}

variables! {
    #[derive(Clone)]
    pub struct Recaptcha {
        /// The public key with which pages load reCAPTCHA.
        site_key: String = required("PURSER_RECAPTCHA_SITE_KEY", text),
        /// The secret with which Purser authenticates to reCAPTCHA. `Debug` hides it.
        secret: String = required("PURSER_RECAPTCHA_SECRET", text),
        /// Where responses are checked: an absolute `http` or `https` address.
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
    /// The variables of reCAPTCHA are only read if it is enabled.
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
