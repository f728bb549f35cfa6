//! CAPTCHA: checks that an unauthenticated caller is a person, if the deployment requires it (rule D2).
//!
//! Invariant: a challenge can be answered once, within a few minutes. Its token contains the encrypted solution, so
//! creating a challenge writes nothing. If reCAPTCHA can't be reached, the request is refused.

use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use data_encoding::BASE64URL_NOPAD;
use http::uri::PathAndQuery;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use purser_domain::basic::Time;
use purser_domain::people::GivenChallenge;
use purser_store::engine::secrets;
use purser_store::engine::{Seal, Secrets, Stamp};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::problem::refusals::CaptchaFailed;
use crate::process::app::App;
use crate::process::config::{Captcha, Recaptcha};

/// How long a person has to answer an arithmetic challenge.
const TIME_TO_ANSWER: SignedDuration = SignedDuration::from_mins(5);
/// The context of sealed challenges; they open in no other context.
const PLACE: &str = "captcha";
const LARGEST: u8 = 20;
/// How long Purser waits for reCAPTCHA's verdict.
const JUDGING: Duration = Duration::from_secs(4);

/// How the deployment tells people from programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaKind {
    /// There is no challenge.
    Off,
    /// The person answers the sum in `question`.
    Arithmetic,
    /// The person solves Google's reCAPTCHA, loaded with `site_key`.
    Recaptcha,
}

/// The challenge to show a person with a form that requires `captcha`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Captcha)]
pub struct CaptchaView {
    /// The kind of challenge, or `off` if there is none.
    pub kind: CaptchaKind,
    /// With `arithmetic`: the sum to solve, like `7 + 5`.
    pub question: Option<String>,
    /// With `arithmetic`: the token to send with the answer. It is valid once, for five minutes.
    pub token: Option<String>,
    /// With `recaptcha`: the site key to load reCAPTCHA with.
    pub site_key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Sum(u32);

purser_domain::value_schema!(Sum, "The answer to an arithmetic challenge.", integer(0, u32::MAX.into()), 12);

/// A person's answer to a challenge.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = CaptchaAnswer)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct CaptchaBody {
    /// With `arithmetic`: the `token` of the challenge. With `recaptcha`: the response that reCAPTCHA gave the page.
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
    /// The challenge to show a person. Each call creates a new sum.
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

    /// Refuses a request whose answer to the challenge is missing or wrong, with 422 `captcha_failed`. An answer is
    /// used up by the check, right or wrong. Without a configured CAPTCHA every request passes. `stamp` is that of
    /// the request that brings the answer.
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
            Err(_) => return Err(not_judged("reCAPTCHA did not respond in time")),
        };
        // These codes report a mistake of this deployment, not of the person.
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

    /// Asks reCAPTCHA for its verdict on a page's `response`. Error texts contain neither the response nor the
    /// secret.
    async fn verdict(&self, site: &Recaptcha, response: &str) -> Result<Verdict, String> {
        let client = self.http.clone().ok_or("there is no HTTP client")?;
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form = format!("secret={}&response={}", encoded(&site.secret), encoded(response));
        let (scheme, authority) = (site.url.scheme_str(), site.url.authority());
        let (Some(scheme), Some(authority)) = (scheme, authority) else {
            return Err("the address of reCAPTCHA is incomplete".into());
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

/// siteverify answered with an error status, or with JSON that is not a verdict.
#[derive(Debug, thiserror::Error)]
#[error("the response of reCAPTCHA is not a verdict")]
struct NoVerdict;

fn read(response: &HttpResponse) -> Result<Verdict, OrchestratorError<NoVerdict>> {
    let said = response.body().bytes().filter(|_| response.status().is_success());
    let verdict = said.and_then(|json| serde_json::from_slice(json).ok());
    verdict.ok_or_else(|| OrchestratorError::operation(NoVerdict))
}

fn failed() -> Problem {
    Problem::because(
        CaptchaFailed,
        "The answer to the challenge is missing, wrong, used or too old; ask for another challenge.",
    )
    .in_field("/captcha")
}

/// 503: without a verdict nobody passes.
fn not_judged(why: &str) -> Problem {
    tracing::error!(why, "reCAPTCHA gave no verdict on an answer");
    Problem::busy()
}

struct Challenge {
    question: String,
    token: String,
}

struct Sealed {
    answer: u8,
    expires_at: Time,
}

fn challenge(secrets: &Secrets, now: Time) -> Result<Challenge, Problem> {
    let [one, other] = secrets::random()?.map(|byte: u8| byte % LARGEST + 1);
    let expires_at = now.plus(TIME_TO_ANSWER).unix_seconds();
    let mut plain = expires_at.to_be_bytes().to_vec();
    plain.push(one + other);
    let sealed = secrets.seal(Seal::Challenge, PLACE, &plain)?;
    Ok(Challenge { question: format!("{one} + {other}"), token: BASE64URL_NOPAD.encode(&sealed) })
}

/// The content of a token that this deployment issued; `None` for any other text.
fn opened(secrets: &Secrets, token: &str) -> Option<Sealed> {
    let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    // A token that does not open is forged or comes from another deployment. That is the sender's mistake, so it is
    // not logged.
    let plain = secrets.open(Seal::Challenge, PLACE, &sealed).ok()?;
    let (expires_at, rest) = plain.split_first_chunk()?;
    let expires_at = Timestamp::from_second(i64::from_be_bytes(*expires_at)).ok()?;
    Some(Sealed { answer: *rest.first()?, expires_at: Time::of(expires_at) })
}
