//! CAPTCHA: how a stranger shows to be a person, where the deployment asks for it (rule D2).
//!
//! Invariant: an answer counts once and for a few minutes. What a challenge is about stands sealed in its token, so
//! asking for one writes nothing; who can't be judged is not let in.

use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use data_encoding::BASE64URL_NOPAD;
use http::uri::PathAndQuery;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use purser_domain::basic::time::Time;
use purser_domain::people::given::GivenChallenge;
use purser_store::engine::item::Stamp;
use purser_store::engine::secrets::{self, Secrets};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::problem::refusals::CaptchaFailed;
use crate::process::app::App;
use crate::process::config::{Captcha, Recaptcha};

/// How long a sum may take.
const TIME_TO_ANSWER: SignedDuration = SignedDuration::from_mins(5);
/// Where seals of challenges open.
const PLACE: &str = "captcha";
/// The largest number of a sum.
const LARGEST: u8 = 20;
/// How long reCAPTCHA may take to judge.
const JUDGING: Duration = Duration::from_secs(4);

/// How a person is told from a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaKind {
    /// Not at all.
    Off,
    /// By the answer to `question`.
    Arithmetic,
    /// By Google's reCAPTCHA under `site_key`.
    Recaptcha,
}

/// What to show a person before a form that asks for `captcha`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Captcha)]
pub struct CaptchaView {
    /// Whether and how a person is told from a program.
    pub kind: CaptchaKind,
    /// With `arithmetic`: a sum like `7 + 5`.
    pub question: Option<String>,
    /// With `arithmetic`: what to send along with the answer, once and within five minutes.
    pub token: Option<String>,
    /// With `recaptcha`: what to load it with.
    pub site_key: Option<String>,
}

/// The answer to a question of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Sum(u32);

purser_domain::value_schema!(Sum, "The answer to a question of arithmetic.", integer(0, u32::MAX.into()), 12);

/// The answer of a person.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = CaptchaAnswer)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct CaptchaBody {
    /// The challenge's `token`, or what reCAPTCHA gave the page.
    pub token: GivenChallenge,
    /// With `arithmetic`: the sum.
    pub answer: Option<Sum>,
}

impl std::fmt::Debug for CaptchaBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CaptchaBody(…)")
    }
}

impl App {
    /// What to show a person; with sums, another one each time.
    pub fn captcha(&self) -> Result<CaptchaView, Problem> {
        let nothing = CaptchaView { kind: CaptchaKind::Off, question: None, token: None, site_key: None };
        match &self.config.accounts.captcha {
            Captcha::Off => Ok(nothing),
            Captcha::Arithmetic => {
                let Challenge { question, token } = challenge(self.store.secrets(), self.clock.now())?;
                Ok(CaptchaView {
                    kind: CaptchaKind::Arithmetic,
                    question: Some(question),
                    token: Some(token),
                    ..nothing
                })
            }
            Captcha::Recaptcha(site) => {
                Ok(CaptchaView { kind: CaptchaKind::Recaptcha, site_key: Some(site.site_key.clone()), ..nothing })
            }
        }
    }

    /// Refuses whoever has not shown to be a person, with 422 `captcha_failed`. What was answered is used up by it;
    /// where nobody is asked, nothing happens. `stamp` is of the request that brings the answer.
    pub async fn must_be_human(&self, captcha: Option<&CaptchaBody>, stamp: &Stamp) -> Result<(), Problem> {
        let passed = match (&self.config.accounts.captcha, captcha) {
            (Captcha::Off, _) => true,
            (_, None) => false,
            (Captcha::Arithmetic, Some(given)) => self.is_sum(given, stamp).await?,
            (Captcha::Recaptcha(site), Some(given)) => self.is_judged_human(site, given).await?,
        };
        if passed { Ok(()) } else { Err(failed()) }
    }

    async fn is_sum(&self, given: &CaptchaBody, stamp: &Stamp) -> Result<bool, Problem> {
        let now = self.clock.now();
        let Some(sealed) = opened(self.store.secrets(), given.token.as_str()) else {
            return Ok(false);
        };
        if sealed.expires_at <= now {
            return Ok(false);
        }
        let first = self.store.use_challenge(given.token.as_str(), sealed.expires_at, stamp, now).await?;
        Ok(first && given.answer == Some(Sum(sealed.answer.into())))
    }

    async fn is_judged_human(&self, site: &Recaptcha, given: &CaptchaBody) -> Result<bool, Problem> {
        let asked = timeout(JUDGING, self.verdict(site, given.token.as_str())).await;
        let verdict = match asked {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(why)) => return Err(not_judged(&why)),
            Err(_) => return Err(not_judged("no answer in time")),
        };
        // These are about us, not about who is judged.
        let ours = ["missing-input-secret", "invalid-input-secret", "bad-request"];
        let fault = verdict.error_codes.iter().find_map(|code| {
            let known = ours.into_iter().find(|ours| ours == code);
            known.filter(|_| !verdict.success)
        });
        match fault {
            Some(fault) => Err(not_judged(fault)),
            None => Ok(verdict.success),
        }
    }

    /// What reCAPTCHA says of a page's response. The reasons of failures name neither it nor the secret.
    async fn verdict(&self, site: &Recaptcha, response: &str) -> Result<Verdict, String> {
        let client = self.http.clone().ok_or("no HTTP client")?;
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form = format!("secret={}&response={}", encoded(&site.secret), encoded(response));
        let (scheme, authority) = (site.url.scheme_str(), site.url.authority());
        let (Some(scheme), Some(authority)) = (scheme, authority) else {
            return Err("no address".into());
        };
        let path = site.url.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = path.to_owned();
        let siteverify = Operation::builder()
            .service_name("recaptcha")
            .operation_name("siteverify")
            .http_client(client)
            .endpoint_url(&format!("{scheme}://{authority}"))
            .no_auth()
            .no_retry()
            .timeout_config(TimeoutConfig::disabled())
            .serializer(move |form: String| {
                let mut request = HttpRequest::new(SdkBody::from(form));
                request.set_method("POST")?;
                request.set_uri(path.as_str())?;
                let kind = "application/x-www-form-urlencoded";
                request.headers_mut().insert("content-type", kind);
                Ok(request)
            })
            .deserializer(read)
            .build();
        siteverify.invoke(form).await.map_err(|error| error.to_string())
    }
}

#[derive(Debug, Deserialize)]
struct Verdict {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

/// An answer of siteverify that says nothing.
#[derive(Debug, thiserror::Error)]
#[error("an answer that is no verdict")]
struct NoVerdict;

fn read(response: &HttpResponse) -> Result<Verdict, OrchestratorError<NoVerdict>> {
    let said = response.body().bytes().filter(|_| response.status().is_success());
    let verdict = said.and_then(|json| serde_json::from_slice(json).ok());
    verdict.ok_or_else(|| OrchestratorError::operation(NoVerdict))
}

/// 422: whoever asks has not shown to be a person.
fn failed() -> Problem {
    Problem::because(
        CaptchaFailed,
        "The answer to the challenge is missing, wrong, used or too old; ask for another challenge.",
    )
    .in_field("/captcha")
}

/// 503: it can't be told, so nobody is let in.
fn not_judged(why: &str) -> Problem {
    tracing::error!(why, "reCAPTCHA did not judge an answer");
    Problem::busy()
}

/// A sum, and its answer under seal.
struct Challenge {
    question: String,
    token: String,
}

/// What a token says.
struct Sealed {
    answer: u8,
    expires_at: Time,
}

fn challenge(secrets: &Secrets, now: Time) -> Result<Challenge, Problem> {
    let [one, other] = secrets::random()?.map(|byte: u8| byte % LARGEST + 1);
    let expires_at = now.plus(TIME_TO_ANSWER).unix_seconds();
    let mut plain = expires_at.to_be_bytes().to_vec();
    plain.push(one + other);
    let sealed = secrets.seal(PLACE, &plain)?;
    Ok(Challenge { question: format!("{one} + {other}"), token: BASE64URL_NOPAD.encode(&sealed) })
}

/// What a token says, when it is one of ours.
fn opened(secrets: &Secrets, token: &str) -> Option<Sealed> {
    let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    // One that does not open is forged, or of another deployment; that is for its sender to know, not for the log.
    let plain = secrets.open(PLACE, &sealed).ok()?;
    let (expires_at, rest) = plain.split_first_chunk()?;
    let expires_at = Timestamp::from_second(i64::from_be_bytes(*expires_at)).ok()?;
    Some(Sealed { answer: *rest.first()?, expires_at: Time::of(expires_at) })
}
