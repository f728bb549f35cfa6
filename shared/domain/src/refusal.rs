//! The reasons why a command is refused, as values that know nothing of HTTP.
//!
//! Invariant: a refusal changes nothing and carries only what its caller may read. Each variant holds its own
//! sentence, and the variant's name is its code, unless it shares the code of another refusal; the edge adds the HTTP
//! status.

use strum::{EnumDiscriminants, IntoStaticStr};

use crate::basic::refid::EntryRefid;
use crate::money::credits::Credits;
use crate::money::tier::Tier;

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum ResourceKind {
    Client,
    Reseller,
    Product,
    Provision,
    #[strum(serialize = "API key")]
    ApiKey,
    Licence,
    Activation,
    User,
    Session,
    Avatar,
}

/// Why a command that is well-formed is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(
    name(RefusalKind),
    derive(IntoStaticStr),
    strum(serialize_all = "snake_case"),
    doc = "The kind of a refusal, without its data. Its text is the stable code that programs match on."
)]
pub enum Refusal {
    #[error("The caller is not allowed to do this.")]
    Forbidden,
    /// The resource does not exist, or it belongs to another reseller; the caller can't tell which (rule A8).
    #[error("There is no such {0}.")]
    NotFound(ResourceKind),
    /// Another client (rule A2) or another user has this e-mail address.
    #[error("The e-mail address is already in use.")]
    DuplicateEmail,
    /// Another client has this external id (rule A2).
    #[error("The client_id is already in use.")]
    DuplicateClientId,
    /// The owner of the key to create has as many keys as one may have.
    #[error("One owner can have at most {most} API keys. Revoke one first.")]
    TooManyApiKeys { most: usize },
    /// What the request does needs a recent proof of who the user is.
    #[error("Prove who you are first, by POST /v1/me/proof with your password or a code.")]
    ProofRequired,
    #[error("The product reference is already in use.")]
    DuplicateProduct,
    /// The reseller that the request body names does not exist (rule A3).
    #[error("There is no such reseller.")]
    InvalidReseller,
    #[strum_discriminants(strum(serialize = "invalid_reseller"))]
    #[error("There is no such reseller.")]
    InvalidParent,
    /// The reseller named as the recipient of a transfer does not exist, or this sender may not send credits to it
    /// (rule B10).
    #[strum_discriminants(strum(serialize = "invalid_reseller"))]
    #[error("There is no such reseller.")]
    InvalidRecipient,
    /// The reseller named as the parent is on the lowest level, so it can't have resellers below it.
    #[error("Resellers can be nested at most {most} levels deep.")]
    ParentTooDeep { most: u8 },
    #[error("There is no such user.")]
    InvalidUser,
    /// The client has another user (rule A7).
    #[strum_discriminants(strum(serialize = "client_already_bound"))]
    #[error("The client is already bound to a user.")]
    ClientBound,
    /// The user has another client (rule A7).
    #[strum_discriminants(strum(serialize = "user_already_bound"))]
    #[error("The user is already bound to a client.")]
    UserBound,
    /// A suspended reseller can't trade (rules A3, B5).
    #[error("The reseller is suspended.")]
    ResellerSuspended,
    /// The reseller applied, and no operator has approved it yet.
    #[error("The reseller is waiting for approval.")]
    ResellerPending,
    /// Purchases are on hold: an operator holds them, or the balance ran low (rules B5, B9).
    #[error("Purchases by this reseller are on hold.")]
    ProvisioningHeld,
    /// The product is not sold to resellers of this tier (rule B3).
    #[error("Resellers of this tier may not sell this product.")]
    TierNotAllowed {
        /// The tiers that may sell the product.
        allowed: Vec<Tier>,
    },
    #[error("The product is currently not for sale.")]
    ProductInactive,
    /// The wallet holds less than the command costs (rule B5).
    #[error("The wallet holds {balance} credits, but {required} are required.")]
    InsufficientCredits { balance: Credits, required: Credits },
    /// All or part of what the request names has already been refunded (rule B10).
    #[error("All or part of this has already been refunded.")]
    AlreadyRefunded,
    #[error("A wallet can hold at most {most} credits.")]
    BalanceTooLarge { most: Credits },
    /// Rule A4 does not allow a client to change from its present status to the requested one, or rule C2 a licence.
    #[error("The status can't change from {from} to {to}.")]
    StatusTransitionDenied {
        from: &'static str,
        to: &'static str,
        /// The statuses that it can change to.
        allowed: Vec<&'static str>,
    },
    /// A licence that has been revoked has ended for good (rule C2).
    #[error("The licence has been revoked.")]
    LicenceRevoked,
    /// A licence that lasts for ever, or has no term, can't be renewed (rule C2).
    #[error("The licence has no term that could be renewed.")]
    NotRenewable,
    /// The key names, or named, another licence (rule C9).
    #[error("The key is already in use.")]
    DuplicateKey,
    /// Metadata must not hold credentials or numbers of payment cards (rule A6).
    #[error("Metadata must not hold credentials or numbers of payment cards, and this looks like one.")]
    SensitiveMetadata {
        /// A JSON pointer to the member, from the root of the body.
        pointer: String,
    },
    /// The metadata would be too large after the merge (rule A6).
    #[error("Metadata may have at most {most} bytes of JSON.")]
    MetadataTooLarge { most: usize },
    /// What a body holds is not valid, by today's rules or with what it changes: each fault by its JSON pointer, and
    /// what is wrong there.
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("A field of the request is not valid.")]
    Invalid(Vec<(String, String)>),
    /// Another request has used this key (rule B8).
    #[error("The idempotency key was already used for a different request.")]
    IdempotencyKeyReused,
    /// The wallet already has an entry with this reference and a different amount (rule B8).
    #[error("The reference already names an entry with a different amount.")]
    ReferenceReused,
    /// Only Purser itself may use the reference (rule B8).
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("References that begin with reward:, opening: or invoice: are Purser's own.")]
    ReferenceReserved,
    /// The request that created an API key was repeated; only its first answer shows the key.
    #[error("The API key was shown when it was created and can't be shown again.")]
    KeyAlreadyShown,
    /// The request repeats one whose answer was erased, because it named a client or user that has been deleted since
    /// (rule A9).
    #[error("This was done before. Its answer was erased, because it named a client or user who has been deleted.")]
    AnswerErased {
        /// The ledger entry that the first request made; `None` if it made none.
        entry: Option<EntryRefid>,
    },
    /// The version of the resource is not the one that `If-Match` names.
    #[error("The resource has changed since the version that If-Match names.")]
    VersionMismatch,
    #[error("The command is too large; the limit is {most} {what}.")]
    TooLarge {
        /// The limit, counted in `what`.
        most: usize,
        /// The unit of `most`, as a plural noun.
        what: &'static str,
    },
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("The client is listed twice.")]
    NamedTwice,
    /// The address is unknown, the password is wrong, or the user may not sign in; the caller must not learn which
    /// (rule D1).
    #[error("The e-mail address or the password is wrong.")]
    InvalidCredentials,
    /// The password is right, but the code of the second factor is missing.
    #[error("A code from the second factor is required.")]
    SecondFactorRequired,
    /// The user must set up a second factor before doing anything else.
    #[error("This user must set up a second factor first.")]
    SecondFactorMissing,
    #[error("The code is wrong or has already been used.")]
    InvalidCode,
    /// The session ended while the command was running.
    #[strum_discriminants(strum(serialize = "unauthenticated"))]
    #[error("The session has ended.")]
    SessionEnded,
    /// A signed-in user had to repeat the password, and it is wrong.
    #[error("The password is wrong.")]
    WrongPassword,
    /// So many attempts came from the network address that the next one must come from a person (rule D2).
    #[strum_discriminants(strum(serialize = "captcha_failed"))]
    #[error("There were many attempts from your network. Get a CAPTCHA, and send the answer with the next one.")]
    CaptchaRequired,
    /// Too many attempts failed (rule D2).
    #[error("Too many attempts failed. Wait for the number of seconds in Retry-After before you try again.")]
    TooManyAttempts {
        /// How long to wait, in seconds.
        seconds: u64,
    },
    /// The token is unknown, used, expired or for another purpose; the caller must not learn which (rule D2).
    #[error("The link is no longer valid. Request a new one.")]
    InvalidToken,
    #[error("The user already has a second factor.")]
    SecondFactorEnabled,
    #[error("The user has no second factor.")]
    SecondFactorDisabled,
    /// A user who holds a role can't be deleted (rule D6).
    #[error("The user holds a role. Remove the role first.")]
    UserInUse,
    /// Refusals about the clients that a purchase names. The list is never empty; its first refusal determines status
    /// and code.
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    #[error("{}", first(.0))]
    ForClients(Vec<ForClient>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForClient {
    /// The client's index in the list; `None` if the purchase has no list because it is for one client.
    pub place: Option<usize>,
    pub refusal: Refusal,
}

impl Refusal {
    #[must_use]
    pub fn for_client(self, place: Option<usize>) -> Self {
        Self::ForClients(vec![ForClient { place, refusal: self }])
    }

    /// Combines refusals into one: refusals about clients are merged into one list; otherwise the first refusal wins.
    /// Of those which say that another client has an address or external id, only the first is told: the others would
    /// be answers to guesses (rule A2).
    pub fn all(refusals: impl IntoIterator<Item = Self>) -> Option<Self> {
        refusals.into_iter().reduce(|one, other| match (one, other) {
            (Self::ForClients(mut clients), Self::ForClients(more)) => {
                let told = clients.iter().any(|it| it.refusal.is_duplicate());
                clients.extend(more.into_iter().filter(|it| !told || !it.refusal.is_duplicate()));
                Self::ForClients(clients)
            }
            (one, _) => one,
        })
    }

    /// Whether this says that another client, or another user, has an address or external id.
    fn is_duplicate(&self) -> bool {
        matches!(self, Self::DuplicateEmail | Self::DuplicateClientId)
    }

    /// The kind of this refusal; for refusals about clients, the kind of the first one.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::ForClients(clients) => clients.first().map_or(RefusalKind::ForClients, |first| first.refusal.kind()),
            other => other.into(),
        }
    }

    pub fn code(&self) -> &'static str {
        self.kind().code()
    }
}

impl RefusalKind {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// The sentence shown for a list of refusals about clients: that of the first one.
fn first(clients: &[ForClient]) -> String {
    clients.first().map_or_else(|| "A client was refused.".to_owned(), |first| first.refusal.to_string())
}
