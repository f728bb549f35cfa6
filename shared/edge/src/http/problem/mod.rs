//! Problems: every refusal and failure as RFC 9457 `application/problem+json` with a stable `code`.
//!
//! Invariant: a problem says only what its caller may read. Details for operators are in the log, under the same
//! request id.

pub mod refusals;

pub use refusals::client_pointer;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use purser_domain::Refusal;
use purser_domain::basic::EntryRefid;
use purser_domain::money::{Credits, Tier};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use self::refusals::{NotAcceptable, Reason};

/// The most faults of a body that are told at once.
pub(crate) const MOST_FAULTS: usize = 20;

/// An invalid field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong with the field, for people.
    pub detail: String,
}

/// The answer to a request that was refused or failed.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after: Option<u64>,
    guesses: u32,
}

/// How many guesses at someone else's data a request made. This response extension is not sent; the rate limits charge
/// for the guesses.
#[derive(Debug, Clone, Copy)]
pub struct Guesses(pub u32);

/// A status of a client or a licence.
#[derive(Debug, Clone, Copy, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResourceStatus {
    Pending,
    Active,
    Suspended,
    /// Of a client.
    Inactive,
    /// Of a licence.
    Revoked,
}

/// A problem (RFC 9457): the answer to a request that was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Always `about:blank`; `code` identifies the problem.
    pub r#type: String,
    /// The name of the HTTP status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The code that programs match on; it never changes.
    pub code: String,
    /// What went wrong, for people.
    pub detail: String,
    /// The invalid fields, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With `insufficient_credits`: the balance of the wallet.
    #[schema(value_type = Credits, required = false)]
    pub balance: Option<Credits>,
    /// With `insufficient_credits`: the price of the command.
    #[schema(value_type = Credits, required = false)]
    pub required: Option<Credits>,
    /// With `answer_erased`: the ledger entry that the first request made, if it made one.
    #[schema(value_type = EntryRefid, required = false)]
    pub entry: Option<EntryRefid>,
    /// With `tier_not_allowed`: the tiers that may sell the product.
    #[schema(value_type = Vec<Tier>, required = false)]
    pub tiers: Option<Vec<Tier>>,
    /// With `status_transition_denied`: the present status of the client.
    #[schema(value_type = ResourceStatus, required = false)]
    pub from: Option<ResourceStatus>,
    /// With `status_transition_denied`: the requested status.
    #[schema(value_type = ResourceStatus, required = false)]
    pub to: Option<ResourceStatus>,
    /// With `status_transition_denied`: the statuses that are possible instead.
    #[schema(value_type = Vec<ResourceStatus>, required = false)]
    pub allowed: Option<Vec<ResourceStatus>>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
            guesses: 0,
        }
    }

    /// A problem for a declared reason. Every problem has such a reason.
    pub fn because<R: Reason>(_: R, detail: impl Into<String>) -> Self {
        Self::new(R::STATUS, R::code(), detail)
    }

    /// 400: the body is not JSON, the query can't be read, or the text is not UTF-8.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::because(refusals::MalformedRequest, detail)
    }

    /// 400: the connection ended within the body, or the body's framing is wrong.
    pub fn unread_body() -> Self {
        Self::malformed("The body could not be read completely.")
    }

    /// 401: the request has no valid API key or session token.
    pub fn unauthenticated() -> Self {
        Self::because(
            refusals::Unauthenticated,
            "A valid API key or session token is required, as Authorization: Bearer <token>.",
        )
    }

    pub fn not_found(what: &str) -> Self {
        Self::because(refusals::NotFound, format!("There is no such {what}."))
    }

    /// 406: the request's `Accept` header allows none of the media types `offered`.
    pub fn not_acceptable(offered: &str) -> Self {
        let detail = format!("This resource is available as {offered}; the Accept header allows none of them.");
        Self::because(NotAcceptable, detail)
    }

    /// 422: a field is well-formed but its value is invalid.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let field = FieldError { pointer: pointer.into(), detail: detail.into() };
        Self::because(refusals::InvalidFields, "A field of the request is not valid.").at(field)
    }

    /// 422: several fields are well-formed but their values are invalid.
    pub fn with_faults(faults: Vec<FieldError>) -> Self {
        let detail = match faults.len() {
            1 => "A field of the request is not valid.".to_owned(),
            MOST_FAULTS.. => format!("At least {MOST_FAULTS} fields of the request are not valid."),
            many => format!("{many} fields of the request are not valid."),
        };
        Self { errors: faults, ..Self::because(refusals::InvalidFields, detail) }
    }

    /// A refusal of the content as a refusal of a command; any other problem stays one.
    pub(crate) fn into_refusal(mut self) -> Result<Refusal, Self> {
        if self.code == refusals::InvalidFields::code() {
            return Ok(Refusal::Invalid(self.errors.into_iter().map(|fault| (fault.pointer, fault.detail)).collect()));
        }
        match self.errors.pop() {
            Some(FieldError { pointer, .. }) if self.code == refusals::SensitiveMetadata::code() => {
                Ok(Refusal::SensitiveMetadata { pointer })
            }
            fault => {
                self.errors.extend(fault);
                Err(self)
            }
        }
    }

    pub fn faults(&self) -> &[FieldError] {
        &self.errors
    }

    /// 429: too many requests. The next one is allowed in `seconds`.
    pub fn rate_limited(seconds: u64) -> Self {
        let detail = "Too many requests. Wait the number of seconds in the Retry-After header before the next one.";
        Self::because(refusals::RateLimited, detail).retry_after(seconds)
    }

    /// 503: too many concurrent changes, or a service is unavailable. The caller may repeat the request.
    pub fn busy() -> Self {
        Self::because(refusals::Busy, "The server is too busy at the moment. Please send the same request again.")
            .retry_after(1)
    }

    /// 500: an error in Purser; the log has the details.
    pub fn internal() -> Self {
        Self::because(refusals::InternalError, "Something went wrong on our side.")
    }

    #[must_use]
    pub fn at(mut self, field: FieldError) -> Self {
        self.errors.push(field);
        self
    }

    /// Adds the field at `pointer`, with the detail of the problem itself.
    #[must_use]
    pub fn in_field(self, pointer: &str) -> Self {
        let detail = self.detail.clone();
        self.at(FieldError { pointer: pointer.to_owned(), detail })
    }

    /// Prefixes all pointers with `place`, the JSON pointer of the object that the problem is about.
    #[must_use]
    pub fn under(mut self, place: &str) -> Self {
        for error in &mut self.errors {
            error.pointer.insert_str(0, place);
        }
        self
    }

    /// Replaces the pointer `from` by `to`, for a field that has another name in the request.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        for error in self.errors.iter_mut().filter(|it| it.pointer == from) {
            to.clone_into(&mut error.pointer);
        }
        self
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Counts the request as one more guess.
    #[must_use]
    pub fn guessed(mut self) -> Self {
        self.guesses += 1;
        self
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            if !self.errors.is_empty() {
                members.insert("errors".into(), json!(self.errors));
            }
            members.extend(self.members);
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::NOT_ACCEPTABLE {
            headers.insert(VARY, HeaderValue::from(ACCEPT));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.guesses > 0 {
            response.extensions_mut().insert(Guesses(self.guesses));
        }
        response
    }
}
