//! A client of the API, for an operator's commands.
//!
//! Invariant: a temporary failure is retried a bounded number of times, after the time that `Retry-After` says; any
//! other failure is an error at once. No error contains the key.

use std::time::Duration;

use reqwest::header::{IF_MATCH, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How long a response may take; API Gateway gives up after 30 s.
const TIMEOUT: Duration = Duration::from_secs(35);
/// How many times a request is repeated when the response says how long to wait.
const WAITS: u32 = 10;
/// How many times a request is tried when a failure does not say how long to wait; the pauses are 1 s and 2 s.
const TRIES: u32 = 3;
/// The longest wait in seconds; a longer `Retry-After` is cut down to it.
const LONGEST: u64 = 60;

/// The names of a machine that lead to nobody else.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

#[derive(Clone)]
pub struct Api {
    http: Client,
    url: String,
    key: String,
}

#[derive(Debug, Error)]
pub enum ApiError {
    #[error("{url} can't be reached: {why}")]
    Unreachable { url: String, why: String },
    #[error("{0} must be an https address, or one of this machine: others could read the key on its way")]
    Unsafe(String),
    /// The key is invalid, or not an operator's.
    #[error("the deployment did not accept PURSER_OPERATOR_KEY as an operator's key ({0})")]
    Key(StatusCode),
    #[error("the deployment answered 404 Not Found")]
    NotFound,
    /// Any other refusal, after all tries.
    #[error("{path}: {status}")]
    Refused { path: String, status: StatusCode },
    /// A response that can't come from Purser.
    #[error("{path}: unexpected response: {why}")]
    Unreadable { path: String, why: String },
}

#[derive(Debug, Deserialize)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// The cursor of the next page; none on the last.
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deletion {
    Done,
    /// It has changed since, so it was kept.
    Changed,
    InUse,
    /// It was already gone, perhaps deleted by an earlier try whose response was lost.
    Gone,
}

/// Whether nobody on the way to this address can read what is sent.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<reqwest::Url>() else { return false };
    url.scheme() == "https" || url.scheme() == "http" && url.host_str().is_some_and(|host| LOOPBACK.contains(&host))
}

impl Api {
    pub fn new(url: &str, key: String) -> Result<Self, ApiError> {
        let url = url.trim_end_matches('/').to_owned();
        if !is_safe(&url) {
            return Err(ApiError::Unsafe(url));
        }
        let http = Client::builder().timeout(TIMEOUT).build();
        let http = http.map_err(|error| ApiError::Unreachable { url: url.clone(), why: causes(&error) })?;
        Ok(Self { http, url, key })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(Method::GET, path).await
    }

    /// Posts to `path`, without a body. The action must be repeatable, because a failed request is tried again.
    pub async fn act<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(Method::POST, path).await
    }

    async fn read<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, ApiError> {
        let request = || self.request(method.clone(), path);
        let answer = self.ask(path, request).await?;
        answer.json().await.map_err(|error| ApiError::Unreadable { path: path.to_owned(), why: causes(&error) })
    }

    /// Gets a page of 100 items, the first one or the one at `cursor`.
    pub async fn page<T: DeserializeOwned>(&self, path: &str, cursor: Option<&str>) -> Result<Page<T>, ApiError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        self.get(&format!("{path}{joint}limit=100{cursor}")).await
    }

    /// Deletes the resource at `path` if it still has this version.
    pub async fn delete(&self, path: &str, version: u64) -> Result<Deletion, ApiError> {
        let request = || {
            let request = self.request(Method::DELETE, path);
            request.header(IF_MATCH, format!("\"{version}\""))
        };
        match self.ask(path, request).await {
            Ok(_) => Ok(Deletion::Done),
            Err(ApiError::NotFound) => Ok(Deletion::Gone),
            Err(ApiError::Refused { status, .. }) if status == StatusCode::PRECONDITION_FAILED => Ok(Deletion::Changed),
            Err(ApiError::Refused { status, .. }) if status == StatusCode::CONFLICT => Ok(Deletion::InUse),
            Err(error) => Err(error),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.key)
    }

    async fn ask(&self, path: &str, request: impl Fn() -> RequestBuilder) -> Result<Response, ApiError> {
        let (mut waits, mut tries) = (0, 0);
        loop {
            let (failure, pause) = match request().send().await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => (refusal(path, answer.status()), pause(&answer)),
                Err(error) => {
                    let (url, why) = (self.url.clone(), causes(&error));
                    (ApiError::Unreachable { url, why }, Pause::Short)
                }
            };
            let pause = match pause {
                Pause::Told(pause) if waits < WAITS => {
                    waits += 1;
                    pause
                }
                Pause::Short if tries + 1 < TRIES => {
                    tries += 1;
                    Duration::from_secs(1 << (tries - 1))
                }
                _ => return Err(failure),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether to try again, and when.
enum Pause {
    /// After the time that the response names.
    Told(Duration),
    Short,
    /// Never, because the response would be the same.
    Never,
}

fn pause(answer: &Response) -> Pause {
    let told = answer.headers().get(RETRY_AFTER);
    let told = told.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    match (answer.status(), told) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
            Pause::Told(Duration::from_secs(seconds.clamp(1, LONGEST)))
        }
        // API Gateway's own 429 has no `Retry-After`.
        (StatusCode::TOO_MANY_REQUESTS, None) => Pause::Told(Duration::from_secs(1)),
        (status, _) if status.is_server_error() => Pause::Short,
        _ => Pause::Never,
    }
}

fn refusal(path: &str, status: StatusCode) -> ApiError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ApiError::Key(status),
        StatusCode::NOT_FOUND => ApiError::NotFound,
        _ => ApiError::Refused { path: path.to_owned(), status },
    }
}

/// What caused an error, without the error's own text, which repeats the URL.
fn causes(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
