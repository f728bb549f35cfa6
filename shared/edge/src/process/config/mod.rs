//! Configuration: template parameters become environment variables, these become one typed [`Config`].
//!
//! Invariant: a configuration that exists is valid; a wrong value stops the start with a message that names the
//! variable. Every variable here is set in template.yaml, and the other way round (a test compares them).

mod accounts;

pub use accounts::{Accounts, Captcha, Recaptcha};

use http::Uri;
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::Prefix;
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::{BasisPoints, Discounts};
use purser_domain::parties::client::ClientStatus;
use purser_store::{Policy, Prefixes};

/// Everything about a deployment that is not code.
#[derive(Debug, Clone)]
pub struct Config {
    /// The DynamoDB table.
    pub table: String,
    /// The EventBridge bus.
    pub bus: String,
    /// The address mails come from.
    pub mail_from: EmailAddress,
    /// The SES configuration set that mails are sent under; none: SES tells nobody of bounces.
    pub mail_configuration_set: Option<String>,
    /// The name mails come from when no reseller's brand applies.
    pub brand: String,
    /// Where people reach Purser, for links in mails: `http` or `https`, without a slash at the end. None: no mail that
    /// needs a link can be sent.
    pub public_url: Option<String>,
    /// The prefixes of refids.
    pub prefixes: Prefixes,
    /// The status of a new client.
    pub client_status: ClientStatus,
    /// The discounts of the tiers.
    pub discounts: Discounts,
    /// The threshold of a new reseller.
    pub low_credit_threshold: Credits,
    /// Whether a new client is bound to the confirmed login with its address (rule A7).
    pub auto_bind_user: bool,
    /// Whether anybody may apply to become a reseller (rule B1).
    pub partner_sign_up: bool,
    /// Whether a reseller that ran low may not buy until it tops up (rule B9).
    pub hold_on_low_credit: bool,
    /// The display currency, an ISO 4217 code.
    pub currency: String,
    /// How many credits are one unit of the display currency.
    pub credits_per_unit: u64,
    /// How many requests a minute a reseller's keys together, or one operator's key, may make; 0: any number.
    pub key_requests_per_minute: u32,
    /// How many requests a minute may come from one address; 0: any number.
    pub address_requests_per_minute: u32,
    /// SHA-256 of the operators' first key, hexadecimal; none: only keys in the table count.
    pub operator_key_sha256: Option<String>,
    /// Who signs in, and how.
    pub accounts: Accounts,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

/// The variables, by name. The secret's own is read where the secret is fetched.
pub const VARIABLES: [&str; 34] = [
    "PURSER_TABLE",
    "PURSER_BUS",
    "PURSER_MAIL_FROM",
    "PURSER_MAIL_CONFIGURATION_SET",
    "PURSER_BRAND",
    "PURSER_PUBLIC_URL",
    "PURSER_CLIENT_PREFIX",
    "PURSER_RESELLER_PREFIX",
    "PURSER_CLIENT_STATUS",
    "PURSER_DISCOUNT_STANDARD",
    "PURSER_DISCOUNT_GOLD",
    "PURSER_DISCOUNT_PLATINUM",
    "PURSER_LOW_CREDIT_THRESHOLD",
    "PURSER_AUTO_BIND_USER",
    "PURSER_PARTNER_SIGN_UP",
    "PURSER_HOLD_ON_LOW_CREDIT",
    "PURSER_CURRENCY",
    "PURSER_CREDITS_PER_UNIT",
    "PURSER_KEY_REQUESTS_PER_MINUTE",
    "PURSER_ADDRESS_REQUESTS_PER_MINUTE",
    "PURSER_OPERATOR_KEY_SHA256",
    "PURSER_REGISTRATION",
    "PURSER_CONFIRM_ADDRESS",
    "PURSER_OPERATOR_SECOND_FACTOR",
    "PURSER_SESSION_IDLE_MINUTES",
    "PURSER_SESSION_HOURS",
    "PURSER_UNCONFIRMED_DAYS",
    "PURSER_DORMANT_DAYS",
    "PURSER_PASSWORD_LENGTH",
    "PURSER_CAPTCHA",
    "PURSER_RECAPTCHA_SITE_KEY",
    "PURSER_RECAPTCHA_SECRET",
    "PURSER_RECAPTCHA_URL",
    SECRET_VARIABLE,
];

/// The variable that names the deployment's secret.
pub const SECRET_VARIABLE: &str = "PURSER_SECRET_ARN";

impl Config {
    /// Reads the variables through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let given = Given { lookup };
        let points = |name, default: u16| {
            let points = given.parsed(name, default)?;
            BasisPoints::try_from(points).map_err(|error| wrong(name, &error))
        };
        Ok(Self {
            table: given.text("PURSER_TABLE")?,
            bus: given.text("PURSER_BUS")?,
            mail_from: EmailAddress::try_from(given.text("PURSER_MAIL_FROM")?)
                .map_err(|error| wrong("PURSER_MAIL_FROM", &error))?,
            mail_configuration_set: given.get("PURSER_MAIL_CONFIGURATION_SET"),
            brand: given.text_or("PURSER_BRAND", "Purser"),
            public_url: given.public_url()?,
            prefixes: given.prefixes()?,
            client_status: given.client_status()?,
            discounts: Discounts {
                standard: points("PURSER_DISCOUNT_STANDARD", 0)?,
                gold: points("PURSER_DISCOUNT_GOLD", 1_500)?,
                platinum: points("PURSER_DISCOUNT_PLATINUM", 3_000)?,
            },
            low_credit_threshold: Credits::new(given.parsed("PURSER_LOW_CREDIT_THRESHOLD", 500)?),
            auto_bind_user: given.parsed("PURSER_AUTO_BIND_USER", false)?,
            partner_sign_up: given.parsed("PURSER_PARTNER_SIGN_UP", false)?,
            hold_on_low_credit: given.parsed("PURSER_HOLD_ON_LOW_CREDIT", false)?,
            currency: given.currency()?,
            credits_per_unit: given.credits_per_unit()?,
            key_requests_per_minute: given.parsed("PURSER_KEY_REQUESTS_PER_MINUTE", 6_000)?,
            address_requests_per_minute: given.parsed("PURSER_ADDRESS_REQUESTS_PER_MINUTE", 6_000)?,
            operator_key_sha256: given.operator_key()?,
            accounts: given.accounts()?,
        })
    }
}

impl Config {
    /// Reads the variables of this process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Which login a new client is bound to when nobody names one.
    pub fn policy(&self) -> Policy {
        Policy { discounts: self.discounts, client_status: self.client_status, bind_by_address: self.auto_bind_user }
    }
}

fn wrong(name: &'static str, problem: &dyn std::fmt::Display) -> ConfigError {
    ConfigError { name, problem: problem.to_string() }
}

struct Given<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<String>> Given<L> {
    fn get(&self, name: &'static str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &'static str) -> Result<String, ConfigError> {
        self.get(name).ok_or_else(|| wrong(name, &"is not set"))
    }

    fn text_or(&self, name: &'static str, default: &str) -> String {
        self.get(name).unwrap_or_else(|| default.to_owned())
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
        default: T,
    ) -> Result<T, ConfigError> {
        self.get(name)
            .map_or(Ok(default), |text| text.parse().map_err(|error| wrong(name, &format_args!("{text:?}: {error}"))))
    }

    fn public_url(&self) -> Result<Option<String>, ConfigError> {
        let name = "PURSER_PUBLIC_URL";
        let Some(url) = self.get(name) else {
            return Ok(None);
        };
        let parsed = url.parse::<Uri>().map_err(|error| wrong(name, &error))?;
        let absolute = matches!(parsed.scheme_str(), Some("http" | "https"));
        // What is written before an @ looks like the host, and is not.
        let open = parsed.authority().is_some_and(|it| !it.as_str().contains('@'));
        if absolute && open && !url.contains(['?', '#']) && !url.ends_with('/') {
            Ok(Some(url))
        } else {
            let form = "must be like https://purser.example.com, without a slash at the end";
            Err(wrong(name, &form))
        }
    }

    fn prefixes(&self) -> Result<Prefixes, ConfigError> {
        let prefix = |name, default: &str| {
            let text = self.text_or(name, default);
            text.parse::<Prefix>().map_err(|error| wrong(name, &error))
        };
        Ok(Prefixes {
            client: prefix("PURSER_CLIENT_PREFIX", "CL-")?,
            reseller: prefix("PURSER_RESELLER_PREFIX", "RS-")?,
            user: prefix("", "US-")?,
            licence: prefix("", "LI-")?,
            entry: prefix("", "PV-")?,
            api_key: prefix("", "AK-")?,
        })
    }

    fn client_status(&self) -> Result<ClientStatus, ConfigError> {
        let name = "PURSER_CLIENT_STATUS";
        let text = self.text_or(name, "pending");
        ClientStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| wrong(name, &"must be pending, active, suspended or inactive"))
    }

    fn currency(&self) -> Result<String, ConfigError> {
        let name = "PURSER_CURRENCY";
        let code = self.text_or(name, "USD");
        let valid = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if valid { Ok(code) } else { Err(wrong(name, &"must be an ISO 4217 code like USD")) }
    }

    fn credits_per_unit(&self) -> Result<u64, ConfigError> {
        let name = "PURSER_CREDITS_PER_UNIT";
        match self.parsed(name, 100)? {
            0 => Err(wrong(name, &"must be at least 1")),
            credits => Ok(credits),
        }
    }

    fn operator_key(&self) -> Result<Option<String>, ConfigError> {
        let name = "PURSER_OPERATOR_KEY_SHA256";
        let Some(hash) = self.get(name) else {
            return Ok(None);
        };
        let valid = hash.len() == 64 && hash.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        if valid { Ok(Some(hash)) } else { Err(wrong(name, &"must be 64 lower-case hexadecimal digits")) }
    }
}

#[cfg(test)]
mod tests;
