//! The part of the configuration that concerns users' accounts.
//!
//! Invariant: as in the rest of the configuration, every value is valid. The limits of sessions, links and clean-up
//! are chosen so that they can't contradict each other.

use http::Uri;
use purser_domain::people::clean_up::CleanUp;
use purser_domain::people::{PasswordPolicy, SessionLimits, password};

use super::values::{days, plain, safe_url, text, times_minutes};
use super::variable::{Lookup, Variable, Variables, optional, required, usually, variables};

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
    /// They need not, until many requests have come from their network address; then they answer a sum.
    Off,
    /// They answer a sum.
    Arithmetic,
    /// They solve the challenge of a service, which judges their responses.
    Service(CaptchaService),
}

/// A service that tells people from programs.
#[derive(Debug, Clone)]
pub struct CaptchaService {
    pub kind: ServiceKind,
    /// The public key with which pages load the challenge.
    pub site_key: String,
    /// Where responses are judged: an absolute `https` address, or one of this machine.
    pub url: Uri,
}

/// The services that Purser knows. All of them speak the protocol of reCAPTCHA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum ServiceKind {
    Turnstile,
    Hcaptcha,
    Recaptcha,
}

impl ServiceKind {
    /// Where the service judges responses.
    const fn siteverify(self) -> &'static str {
        match self {
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            Self::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            Self::Recaptcha => "https://www.google.com/recaptcha/api/siteverify",
        }
    }
}

impl Variables for Captcha {
    /// The variables of a service are only read if there is one.
    fn group() -> Variable<Self> {
        let kind = usually("PURSER_CAPTCHA", "off", |text| match text {
            "off" => Ok(Ok(Self::Off)),
            "arithmetic" => Ok(Ok(Self::Arithmetic)),
            other => match other.parse::<ServiceKind>() {
                Ok(kind) => Ok(Err(kind)),
                Err(_) => Err("must be off, arithmetic, turnstile, hcaptcha or recaptcha".to_owned()),
            },
        });
        let site_key = required("PURSER_CAPTCHA_SITE_KEY", text);
        let url = optional("PURSER_CAPTCHA_URL", safe_url);
        let names = [kind.names, site_key.names, url.names].concat();
        let read = move |lookup: Lookup<'_>| {
            let kind = match (kind.read)(lookup)? {
                Ok(captcha) => return Ok(captcha),
                Err(kind) => kind,
            };
            let own = || Uri::from_static(kind.siteverify());
            let (site_key, url) = ((site_key.read)(lookup)?, (url.read)(lookup)?.unwrap_or_else(own));
            Ok(Self::Service(CaptchaService { kind, site_key, url }))
        };
        Variable { names, read: Box::new(read) }
    }
}
