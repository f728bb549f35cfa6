//! Configuration: template parameters become environment variables, these become one typed [`Config`].
//!
//! Invariant: a configuration that exists is valid; a wrong value stops the start with a message that names the
//! variable. Every variable here is set in template.yaml, and the other way round (a test compares them).

mod accounts;
mod values;
mod variable;

pub use accounts::{Accounts, Captcha, Recaptcha};
pub use variable::ConfigError;

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::Prefix;
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::Discounts;
use purser_domain::parties::client::ClientStatus;
use purser_store::{Policy, Prefixes};

use values::{
    basis_points, client_status, credits, currency, email, plain, positive, prefix, public_url, sha256, text,
};
use variable::{Variable, Variables, always, optional, required, usually, variables};

/// The variable that names the deployment's secret. It is read where the secret is fetched.
pub const SECRET_VARIABLE: &str = "PURSER_SECRET_ARN";

variables! {
    /// Everything about a deployment that is not code.
    #[derive(Debug, Clone)]
    pub struct Config {
        /// The DynamoDB table.
        table: String = required("PURSER_TABLE", text),
        /// The EventBridge bus.
        bus: String = required("PURSER_BUS", text),
        /// The address mails come from.
        mail_from: EmailAddress = required("PURSER_MAIL_FROM", email),
        /// The SES configuration set that mails are sent under; none: SES tells nobody of bounces.
        mail_configuration_set: Option<String> = optional("PURSER_MAIL_CONFIGURATION_SET", text),
        /// The name mails come from when no reseller's brand applies.
        brand: String = usually("PURSER_BRAND", "Purser", text),
        /// Where people reach Purser, for links in mails: `http` or `https`, without a slash at the end. None: no mail
        /// that needs a link can be sent.
        public_url: Option<String> = optional("PURSER_PUBLIC_URL", public_url),
        /// The prefixes of refids.
        prefixes: Prefixes = Prefixes::group(),
        /// The status of a new client.
        client_status: ClientStatus = usually("PURSER_CLIENT_STATUS", "pending", client_status),
        /// The discounts of the tiers.
        discounts: Discounts = Discounts::group(),
        /// The threshold of a new reseller.
        low_credit_threshold: Credits = usually("PURSER_LOW_CREDIT_THRESHOLD", 500, credits),
        /// Whether a new client is bound to the confirmed login with its address (rule A7).
        auto_bind_user: bool = usually("PURSER_AUTO_BIND_USER", false, plain),
        /// Whether anybody may apply to become a reseller (rule B1).
        partner_sign_up: bool = usually("PURSER_PARTNER_SIGN_UP", false, plain),
        /// Whether a reseller that ran low may not buy until it tops up (rule B9).
        hold_on_low_credit: bool = usually("PURSER_HOLD_ON_LOW_CREDIT", false, plain),
        /// The display currency, an ISO 4217 code.
        currency: String = usually("PURSER_CURRENCY", "USD", currency),
        /// How many credits are one unit of the display currency.
        credits_per_unit: u64 = usually("PURSER_CREDITS_PER_UNIT", 100, positive),
        /// How many requests a minute a reseller's keys together, or one operator's key, may make; 0: any number.
        key_requests_per_minute: u32 = usually("PURSER_KEY_REQUESTS_PER_MINUTE", 6_000, plain),
        /// How many requests a minute may come from one address; 0: any number.
        address_requests_per_minute: u32 = usually("PURSER_ADDRESS_REQUESTS_PER_MINUTE", 6_000, plain),
        /// SHA-256 of the operators' first key, hexadecimal; none: only keys in the table count.
        operator_key_sha256: Option<String> = optional("PURSER_OPERATOR_KEY_SHA256", sha256),
        /// Who signs in, and how.
        accounts: Accounts = Accounts::group(),
    }
}

variables! {
    Prefixes {
        client = usually("PURSER_CLIENT_PREFIX", "CL-", prefix),
        reseller = usually("PURSER_RESELLER_PREFIX", "RS-", prefix),
        user = always(Prefix::USER),
        licence = always(Prefix::LICENCE),
        entry = always(Prefix::ENTRY),
        api_key = always(Prefix::API_KEY),
    }
}

variables! {
    Discounts {
        standard = usually("PURSER_DISCOUNT_STANDARD", 0, basis_points),
        gold = usually("PURSER_DISCOUNT_GOLD", 1_500, basis_points),
        platinum = usually("PURSER_DISCOUNT_PLATINUM", 3_000, basis_points),
    }
}

impl Config {
    /// Reads the variables through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        (Self::group().read)(&lookup)
    }

    /// Reads the variables of this process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The names of the variables.
    pub fn variables() -> Vec<&'static str> {
        Self::group().names
    }

    /// Which login a new client is bound to when nobody names one.
    pub fn policy(&self) -> Policy {
        Policy { discounts: self.discounts, client_status: self.client_status, bind_by_address: self.auto_bind_user }
    }
}

#[cfg(test)]
mod tests;
