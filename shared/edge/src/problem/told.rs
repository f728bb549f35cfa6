//! What people are told of a refusal.
//!
//! Invariant: every refusal has one status, and words that say no more than its caller may read.

use http::StatusCode;
use purser_domain::Refusal;

/// The status of a refusal, and what people are told (SPEC, "Errors").
pub(super) fn told(refusal: &Refusal) -> (StatusCode, String) {
    let conflict = |detail: &str| (StatusCode::CONFLICT, detail.to_owned());
    let wrong = |detail: &str| (StatusCode::UNPROCESSABLE_ENTITY, detail.to_owned());
    let barred = |detail: &str| (StatusCode::FORBIDDEN, detail.to_owned());
    match refusal {
        Refusal::Forbidden => barred("This caller may not do this."),
        Refusal::ProvisioningHeld => barred("Purchases of this reseller are held."),
        Refusal::NotFound(what) => (
            StatusCode::NOT_FOUND,
            format!("There is no such {}.", what.noun()),
        ),
        Refusal::DuplicateEmail => conflict("The e-mail address is taken."),
        Refusal::DuplicateClientId => conflict("The client_id is taken."),
        Refusal::DuplicateProduct => conflict("The product reference is taken."),
        Refusal::ResellerSuspended => conflict("The reseller is suspended."),
        Refusal::ResellerPending => conflict("The reseller waits for approval."),
        Refusal::TierNotAllowed { .. } => {
            conflict("The product is not sold by resellers of this tier.")
        }
        Refusal::ProductInactive => conflict("The product is not sold at present."),
        Refusal::AlreadyRefunded => conflict("This was refunded before."),
        Refusal::ReferenceReused => conflict("The reference names an entry with another amount."),
        Refusal::KeyAlreadyShown => {
            conflict("The key was shown when it was created, and can't be shown again.")
        }
        Refusal::StatusTransitionDenied { from, to, .. } => conflict(&format!(
            "A client that is {} can't become {}.",
            from.as_str(),
            to.as_str()
        )),
        Refusal::BalanceTooLarge { most } => {
            conflict(&format!("A wallet holds at most {most} credits."))
        }
        Refusal::InsufficientCredits { balance, required } => (
            StatusCode::PAYMENT_REQUIRED,
            format!("The wallet holds {balance} credits, and {required} are required."),
        ),
        Refusal::InvalidReseller | Refusal::InvalidParent | Refusal::InvalidRecipient => {
            wrong("There is no such reseller.")
        }
        Refusal::ParentTooDeep { most } => {
            wrong(&format!("Resellers stand at most {most} levels deep."))
        }
        Refusal::InvalidUser => wrong("There is no such login."),
        Refusal::ClientBound => conflict("The client is bound to a login already."),
        Refusal::UserBound => conflict("The login is bound to a client already."),
        Refusal::NamedTwice => wrong("The client is named twice."),
        Refusal::TooLarge { most, what } => wrong(&format!(
            "One command can't be that large: at most {most} {what}."
        )),
        Refusal::ForClients(clients) => match clients.first() {
            Some(first) => told(&first.refusal),
            None => wrong("A client can't be served."),
        },
        Refusal::SensitiveMetadata { .. } => {
            wrong("A metadata key looks like a credential; keep it elsewhere.")
        }
        Refusal::MetadataTooLarge { most } => {
            wrong(&format!("Metadata is at most {most} bytes of JSON."))
        }
        Refusal::InvalidCredentials
        | Refusal::SecondFactorRequired
        | Refusal::SecondFactorMissing
        | Refusal::InvalidCode
        | Refusal::WrongPassword
        | Refusal::InvalidToken
        | Refusal::TooManyAttempts { .. }
        | Refusal::SecondFactorEnabled
        | Refusal::SecondFactorDisabled
        | Refusal::UserInUse => of_account(refusal),
        Refusal::IdempotencyKeyReused => wrong("The idempotency key was used for another request."),
        Refusal::VersionMismatch => (
            StatusCode::PRECONDITION_FAILED,
            "The resource has changed since the version If-Match names.".into(),
        ),
    }
}

/// The same of what has to do with accounts.
fn of_account(refusal: &Refusal) -> (StatusCode, String) {
    let (status, detail) = match refusal {
        Refusal::SecondFactorRequired => (
            StatusCode::UNAUTHORIZED,
            "A code of the second factor is required.",
        ),
        Refusal::SecondFactorMissing => (
            StatusCode::FORBIDDEN,
            "This login must set up a second factor first.",
        ),
        Refusal::InvalidCode => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "The code is wrong, or was used.",
        ),
        Refusal::WrongPassword => (StatusCode::UNPROCESSABLE_ENTITY, "The password is wrong."),
        Refusal::InvalidToken => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "The link is not valid any more; ask for a new one.",
        ),
        Refusal::TooManyAttempts { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts failed; the next one may be made after Retry-After.",
        ),
        Refusal::SecondFactorEnabled => (
            StatusCode::CONFLICT,
            "The login has a second factor already.",
        ),
        Refusal::SecondFactorDisabled => (StatusCode::CONFLICT, "The login has no second factor."),
        Refusal::UserInUse => (
            StatusCode::CONFLICT,
            "The login holds a role; take it away first.",
        ),
        _ => (
            StatusCode::UNAUTHORIZED,
            "The address or the password is wrong.",
        ),
    };
    (status, detail.to_owned())
}
