//! Parses the terms (idempotency key, version, query) and the body of a request into valid values.
//!
//! Invariant: these types are not axum extractors, so a handler can't read them out of order; only
//! [`Input`](crate::caller::input::Input) reads them.

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::Query;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, IF_MATCH};
use http::request::Parts;
use http_body_util::LengthLimitError;
use percent_encoding::percent_decode_str;
use purser_domain::basic::as_stored;
use purser_domain::refusal::Refusal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::PartialSchema;

use crate::http::json;
use crate::http::problem::{Problem, refusals};
use crate::http::words::query_in_words;

/// The most bytes of a JSON body; every valid body is smaller.
pub const MOST_BYTES: usize = 512 * 1024;

#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

/// A body of which only the members that `T` knows are read.
#[derive(Debug, Clone, Copy)]
pub struct Known<T>(pub T);

impl<T: DeserializeOwned + PartialSchema + Send> Content for Known<T> {
    async fn read(parts: &Parts, body: HttpBody) -> Result<Self, Problem> {
        must_be_json(&parts.headers)?;
        json::read_known(&read(&parts.headers, body, MOST_BYTES).await?, example::<T>).map(Self)
    }
}

pub trait Content: Sized + Send {
    fn read(parts: &Parts, body: HttpBody) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// Reads the content, and why today's rules refuse it although those from before take it. A content that only
    /// today's rules know is refused at once.
    fn read_doubting(
        parts: &Parts,
        body: HttpBody,
    ) -> impl Future<Output = Result<(Self, Option<Problem>), Problem>> + Send {
        async { Ok((Self::read(parts, body).await?, None)) }
    }
}

/// No members. The body may be left out, or be an empty object; a request that only reads may have any.
impl Content for () {
    async fn read(parts: &Parts, body: HttpBody) -> Result<Self, Problem> {
        if parts.method.is_safe() {
            return Ok(());
        }
        let empty = <Option<Body<Nothing>> as Content>::read(parts, body).await?;
        let (None | Some(Body(Nothing {}))) = empty;
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Nothing {}

impl<T: DeserializeOwned + PartialSchema + Send> Content for Body<T> {
    async fn read(parts: &Parts, body: HttpBody) -> Result<Self, Problem> {
        must_be_json(&parts.headers)?;
        json::read(&read(&parts.headers, body, MOST_BYTES).await?, example::<T>).map(Self)
    }

    async fn read_doubting(parts: &Parts, body: HttpBody) -> Result<(Self, Option<Problem>), Problem> {
        must_be_json(&parts.headers)?;
        let bytes = read(&parts.headers, body, MOST_BYTES).await?;
        match json::read(&bytes, example::<T>) {
            Ok(typed) => Ok((Self(typed), None)),
            Err(refused) => match as_stored(|| json::read(&bytes, || Value::Null)) {
                Ok(typed) => Ok((Self(typed), Some(refused))),
                Err(_) => Err(refused),
            },
        }
    }
}

/// The example of a body in the API document, which is a valid one; null if it has none.
fn example<T: PartialSchema>() -> Value {
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let first = |schema: &Value| schema.pointer("/examples/0").or(schema.get("example")).cloned();
    first(&schema).unwrap_or_default()
}

impl<T: DeserializeOwned + PartialSchema + Send> Content for Option<Body<T>> {
    async fn read(parts: &Parts, body: HttpBody) -> Result<Self, Problem> {
        let bytes = read(&parts.headers, body, MOST_BYTES).await?;
        // An empty body needs no Content-Type.
        if bytes.is_empty() {
            return Ok(None);
        }
        must_be_json(&parts.headers)?;
        json::read(&bytes, example::<T>).map(|body| Some(Body(body)))
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers) {
        return Ok(());
    }
    Err(Problem::because(refusals::UnsupportedMediaType, "The body must be application/json."))
}

/// The media type in lower case, without parameters; empty if there is none.
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Changes may be labelled as what they are, merge patches (RFC 7396).
fn is_json(headers: &HeaderMap) -> bool {
    ["application/json", "application/merge-patch+json"].contains(&media_type(headers).as_str())
}

async fn read(headers: &HeaderMap, body: HttpBody, most: usize) -> Result<Vec<u8>, Problem> {
    let encoded = headers.get(CONTENT_ENCODING).is_some_and(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        let detail = "The body must not be compressed: send it without a Content-Encoding.";
        return Err(Problem::because(refusals::UnsupportedMediaType, detail));
    }
    whole(body, most).await.map(Vec::from)
}

/// All bytes of a body of at most `most` bytes.
pub(crate) async fn whole(body: HttpBody, most: usize) -> Result<Bytes, Problem> {
    to_bytes(body, most).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            let detail = format!("The body may be at most {most} bytes long.");
            Problem::because(refusals::PayloadTooLarge, detail)
        } else {
            Problem::unread_body()
        }
    })
}

/// The most bytes of an uploaded picture: enough for a photo from a telephone, and within API Gateway's limit.
pub const MOST_PICTURE_BYTES: usize = 4 * 1024 * 1024;

/// A body that should be a picture. Only its bytes show its real format; the `Content-Type` may be wrong.
#[derive(Debug, Clone)]
pub struct Picture(pub Bytes);

purser_domain::value_schema!(Picture, "The bytes of a picture.", formatted(KnownFormat::Binary), "(bytes)");

pub fn is_picture(headers: &HeaderMap) -> bool {
    media_type(headers).starts_with("image/")
}

impl Content for Picture {
    async fn read(parts: &Parts, body: HttpBody) -> Result<Self, Problem> {
        if !is_picture(&parts.headers) {
            return Err(Problem::because(
                refusals::UnsupportedMediaType,
                "The body must be a picture: image/jpeg, image/png or image/webp.",
            ));
        }
        read(&parts.headers, body, MOST_PICTURE_BYTES).await.map(|bytes| Self(bytes.into()))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

/// The terms of a request: an idempotency key, a version (`If-Match`) or a query.
pub trait Terms: Sized + Send {
    fn read(parts: &Parts) -> Result<Self, Problem>;

    /// Takes note that today's rules refuse the content. Without an idempotency key, it is refused now; with one, once
    /// it is known that the request is no repeat of one from before.
    fn doubt(self, refused: Problem) -> Result<Self, Problem> {
        Err(refused)
    }

    /// What `judge` makes of a part of the content that reading leaves open, such as metadata. What only today's rules
    /// refuse becomes a doubt.
    fn judged<T>(self, judge: impl Fn() -> Result<T, Problem>) -> Result<(Self, T), Problem> {
        match judge() {
            Ok(judged) => Ok((self, judged)),
            Err(refused) => match as_stored(judge) {
                Ok(judged) => Ok((self.doubt(refused)?, judged)),
                Err(_) => Err(refused),
            },
        }
    }
}

/// Refuses a query on a route that has no parameters: what it asks for, such as `dry_run`, would not be done.
fn must_have_no_query(parts: &Parts) -> Result<(), Problem> {
    match parts.uri.query() {
        None | Some("") => Ok(()),
        Some(_) => Err(Problem::malformed("The query is not valid: this request has no parameters.")),
    }
}

impl Terms for () {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        must_have_no_query(parts)
    }
}

impl<T: DeserializeOwned + Send> Terms for Params<T> {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        // The parser would put replacement characters for bytes that are no UTF-8.
        if !is_well_encoded(parts.uri.query().unwrap_or_default()) {
            return Err(Problem::malformed("The query is not valid: it is not UTF-8, or wrongly percent-encoded."));
        }
        Query::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(|error| {
            let text = error.body_text();
            let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Problem::malformed(format!("The query is not valid: {}.", query_in_words(reason)))
        })
    }
}

fn is_well_encoded(query: &str) -> bool {
    let hex = |digits: &str| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let escapes = query.split('%').skip(1).all(|rest| rest.get(..2).is_some_and(hex));
    escapes && percent_decode_str(query).decode_utf8().is_ok()
}

/// An `Idempotency-Key` (docs/rules.md, "Idempotency"): 1 to 255 visible characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    doubt: Option<Refusal>,
}

purser_domain::value_schema!(
    Key as "IdempotencyKey", "The caller's own name for the command, such as a UUID.", visible(Self::MOST),
    "order-2026-001"
);

impl Key {
    const MOST: usize = 255;

    /// The text of the key, and why today's rules refuse the content of the request.
    pub(crate) fn into_parts(self) -> (String, Option<Refusal>) {
        (self.text, self.doubt)
    }

    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut given = headers.get_all("idempotency-key").iter();
        let Some(value) = given.next() else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default();
        let valid = (1..=Self::MOST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if valid && given.next().is_none() {
            Ok(Some(Self { text: key.to_owned(), doubt: None }))
        } else {
            Err(Problem::malformed("The Idempotency-Key must be one value of 1 to 255 visible characters."))
        }
    }
}

impl Terms for Key {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        must_have_no_query(parts)?;
        Self::of(&parts.headers)?.ok_or_else(|| {
            Problem::because(
                refusals::IdempotencyKeyRequired,
                "This command moves credits: send an Idempotency-Key, and the same one when you repeat it.",
            )
        })
    }

    fn doubt(self, refused: Problem) -> Result<Self, Problem> {
        let refused = refused.into_refusal()?;
        Ok(Self { doubt: self.doubt.or(Some(refused)), ..self })
    }
}

impl Terms for Option<Key> {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        must_have_no_query(parts)?;
        Key::of(&parts.headers)
    }

    fn doubt(self, refused: Problem) -> Result<Self, Problem> {
        match self {
            Some(key) => key.doubt(refused).map(Some),
            None => Err(refused),
        }
    }
}

/// A key, and a version that must hold unless the request is a repeat.
impl<K: Terms> Terms for (K, IfMatch) {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        Ok((K::read(parts)?, IfMatch::read(parts)?))
    }

    fn doubt(self, refused: Problem) -> Result<Self, Problem> {
        Ok((self.0.doubt(refused)?, self.1))
    }
}

/// The versions that an `If-Match` header lists; `None` if there is no header, or if it allows any version (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Refuses a resource whose version is not among those in the header.
    pub fn must_hold(&self, version: u64) -> Result<(), Refusal> {
        let tag = format!("\"{version}\"");
        match &self.0 {
            Some(tags) if !tags.contains(&tag) => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }
}

impl Terms for IfMatch {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        must_have_no_query(parts)?;
        let tags = tags(&parts.headers, &IF_MATCH);
        // Beside other tags, `*` is malformed, and matches no version.
        let any = tags.is_empty() || tags == ["*"];
        Ok(Self((!any).then_some(tags)))
    }
}

/// The tags that a header lists. A malformed tag needs no check: it matches no version.
pub(crate) fn tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
}

/// The most items of a page: 1 to 100; by default 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Limit(u32);

purser_domain::value_schema!(Limit, "The most items of a page.", integer(1, Self::MAX.into()), 25);

impl Limit {
    const MAX: u32 = 100;

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
        if (1..=Self::MAX).contains(&limit) { Ok(Self(limit)) } else { Err("must be from 1 to 100") }
    }
}

/// The order of a list, by the time of creation; where a text is searched for, by what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Asc,
    Desc,
}

impl From<Order> for purser_store::engine::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Asc => Self::Asc,
            Order::Desc => Self::Desc,
        }
    }
}

/// The query of a list without filters.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The `next_cursor` of the previous page. Without it, the list begins at its first page.
    pub cursor: Option<String>,
    /// The most items of a page; 25 by default.
    pub limit: Option<Limit>,
}
