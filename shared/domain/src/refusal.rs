//! Why a command is refused, as values that know nothing of HTTP.
//!
//! Invariant: a refusal changes nothing, and carries only what its caller may read. The edge gives each one a
//! status and the stable code of [`Refusal::code`].

use crate::money::credits::Credits;
use crate::money::tier::Tier;

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A client.
    Client,
    /// A reseller.
    Reseller,
    /// A product.
    Product,
    /// A provision.
    Provision,
    /// An API key.
    ApiKey,
    /// A licence.
    Licence,
    /// A login.
    User,
    /// A session.
    Session,
    /// A picture of somebody.
    Avatar,
}

impl What {
    /// The noun, for people.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Reseller => "reseller",
            Self::Product => "product",
            Self::Provision => "provision",
            Self::ApiKey => "API key",
            Self::Licence => "licence",
            Self::User => "user",
            Self::Session => "session",
            Self::Avatar => "avatar",
        }
    }
}

/// A command that well-formed input can't have, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller may never do this.
    Forbidden,
    /// There is no such thing, or it is someone else's: the two look alike (rule A8).
    NotFound(What),
    /// The e-mail address belongs to a client already (rule A2), or to a login.
    DuplicateEmail,
    /// The external id belongs to a client already (rule A2).
    DuplicateClientId,
    /// The reference belongs to a product already.
    DuplicateProduct,
    /// The reseller named in a body does not exist (rule A3).
    InvalidReseller,
    /// The reseller named as parent does not exist.
    InvalidParent,
    /// The reseller named as the receiver of a transfer is none, or none that this sender may send to (rule B10).
    InvalidRecipient,
    /// The reseller named as parent is as deep below its own parents as a parent may be.
    ParentTooDeep {
        /// The most levels of resellers.
        most: u8,
    },
    /// The login named in a body does not exist.
    InvalidUser,
    /// The client is bound to a login already (rule A7).
    ClientBound,
    /// The login is bound to a client already (rule A7).
    UserBound,
    /// The reseller is suspended (rules A3, B5).
    ResellerSuspended,
    /// The reseller waits for an operator's approval.
    ResellerPending,
    /// The wallet is held until it is topped up (rules B5, B9).
    ProvisioningHeld,
    /// The product is not for this tier (rule B3).
    TierNotAllowed {
        /// The tiers that may sell it.
        allowed: Vec<Tier>,
    },
    /// The product is not sold at present.
    ProductInactive,
    /// The wallet holds less than the command costs (rule B5).
    InsufficientCredits {
        /// What the wallet holds.
        balance: Credits,
        /// What the command costs.
        required: Credits,
    },
    /// What was to be refunded was refunded before (rule B10).
    AlreadyRefunded,
    /// The wallet can't hold that much.
    BalanceTooLarge {
        /// The most a wallet holds.
        most: Credits,
    },
    /// The status machine has no such step (rule A4).
    StatusTransitionDenied {
        /// The present status.
        from: &'static str,
        /// The one asked for.
        to: &'static str,
        /// The ones that could be asked for.
        allowed: Vec<&'static str>,
    },
    /// A metadata key looks like a credential (rule A6).
    SensitiveMetadata {
        /// JSON pointer to the key, within the metadata.
        pointer: String,
    },
    /// The metadata would be larger than allowed after the merge (rule A6).
    MetadataTooLarge {
        /// The most bytes of JSON.
        most: usize,
    },
    /// The idempotency key was used for another request (rule B8).
    IdempotencyKeyReused,
    /// The reference names an entry with another amount (rule B8).
    ReferenceReused,
    /// The key was shown at its creation and can't be shown again.
    KeyAlreadyShown,
    /// The resource is not in the version that `If-Match` names.
    VersionMismatch,
    /// The command is larger than one commit can be.
    TooLarge {
        /// The most of it.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// A purchase names the same client twice.
    NamedTwice,
    /// The address, the password or the state of the login is wrong; which of them is nobody's business (rule D1).
    InvalidCredentials,
    /// The password is right, and a code of the second factor is missing.
    SecondFactorRequired,
    /// The login must set up a second factor before it may do anything else.
    SecondFactorMissing,
    /// The code is wrong or used.
    InvalidCode,
    /// The session ended meanwhile.
    SessionEnded,
    /// The password that was asked for again is wrong.
    WrongPassword,
    /// Too many attempts failed: the next may be made in so many seconds (rule D2).
    TooManyAttempts {
        /// How many.
        seconds: u64,
    },
    /// The token is unknown, used, expired or for something else; which of them is nobody's business (rule D2).
    InvalidToken,
    /// The login has a second factor already.
    SecondFactorEnabled,
    /// The login has no second factor.
    SecondFactorDisabled,
    /// The login holds a role, so it can't be deleted (rule D6).
    UserInUse,
    /// Refusals about the clients that a purchase names; never empty, the first one gives status and code.
    ForClients(Vec<ForClient>),
}

/// A refusal about a client that a purchase names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForClient {
    /// Its place in the list; none: there is no list, it is the only one.
    pub place: Option<usize>,
    /// Why it is refused.
    pub refusal: Refusal,
}

impl Refusal {
    /// This refusal, said of the client at `place`.
    #[must_use]
    pub fn for_client(self, place: Option<usize>) -> Self {
        Self::ForClients(vec![ForClient { place, refusal: self }])
    }

    /// All these refusals as one: those about clients side by side, else the first.
    pub fn all(refusals: impl IntoIterator<Item = Self>) -> Option<Self> {
        refusals.into_iter().reduce(|one, other| match (one, other) {
            (Self::ForClients(mut clients), Self::ForClients(more)) => {
                clients.extend(more);
                Self::ForClients(clients)
            }
            (one, _) => one,
        })
    }

    /// The stable code that programs match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::DuplicateEmail => "duplicate_email",
            Self::DuplicateClientId => "duplicate_client_id",
            Self::DuplicateProduct => "duplicate_product",
            Self::InvalidReseller | Self::InvalidParent | Self::InvalidRecipient => "invalid_reseller",
            Self::ParentTooDeep { .. } => "parent_too_deep",
            Self::InvalidUser => "invalid_user",
            Self::ClientBound => "client_already_bound",
            Self::UserBound => "user_already_bound",
            Self::ResellerSuspended => "reseller_suspended",
            Self::ResellerPending => "reseller_pending",
            Self::ProvisioningHeld => "provisioning_held",
            Self::TierNotAllowed { .. } => "tier_not_allowed",
            Self::ProductInactive => "product_inactive",
            Self::InsufficientCredits { .. } => "insufficient_credits",
            Self::AlreadyRefunded => "already_refunded",
            Self::BalanceTooLarge { .. } => "balance_too_large",
            Self::StatusTransitionDenied { .. } => "status_transition_denied",
            Self::SensitiveMetadata { .. } => "sensitive_metadata",
            Self::MetadataTooLarge { .. } => "metadata_too_large",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::ReferenceReused => "reference_reused",
            Self::KeyAlreadyShown => "key_already_shown",
            Self::VersionMismatch => "version_mismatch",
            Self::TooLarge { .. } => "too_large",
            Self::NamedTwice => "invalid_fields",
            Self::InvalidCredentials => "invalid_credentials",
            Self::SecondFactorRequired => "second_factor_required",
            Self::SecondFactorMissing => "second_factor_missing",
            Self::InvalidCode => "invalid_code",
            Self::SessionEnded => "unauthenticated",
            Self::WrongPassword => "wrong_password",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::InvalidToken => "invalid_token",
            Self::SecondFactorEnabled => "second_factor_enabled",
            Self::SecondFactorDisabled => "second_factor_disabled",
            Self::UserInUse => "user_in_use",
            Self::ForClients(clients) => clients.first().map_or("invalid_fields", |first| first.refusal.code()),
        }
    }
}
