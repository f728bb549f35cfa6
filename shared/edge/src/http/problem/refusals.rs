//! The problem of each refusal: its status, what people are told, and which field it is about (docs/rules.md,
//! "Errors").

use http::StatusCode;
use purser_domain::Refusal;
use purser_domain::refusal::ForClient;
use purser_store::StoreError;
use serde_json::json;

use super::Problem;

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
        let (status, detail) = told(&refusal);
        let problem = Self::new(status, refusal.code(), detail);
        match refusal {
            Refusal::TierNotAllowed { allowed } => problem.with("tiers", json!(allowed)),
            Refusal::InsufficientCredits { balance, required } => {
                problem.with("balance", json!(balance)).with("required", json!(required))
            }
            Refusal::StatusTransitionDenied { from, to, allowed } => {
                problem.with("from", json!(from)).with("to", json!(to)).with("allowed", json!(allowed))
            }
            Refusal::SensitiveMetadata { pointer } => problem.in_field(&format!("/metadata{pointer}")),
            Refusal::MetadataTooLarge { .. } => problem.in_field("/metadata"),
            Refusal::InvalidReseller => problem.in_field("/reseller"),
            Refusal::InvalidParent | Refusal::ParentTooDeep { .. } => problem.in_field("/parent"),
            Refusal::InvalidRecipient => problem.in_field("/to"),
            Refusal::InvalidUser => problem.in_field("/user"),
            // A reseller learns that it is taken, by whomever (rule A2).
            Refusal::DuplicateEmail => problem.in_field("/email").guessed(),
            Refusal::DuplicateClientId => problem.in_field("/client_id").guessed(),
            Refusal::InvalidCredentials | Refusal::InvalidToken => problem.guessed(),
            Refusal::InvalidCode => problem.in_field("/code").guessed(),
            Refusal::WrongPassword => problem.in_field("/password").guessed(),
            Refusal::TooManyAttempts { seconds } => problem.retry_after(seconds),
            _ => problem,
        }
    }
}

/// The JSON pointer of a client that a purchase names: the only one, or the one at a place of the list.
pub fn client_pointer(place: Option<usize>) -> String {
    place.map_or("/client".to_owned(), |place| format!("/clients/{place}"))
}

/// The problem of the first client, with the fields of all of them.
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

/// The status of a refusal, and what people are told (docs/rules.md, "Errors").
fn told(refusal: &Refusal) -> (StatusCode, String) {
    let conflict = |detail: &str| (StatusCode::CONFLICT, detail.to_owned());
    let wrong = |detail: &str| (StatusCode::UNPROCESSABLE_ENTITY, detail.to_owned());
    let barred = |detail: &str| (StatusCode::FORBIDDEN, detail.to_owned());
    match refusal {
        Refusal::Forbidden => barred("This caller may not do this."),
        Refusal::ProvisioningHeld => barred("Purchases of this reseller are held."),
        Refusal::NotFound(what) => (StatusCode::NOT_FOUND, format!("There is no such {}.", what.noun())),
        Refusal::DuplicateEmail => conflict("The e-mail address is taken."),
        Refusal::DuplicateClientId => conflict("The client_id is taken."),
        Refusal::DuplicateProduct => conflict("The product reference is taken."),
        Refusal::ResellerSuspended => conflict("The reseller is suspended."),
        Refusal::ResellerPending => conflict("The reseller waits for approval."),
        Refusal::TierNotAllowed { .. } => conflict("Resellers of this tier may not sell it."),
        Refusal::ProductInactive => conflict("The product is not sold at present."),
        Refusal::AlreadyRefunded => conflict("This was refunded before."),
        Refusal::ReferenceReused => conflict("The reference names an entry with another amount."),
        Refusal::KeyAlreadyShown => conflict("The key was shown once, at its creation."),
        Refusal::StatusTransitionDenied { from, to, .. } => {
            conflict(&format!("A client that is {} can't become {}.", from, to))
        }
        Refusal::BalanceTooLarge { most } => conflict(&format!("A wallet holds at most {most} credits.")),
        Refusal::InsufficientCredits { balance, required } => {
            (StatusCode::PAYMENT_REQUIRED, format!("The wallet holds {balance} credits, and {required} are required."))
        }
        Refusal::InvalidReseller | Refusal::InvalidParent | Refusal::InvalidRecipient => {
            wrong("There is no such reseller.")
        }
        Refusal::ParentTooDeep { most } => wrong(&format!("Resellers stand at most {most} levels deep.")),
        Refusal::InvalidUser => wrong("There is no such login."),
        Refusal::ClientBound => conflict("The client is bound to a login already."),
        Refusal::UserBound => conflict("The login is bound to a client already."),
        Refusal::NamedTwice => wrong("The client is named twice."),
        Refusal::TooLarge { most, what } => wrong(&format!("One command can't be that large: at most {most} {what}.")),
        Refusal::ForClients(clients) => match clients.first() {
            Some(first) => told(&first.refusal),
            None => wrong("A client can't be served."),
        },
        Refusal::SensitiveMetadata { .. } => wrong("A metadata key looks like a credential."),
        Refusal::MetadataTooLarge { most } => wrong(&format!("Metadata is at most {most} bytes of JSON.")),
        Refusal::InvalidCredentials
        | Refusal::SecondFactorRequired
        | Refusal::SecondFactorMissing
        | Refusal::InvalidCode
        | Refusal::SessionEnded
        | Refusal::WrongPassword
        | Refusal::InvalidToken
        | Refusal::TooManyAttempts { .. }
        | Refusal::SecondFactorEnabled
        | Refusal::SecondFactorDisabled
        | Refusal::UserInUse => of_account(refusal),
        Refusal::IdempotencyKeyReused => wrong("The idempotency key was used for another request."),
        Refusal::VersionMismatch => {
            (StatusCode::PRECONDITION_FAILED, "The resource has changed since the version If-Match names.".into())
        }
    }
}

/// The same of what has to do with accounts.
fn of_account(refusal: &Refusal) -> (StatusCode, String) {
    let (status, detail) = match refusal {
        Refusal::SecondFactorRequired => (StatusCode::UNAUTHORIZED, "A code of the second factor is required."),
        Refusal::SecondFactorMissing => (StatusCode::FORBIDDEN, "This login must set up a second factor first."),
        Refusal::InvalidCode => (StatusCode::UNPROCESSABLE_ENTITY, "The code is wrong, or was used."),
        Refusal::SessionEnded => (StatusCode::UNAUTHORIZED, "The session has ended."),
        Refusal::WrongPassword => (StatusCode::UNPROCESSABLE_ENTITY, "The password is wrong."),
        Refusal::InvalidToken => {
            (StatusCode::UNPROCESSABLE_ENTITY, "The link is not valid any more; ask for a new one.")
        }
        Refusal::TooManyAttempts { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many attempts failed; the next one may be made after Retry-After.")
        }
        Refusal::SecondFactorEnabled => (StatusCode::CONFLICT, "The login has a second factor already."),
        Refusal::SecondFactorDisabled => (StatusCode::CONFLICT, "The login has no second factor."),
        Refusal::UserInUse => (StatusCode::CONFLICT, "The login holds a role; take it away first."),
        _ => (StatusCode::UNAUTHORIZED, "The address or the password is wrong."),
    };
    (status, detail.to_owned())
}
