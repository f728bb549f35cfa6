//! Extractors: the parts of a request as valid values, or a problem.
//!
//! Invariant: checks happen in the order 401, 403/404, idempotency key, body (docs/rules.md, "Errors"). So a handler
//! takes its call first, and keys and bodies as `Result`s it opens after its own checks.

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{
    FromRequest, FromRequestParts, OptionalFromRequest, OptionalFromRequestParts, Path, Query, Request,
};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, IF_MATCH};
use http::request::Parts;
use http_body_util::LengthLimitError;
use purser_domain::basic::refid::{ApiKeyRefid, ClientRefid, EntryRefid, ResellerRefid, UserRefid};
use purser_domain::licences::product::ProductReference;
use purser_domain::refusal::{Refusal, What};
use serde::de::DeserializeOwned;

use crate::http::json;
use crate::http::problem::Problem;
use crate::process::app::App;

/// The most bytes of a request body: more than any valid one.
pub const MOST_BYTES: usize = 512 * 1024;

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

/// A JSON body, still to be opened.
pub type MaybeBody<T> = Result<Body<T>, Problem>;

/// A JSON body that may be left out, still to be opened.
pub type OptionalBody<T> = Result<Option<Body<T>>, Problem>;

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        must_be_json(&parts.headers)?;
        json::read(&read(body, MOST_BYTES).await?).map(Self)
    }
}

impl<T: DeserializeOwned> OptionalFromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MOST_BYTES).await?;
        // What is not there is of no type.
        if bytes.is_empty() {
            return Ok(None);
        }
        must_be_json(&parts.headers)?;
        json::read(&bytes).map(|body| Some(Self(body)))
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be application/json.",
    ))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read(body: HttpBody, most: usize) -> Result<Vec<u8>, Problem> {
    let bytes = to_bytes(body, most).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            let detail = format!("A body is at most {most} bytes.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
        } else {
            Problem::unread_body()
        }
    })?;
    Ok(bytes.into())
}

/// The most bytes of a picture that is sent in: what a telephone's camera makes, and what API Gateway lets through.
pub const MOST_PICTURE_BYTES: usize = 4 * 1024 * 1024;

/// A body that should be a picture. What it is, its bytes tell; the header only says that it is meant as one.
#[derive(Debug, Clone)]
pub struct Picture(pub Bytes);

/// Whether a body is meant as a picture.
pub fn is_picture(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("image/"))
}

impl FromRequest<App> for Picture {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("image/") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body must be a picture: image/jpeg, image/png or image/webp.",
            ));
        }
        read(body, MOST_PICTURE_BYTES).await.map(|bytes| Self(bytes.into()))
    }
}

/// The query, read as `T`.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(|error| {
            let text = error.body_text();
            let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Problem::malformed(format!("The query is not valid: {reason}."))
        })
    }
}

/// An `Idempotency-Key` (docs/rules.md, "Idempotency"): 1 to 255 visible characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

/// A required key, still to be opened.
pub type RequiredKey = Result<Key, Problem>;
/// A key that may be left out, still to be opened.
pub type OptionalKey = Result<Option<Key>, Problem>;

impl Key {
    /// The key as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut given = headers.get_all("idempotency-key").iter();
        let Some(value) = given.next() else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default();
        let valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if valid && given.next().is_none() {
            Ok(Some(Self(key.to_owned())))
        } else {
            Err(Problem::malformed("The Idempotency-Key must be one value of 1 to 255 visible characters."))
        }
    }
}

impl FromRequestParts<App> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Self::of(&parts.headers)?.ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_required",
                "This command moves credits: send an Idempotency-Key, and the same one when you repeat it.",
            )
        })
    }
}

impl OptionalFromRequestParts<App> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Option<Self>, Problem> {
        Self::of(&parts.headers)
    }
}

/// What an `If-Match` header asks for: nothing or any version, or one of those it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Refuses a resource in another version than the ones asked for.
    pub fn must_hold(&self, version: u64) -> Result<(), Refusal> {
        let tag = format!("\"{version}\"");
        match &self.0 {
            Some(tags) if !tags.contains(&tag) => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }
}

impl IfMatch {
    /// No matter which version.
    pub fn any() -> Self {
        Self(None)
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        for value in parts.headers.get_all(IF_MATCH) {
            // A tag we never gave, whatever it is, matches no version.
            let listed = value.to_str().unwrap_or_default().split(',');
            tags.extend(listed.map(|tag| tag.trim().to_owned()));
        }
        let any = tags.is_empty() || tags.iter().any(|tag| tag == "*");
        Ok(Self((!any).then_some(tags)))
    }
}

/// A thing that a path names by its id.
pub trait PathId: Sized {
    /// What it is.
    const WHAT: What;
    /// The id that `text` spells, if it spells one.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! path_ids {
    ($($id:ident $what:ident),*) => {$(
        impl PathId for $id {
            const WHAT: What = What::$what;
            fn parse(text: &str) -> Option<Self> {
                $id::parse(text)
            }
        }
    )*};
}
path_ids!(
    ClientRefid Client, ResellerRefid Reseller, EntryRefid Provision, ApiKeyRefid ApiKey, UserRefid User
);

impl PathId for ProductReference {
    const WHAT: What = What::Product;
    fn parse(text: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok()
    }
}

/// The id in a path; one that is malformed is treated as unknown.
#[derive(Debug, Clone, Copy)]
pub struct Named<T>(pub T);

impl<T: PathId> FromRequestParts<App> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = <Path<String> as FromRequestParts<App>>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| T::parse(&text));
        id.map(Self).ok_or_else(|| Refusal::NotFound(T::WHAT).into())
    }
}

/// How long a page is: 1 to 100, 25 unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Limit(u32);

impl Limit {
    /// How many items.
    pub fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

impl From<Limit> for u32 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;
    fn try_from(limit: u32) -> Result<Self, Self::Error> {
        if (1..=100).contains(&limit) { Ok(Self(limit)) } else { Err("must be from 1 to 100") }
    }
}

/// Which part of a list that nothing else narrows.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many, 25 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub limit: Option<Limit>,
}
