//! Why a command is refused, as values that know nothing of HTTP.
//!
//! Invariant: a refusal changes nothing, and carries only what its caller may read. Its sentence stands with the
//! variant, and its code is the variant's name; the edge adds nothing but a status.

use strum::{EnumDiscriminants, IntoStaticStr};

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(
    name(RefusalKind),
    derive(IntoStaticStr),
    strum(serialize_all = "snake_case"),
    doc = "A refusal without what it carries; as text it is the stable code that programs match on."
)]
pub enum Refusal {
    /// The caller may never do this.
    #[error("This caller may not do this.")]
    Forbidden,
    /// There is no such thing, or it is someone else's: the two look alike (rule A8).
    #[error("There is no such {}.", .0.noun())]
    NotFound(What),
    /// The e-mail address belongs to a client already (rule A2), or to a login.
    #[error("The e-mail address is taken.")]
    DuplicateEmail,
    /// The external id belongs to a client already (rule A2).
    #[error("The client_id is taken.")]
    DuplicateClientId,
    /// The reference belongs to a product already.
    #[error("The product reference is taken.")]
    DuplicateProduct,
    /// The reseller named in a body does not exist (rule A3).
    #[error("There is no such reseller.")]
    InvalidReseller,
    /// The reseller named as parent does not exist.
    #[strum_discriminants(strum(serialize = "invalid_reseller"))]
    #[error("There is no such reseller.")]
    InvalidParent,
    /// The reseller named as the receiver of a transfer is none, or none that this sender may send to (rule B10).
    #[strum_discriminants(strum(serialize = "invalid_reseller"))]
    #[error("There is no such reseller.")]
    InvalidRecipient,
    /// The reseller named as parent is as deep below its own parents as a parent may be.
    #[error("Resellers stand at most {most} levels deep.")]
    ParentTooDeep {
        /// The most levels of resellers.
        most: u8,
    },
    /// The login named in a body does not exist.
    #[error("There is no such login.")]
    InvalidUser,
    /// The client is bound to a login already (rule A7).
    #[strum_discriminants(strum(serialize = "client_already_bound"))]
    #[error("The client is bound to a login already.")]
    ClientBound,
    /// The login is bound to a client already (rule A7).
    #[strum_discriminants(strum(serialize = "user_already_bound"))]
    #[error("The login is bound to a client already.")]
    UserBound,
    /// The reseller is suspended (rules A3, B5).
    #[error("The reseller is suspended.")]
    ResellerSuspended,
    /// The reseller waits for an operator's approval.
    #[error("The reseller waits for approval.")]
    ResellerPending,
    /// The wallet is held until it is topped up (rules B5, B9).
    #[error("Purchases of this reseller are held.")]
    ProvisioningHeld,
    /// The product is not for this tier (rule B3).
    #[error("Resellers of this tier may not sell it.")]
    TierNotAllowed {
        /// The tiers that may sell it.
        allowed: Vec<Tier>,
    },
    /// The product is not sold at present.
    #[error("The product is not sold at present.")]
    ProductInactive,
    /// The wallet holds less than the command costs (rule B5).
    #[error("The wallet holds {balance} credits, and {required} are required.")]
    InsufficientCredits {
        /// What the wallet holds.
        balance: Credits,
        /// What the command costs.
        required: Credits,
    },
    /// What was to be refunded was refunded before (rule B10).
    #[error("This was refunded before.")]
    AlreadyRefunded,
    /// The wallet can't hold that much.
    #[error("A wallet holds at most {most} credits.")]
    BalanceTooLarge {
        /// The most a wallet holds.
        most: Credits,
    },
    /// The status machine has no such step (rule A4).
    #[error("A client that is {from} can't become {to}.")]
    StatusTransitionDenied {
        /// The present status.
        from: &'static str,
        /// The one asked for.
        to: &'static str,
        /// The ones that could be asked for.
        allowed: Vec<&'static str>,
    },
    /// A metadata key looks like a credential (rule A6).
    #[error("A metadata key looks like a credential.")]
    SensitiveMetadata {
        /// JSON pointer to the key, within the metadata.
        pointer: String,
    },
    /// The metadata would be larger than allowed after the merge (rule A6).
    #[error("Metadata is at most {most} bytes of JSON.")]
    MetadataTooLarge {
        /// The most bytes of JSON.
        most: usize,
    },
    /// The idempotency key was used for another request (rule B8).
    #[error("The idempotency key was used for another request.")]
    IdempotencyKeyReused,
    /// The reference names an entry with another amount (rule B8).
    #[error("The reference names an entry with another amount.")]
    ReferenceReused,
    /// The key was shown at its creation and can't be shown again.
    #[error("The key was shown once, at its creation.")]
    KeyAlreadyShown,
    /// The resource is not in the version that `If-Match` names.
    #[error("The resource has changed since the version If-Match names.")]
    VersionMismatch,
    /// The command is larger than one commit can be.
    #[error("One command can't be that large: at most {most} {what}.")]
    TooLarge {
        /// The most of it.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// A purchase names the same client twice.
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("The client is named twice.")]
    NamedTwice,
    /// The address, the password or the state of the login is wrong; which of them is nobody's business (rule D1).
    #[error("The address or the password is wrong.")]
    InvalidCredentials,
    /// The password is right, and a code of the second factor is missing.
    #[error("A code of the second factor is required.")]
    SecondFactorRequired,
    /// The login must set up a second factor before it may do anything else.
    #[error("This login must set up a second factor first.")]
    SecondFactorMissing,
    /// The code is wrong or used.
    #[error("The code is wrong, or was used.")]
    InvalidCode,
    /// The session ended meanwhile.
    #[strum_discriminants(strum(serialize = "unauthenticated"))]
    #[error("The session has ended.")]
    SessionEnded,
    /// The password that was asked for again is wrong.
    #[error("The password is wrong.")]
    WrongPassword,
    /// Too many attempts failed: the next may be made in so many seconds (rule D2).
    #[error("Too many attempts failed; the next one may be made after Retry-After.")]
    TooManyAttempts {
        /// How many.
        seconds: u64,
    },
    /// The token is unknown, used, expired or for something else; which of them is nobody's business (rule D2).
    #[error("The link is not valid any more; ask for a new one.")]
    InvalidToken,
    /// The login has a second factor already.
    #[error("The login has a second factor already.")]
    SecondFactorEnabled,
    /// The login has no second factor.
    #[error("The login has no second factor.")]
    SecondFactorDisabled,
    /// The login holds a role, so it can't be deleted (rule D6).
    #[error("The login holds a role; take it away first.")]
    UserInUse,
    /// Refusals about the clients that a purchase names; never empty, the first one gives status and code.
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("{}", first(.0))]
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

    /// Which refusal this is: of those about clients, the first.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::ForClients(clients) => clients.first().map_or(RefusalKind::ForClients, |first| first.refusal.kind()),
            other => other.into(),
        }
    }

    /// The stable code that programs match on.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }
}

impl RefusalKind {
    /// The stable code that programs match on.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What people are told of refusals about clients: the first.
fn first(clients: &[ForClient]) -> String {
    clients.first().map_or_else(|| "A client can't be served.".to_owned(), |first| first.refusal.to_string())
}
