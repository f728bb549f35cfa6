//! The HTTP status and field of each refusal (docs/rules.md, "Errors"), and the types with which operations declare
//! their possible refusals.
//!
//! Invariant: each status is written once, in the table [`statuses`]. Answers and the API document both use it, so an
//! operation can't declare a refusal that does not exist, or a status or code that differs from its answers.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use http::StatusCode;
use purser_domain::refusal::{ForClient, Refusal, RefusalKind};
use purser_store::StoreError;
use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::{FieldError, Problem};

/// Why an operation answers with a problem. The type documents and constructs the problem.
pub trait Reason {
    const STATUS: StatusCode;
    /// What the API document says about the reason in addition to its code.
    const NOTE: &'static str = "";

    fn code() -> &'static str;
}

/// The table of statuses. Each refusal becomes a type of the same name, with which operations declare it.
macro_rules! statuses {
    ($($status:ident: $($kind:ident),+;)+) => {
        fn status(kind: RefusalKind) -> StatusCode {
            match kind {
                $($(RefusalKind::$kind)|+ => StatusCode::$status,)+
            }
        }

        $($(
            #[doc = concat!("Declares [`Refusal::", stringify!($kind), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $kind;

            impl Reason for $kind {
                const STATUS: StatusCode = StatusCode::$status;

                fn code() -> &'static str {
                    RefusalKind::$kind.code()
                }
            }
        )+)+
    };
}

statuses! {
    UNAUTHORIZED: InvalidCredentials, SecondFactorRequired, SessionEnded;
    PAYMENT_REQUIRED: InsufficientCredits;
    FORBIDDEN: Forbidden, ProofRequired, ProvisioningHeld, SecondFactorMissing;
    NOT_FOUND: NotFound;
    CONFLICT: AlreadyRefunded, AnswerErased, BalanceTooLarge, ClientBound, DuplicateClientId, DuplicateEmail,
        DuplicateKey, DuplicateProduct, KeyAlreadyShown, LicenceRevoked, NotRenewable, ProductInactive,
        ReferenceReused, ResellerPending, ResellerSuspended, SecondFactorDisabled, SecondFactorEnabled,
        StatusTransitionDenied, TierNotAllowed, TooManyApiKeys, UserBound, UserInUse;
    PRECONDITION_FAILED: VersionMismatch;
    UNPROCESSABLE_ENTITY: CaptchaRequired, ForClients, IdempotencyKeyReused, Invalid, InvalidCode, InvalidParent,
        InvalidRecipient, InvalidReseller, InvalidToken, InvalidUser, MetadataTooLarge, NamedTwice, ParentTooDeep,
        ReferenceReserved, SensitiveMetadata, TooLarge, WrongPassword;
    TOO_MANY_REQUESTS: TooManyAttempts;
}

/// The statuses and codes of problems that do not come from a refusal of a command.
macro_rules! requests {
    ($($status:ident: $($name:ident = $code:literal),+;)+) => {$($(
        #[doc = concat!("Declares `", $code, "`.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Reason for $name {
            const STATUS: StatusCode = StatusCode::$status;

            fn code() -> &'static str {
                $code
            }
        }
    )+)+};
}

requests! {
    BAD_REQUEST: IdempotencyKeyRequired = "idempotency_key_required", InvalidCursor = "invalid_cursor",
        MalformedRequest = "malformed_request";
    UNAUTHORIZED: Unauthenticated = "unauthenticated";
    FORBIDDEN: NotThroughEdge = "not_through_edge";
    METHOD_NOT_ALLOWED: MethodNotAllowed = "method_not_allowed";
    NOT_ACCEPTABLE: NotAcceptable = "not_acceptable";
    REQUEST_TIMEOUT: RequestTimeout = "request_timeout";
    PAYLOAD_TOO_LARGE: PayloadTooLarge = "payload_too_large";
    UNSUPPORTED_MEDIA_TYPE: UnsupportedMediaType = "unsupported_media_type";
    UNPROCESSABLE_ENTITY: CaptchaFailed = "captcha_failed", InvalidFields = "invalid_fields",
        InvalidImage = "invalid_image", WeakPassword = "weak_password";
    TOO_MANY_REQUESTS: RateLimited = "rate_limited";
    INTERNAL_SERVER_ERROR: InternalError = "internal_error";
    SERVICE_UNAVAILABLE: Busy = "busy";
}

/// Defines a reason with a note that the API document adds to its code.
#[macro_export]
macro_rules! noted {
    ($name:ident = $reason:ident, $note:literal) => {
        struct $name;

        impl $crate::http::problem::refusals::Reason for $name {
            const STATUS: ::http::StatusCode = <$reason as $crate::http::problem::refusals::Reason>::STATUS;
            const NOTE: &'static str = $note;

            fn code() -> &'static str {
                <$reason as $crate::http::problem::refusals::Reason>::code()
            }
        }
    };
}

pub trait Reasons {
    fn each(declare: &mut dyn FnMut(StatusCode, String));
}

impl<R: Reason> Reasons for R {
    fn each(declare: &mut dyn FnMut(StatusCode, String)) {
        declare(R::STATUS, format!("`{}`{}", R::code(), R::NOTE));
    }
}

macro_rules! several {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Reasons, $($rest: Reasons),*> Reasons for ($first, $($rest),*) {
            fn each(declare: &mut dyn FnMut(StatusCode, String)) {
                $first::each(declare);
                $($rest::each(declare);)*
            }
        }
        several!($($rest)*);
    };
    () => {};
}
several!(A B C D E F G H I J K L M N O P);

#[derive(Debug)]
pub struct Refused<R>(PhantomData<R>);

impl<R: Reasons> IntoResponses for Refused<R> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        R::each(&mut |status, says| said.entry(status.as_str().to_owned()).or_default().push(says));
        said.into_iter().map(|(status, says)| (status, Response::new(says.join(", ")).into())).collect()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Busy => Self::busy(),
            StoreError::Failed(_) | StoreError::Unreadable(_) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::ForClients(clients) = refusal {
            return for_clients(clients);
        }
        if let Refusal::Invalid(faults) = refusal {
            let fault = |(pointer, detail)| FieldError { pointer, detail };
            return Self::with_faults(faults.into_iter().map(fault).collect());
        }
        let kind = refusal.kind();
        let problem = Self::new(status(kind), kind.code(), refusal.to_string());
        match refusal {
            Refusal::AnswerErased { entry: Some(entry) } => problem.with("entry", json!(entry)),
            Refusal::TierNotAllowed { allowed } => problem.with("tiers", json!(allowed)),
            Refusal::InsufficientCredits { balance, required } => {
                problem.with("balance", json!(balance)).with("required", json!(required))
            }
            Refusal::StatusTransitionDenied { from, to, allowed } => {
                problem.with("from", json!(from)).with("to", json!(to)).with("allowed", json!(allowed))
            }
            Refusal::SensitiveMetadata { pointer } => problem.in_field(&pointer),
            Refusal::MetadataTooLarge { .. } => problem.in_field("/metadata"),
            Refusal::InvalidReseller => problem.in_field("/reseller"),
            Refusal::InvalidParent | Refusal::ParentTooDeep { .. } => problem.in_field("/parent"),
            Refusal::ReferenceReserved => problem.in_field("/reference"),
            Refusal::CaptchaRequired => problem.in_field("/captcha"),
            Refusal::InvalidRecipient => problem.in_field("/to"),
            Refusal::InvalidUser => problem.in_field("/user"),
            // A reseller learns that the address is taken, but not by which client (rule A2).
            Refusal::DuplicateEmail => problem.in_field("/email").guessed(),
            Refusal::DuplicateClientId => problem.in_field("/client_id").guessed(),
            Refusal::InvalidCredentials | Refusal::InvalidToken => problem.guessed(),
            Refusal::InvalidCode => problem.in_field("/code").guessed(),
            Refusal::DuplicateKey => problem.in_field("/key"),
            Refusal::WrongPassword => problem.in_field("/password").guessed(),
            Refusal::TooManyAttempts { seconds } => problem.retry_after(seconds),
            _ => problem,
        }
    }
}

/// The JSON pointer of a client in a purchase: the only client, or the one at index `place` of the list.
pub fn client_pointer(place: Option<usize>) -> String {
    place.map_or("/client".to_owned(), |place| format!("/clients/{place}"))
}

/// The first refused client's problem, with the invalid fields of all clients.
fn for_clients(clients: Vec<ForClient>) -> Problem {
    let told = |ForClient { place, refusal }: ForClient| {
        let at = client_pointer(place);
        let problem = Problem::from(refusal);
        if problem.errors.is_empty() { problem.in_field(&at) } else { problem.under(&at) }
    };
    let all = clients.into_iter().map(told).reduce(|mut first, next| {
        first.errors.extend(next.errors);
        first.guesses += next.guesses;
        first
    });
    all.unwrap_or_else(Problem::internal)
}
