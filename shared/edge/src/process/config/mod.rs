//! Configuration: the parameters of template.yaml become environment variables, and those become one typed
//! [`Config`].
//!
//! Invariant: a [`Config`] is always valid; an invalid value stops the function at its start with a message that
//! names the variable. template.yaml sets exactly the variables that are read here (a test compares them).

mod accounts;
mod edge;
mod origin;
mod values;
mod variable;

pub use accounts::{Accounts, Captcha, CaptchaService, ServiceKind};
pub use edge::Edge;
pub use origin::{LOOPBACK, Origin};
pub use variable::ConfigError;

use purser_domain::basic::{EmailAddress, Prefix};
use purser_domain::money::{Credits, Discounts};
use purser_domain::parties::ClientStatus;
use purser_store::engine::secrets::Purpose;
use purser_store::events::mail_budget::MailLimits;
use purser_store::{Policy, Prefixes};

use values::{
    basis_points, client_status, credits, currency, email, mails, plain, positive, prefix, public_url, sha256, text,
};
use variable::{Variable, Variables, always, listed, optional, required, usually, variables};

/// The variable with what the names of the deployment's secrets begin with. It is not part of [`Config`], but read when
/// the secrets are fetched.
pub const SECRETS_VARIABLE: &str = "PURSER_SECRETS";

variables! {
    #[derive(Debug, Clone)]
    pub struct Config {
        table: String = required("PURSER_TABLE", text),
        bus: String = required("PURSER_BUS", text),
        /// The sender's address of e-mails.
        mail_from: EmailAddress = required("PURSER_MAIL_FROM", email),
        /// The SES configuration set of e-mails. Without one, SES does not report bounces.
        mail_configuration_set: Option<String> = optional("PURSER_MAIL_CONFIGURATION_SET", text),
        mails: MailLimits = MailLimits::group(),
        /// The sender's name of e-mails to which no reseller's brand applies.
        brand: String = usually("PURSER_BRAND", "Purser", text),
        /// The address of Purser in links of e-mails, without a slash at the end: `https`, but for a laptop's own.
        /// Without it, no e-mail that needs a link can be sent.
        public_url: Option<String> = optional("PURSER_PUBLIC_URL", public_url),
        /// The origins whose pages may call the API from a browser; none by default.
        allowed_origins: Vec<Origin> = listed("PURSER_ALLOWED_ORIGINS", Origin::parse),
        /// What stands in front of the API.
        edge: Edge = usually("PURSER_EDGE", "none", Edge::parse),
        /// The prefixes of refids. Only those of clients and resellers are configurable.
        prefixes: Prefixes = Prefixes::group(),
        client_status: ClientStatus = usually("PURSER_CLIENT_STATUS", "pending", client_status),
        /// The discounts of the tiers, in basis points.
        discounts: Discounts = Discounts::group(),
        /// The low-credit threshold of a new reseller.
        low_credit_threshold: Credits = usually("PURSER_LOW_CREDIT_THRESHOLD", 500, credits),
        /// Whether a new client is bound to the user with its address, if the address is confirmed (rule A7).
        auto_bind_user: bool = usually("PURSER_AUTO_BIND_USER", false, plain),
        /// Whether anybody may apply to become a reseller (rule B1).
        partner_sign_up: bool = usually("PURSER_PARTNER_SIGN_UP", false, plain),
        /// Whether a reseller whose credits ran low may not buy until it tops up (rule B9).
        hold_on_low_credit: bool = usually("PURSER_HOLD_ON_LOW_CREDIT", false, plain),
        /// The currency in which amounts are displayed: an ISO 4217 code.
        currency: String = usually("PURSER_CURRENCY", "USD", currency),
        /// How many credits one unit of the currency is worth.
        credits_per_unit: u64 = usually("PURSER_CREDITS_PER_UNIT", 100, positive),
        /// How many requests a minute all API keys of a reseller together, or one operator's key, may send; 0 means
        /// no limit.
        key_requests_per_minute: u32 = usually("PURSER_KEY_REQUESTS_PER_MINUTE", 6_000, plain),
        /// How many requests a minute may come from one IP address; 0 means no limit.
        address_requests_per_minute: u32 = usually("PURSER_ADDRESS_REQUESTS_PER_MINUTE", 6_000, plain),
        /// How many requests that may cause an e-mail may come from one IP address in an hour, a tenth of them without
        /// the answer to a CAPTCHA; 0 means no limit.
        address_mails_per_hour: u32 = usually("PURSER_ADDRESS_MAILS_PER_HOUR", 100, plain),
        /// The hexadecimal SHA-256 of the operators' first API key. Without it, only keys in the table are valid.
        operator_key_sha256: Option<String> = optional("PURSER_OPERATOR_KEY_SHA256", sha256),
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
        activation = always(Prefix::ACTIVATION),
    }
}

variables! {
    MailLimits {
        per_recipient = usually("PURSER_MAILS_PER_RECIPIENT", 20, mails),
        per_reseller = usually("PURSER_MAILS_PER_RESELLER", 2_000, plain),
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
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        (Self::group().read)(&lookup)
    }

    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    pub fn variables() -> Vec<&'static str> {
        Self::group().names
    }

    /// Whether a function that may have a secret of this purpose needs it here.
    pub fn needs(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Edge => self.edge != Edge::None,
            Purpose::Captcha => matches!(self.accounts.captcha, Captcha::Service(_)),
            Purpose::Ids
            | Purpose::Passes
            | Purpose::Factors
            | Purpose::Records
            | Purpose::Licences
            | Purpose::Signing
            | Purpose::Answers
            | Purpose::Published => true,
        }
    }

    /// Whether this is a host on which people meet pages that call this deployment.
    pub fn is_own_host(&self, host: &str) -> bool {
        self.own_hosts().iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// Whether any such host is known.
    pub fn has_own_host(&self) -> bool {
        !self.own_hosts().is_empty()
    }

    fn own_hosts(&self) -> Vec<String> {
        let public = self.public_url.as_deref().and_then(host_of);
        public.into_iter().chain(self.allowed_origins.iter().map(|origin| origin.host().to_owned())).collect()
    }

    /// The part of the configuration that the store applies to commands.
    pub fn policy(&self) -> Policy {
        Policy {
            discounts: self.discounts,
            client_status: self.client_status,
            bind_by_address: self.auto_bind_user,
            mails: self.mails,
        }
    }
}

fn host_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    uri.host().map(str::to_owned)
}

#[cfg(test)]
mod tests;
