//! The API, as an operator calls it.
//!
//! Invariant: what passes is waited for, a bounded number of times, as long as `Retry-After` says; what does not pass
//! is an error at once. No error quotes the key.

use std::time::Duration;

use reqwest::header::{IF_MATCH, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How long an answer may take; API Gateway gives up after 30 s.
const TIMEOUT: Duration = Duration::from_secs(35);
/// How often somebody who was told to wait comes back.
const WAITS: u32 = 10;
/// How often what fails without saying for how long is tried; the pauses are 1 s and 2 s.
const TRIES: u32 = 3;
/// The longest wait that is taken for one.
const LONGEST: u64 = 60;

/// Where the API answers, and who asks.
#[derive(Clone)]
pub struct Api {
    http: Client,
    url: String,
    key: String,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// Nobody answers there.
    #[error("{url} can't be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// What the network says.
        why: String,
    },
    /// The key is none, or not an operator's.
    #[error("the deployment did not accept PURSER_OPERATOR_KEY as an operator's key ({0})")]
    Key(StatusCode),
    /// There is no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// Another refusal, after all tries.
    #[error("{path}: {status}")]
    Refused {
        /// What was asked for.
        path: String,
        /// The answer.
        status: StatusCode,
    },
    /// An answer that is none of Purser's.
    #[error("{path}: the answer is not what it should be: {why}")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// Its items.
    pub data: Vec<T>,
    /// Where it goes on.
    pub next_cursor: Option<String>,
}

/// What became of something that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deletion {
    /// It is gone.
    Done,
    /// It is another version by now.
    Changed,
    /// Something needs it by now.
    InUse,
    /// It was gone before, perhaps by an earlier try whose answer was lost.
    Gone,
}

impl Api {
    /// The API at `url`, asked with `key`.
    pub fn new(url: &str, key: String) -> Result<Self, ApiError> {
        let url = url.trim_end_matches('/').to_owned();
        let http = Client::builder().timeout(TIMEOUT).build();
        let http = http.map_err(|error| ApiError::Unreachable { url: url.clone(), why: causes(&error) })?;
        Ok(Self { http, url, key })
    }

    /// What is at `path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(Method::GET, path).await
    }

    /// What came of the action at `path`, which may be done twice.
    pub async fn act<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(Method::POST, path).await
    }

    async fn read<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, ApiError> {
        let request = || self.request(method.clone(), path);
        let answer = self.ask(path, request).await?;
        answer.json().await.map_err(|error| ApiError::Unreadable { path: path.to_owned(), why: causes(&error) })
    }

    /// The page of a list of 100 that follows `cursor`.
    pub async fn page<T: DeserializeOwned>(&self, path: &str, cursor: Option<&str>) -> Result<Page<T>, ApiError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        self.get(&format!("{path}{joint}limit=100{cursor}")).await
    }

    /// Deletes what is at `path`, if it is this version.
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

/// Whether to ask again.
enum Pause {
    /// After so long, says the answer.
    Told(Duration),
    /// Soon.
    Short,
    /// It would be answered alike.
    Never,
}

fn pause(answer: &Response) -> Pause {
    let told = answer.headers().get(RETRY_AFTER);
    let told = told.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    match (answer.status(), told) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
            Pause::Told(Duration::from_secs(seconds.clamp(1, LONGEST)))
        }
        // API Gateway's own say nothing of when.
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

/// An error with what caused it, without the address, which stands beside it.
fn causes(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
