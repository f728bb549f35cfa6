//! Verdicts of services that tell people from programs: Turnstile, hCaptcha and reCAPTCHA, which speak one protocol.
//!
//! Invariant: an answer counts only for the form that it was given on, and on a page of this deployment, as far as the
//! service says so. A fault of the deployment, such as a wrong secret, is never told as one of the person's.

use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use http::uri::PathAndQuery;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::timeout;

use crate::caller::captcha::Form;
use crate::http::problem::Problem;
use crate::process::app::App;
use crate::process::config::{CaptchaService, ServiceKind};

/// How long Purser waits for a verdict.
const JUDGING: Duration = Duration::from_secs(4);

/// The least score of a person, where reCAPTCHA gives one (version 3): from 0, a program, to 1.
const PERSON: f64 = 0.5;

/// Codes of refusals that report a mistake of this deployment, or of the service, and none of the person's.
const NOT_THE_PERSONS: [&str; 5] = [
    "missing-input-secret",
    "invalid-input-secret",
    "sitekey-secret-mismatch",
    "not-using-dummy-passcode",
    "internal-error",
];

#[derive(Debug, Deserialize)]
struct Verdict {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
    /// The host of the page.
    hostname: Option<String>,
    /// What the page said that the challenge is for.
    action: Option<String>,
    score: Option<f64>,
}

/// Whether an answer was given for this form. hCaptcha and version 2 of reCAPTCHA, which gives no score, know no
/// actions.
fn is_for(form: Form, kind: ServiceKind, verdict: &Verdict) -> bool {
    match verdict.action.as_deref().filter(|action| !action.is_empty()) {
        Some(action) => action == form.into_str(),
        // The page names the action, so a service that knows actions must have been told one.
        None => match kind {
            ServiceKind::Turnstile => false,
            ServiceKind::Hcaptcha => true,
            ServiceKind::Recaptcha => verdict.score.is_none(),
        },
    }
}

/// Whether the score is that of a person. hCaptcha's scores mean something else, and `success` respects them.
fn scores(kind: ServiceKind, verdict: &Verdict) -> bool {
    kind != ServiceKind::Recaptcha || verdict.score.is_none_or(|score| score >= PERSON)
}

impl App {
    /// Whether the service takes the sender of `response` for a person who filled in this form.
    pub(super) async fn is_judged(
        &self,
        service: &CaptchaService,
        form: Form,
        response: &str,
    ) -> Result<bool, Problem> {
        if !self.config.has_own_host() {
            return Err(no_verdict("neither PURSER_PUBLIC_URL nor PURSER_ALLOWED_ORIGINS names a host of pages"));
        }
        let Some(secret) = self.store.secrets().captcha()? else {
            return Err(no_verdict("there is no secret to ask with; `infra/cloud/secrets set` sets it"));
        };
        let verdict = match timeout(JUDGING, self.verdict(service, &secret, response)).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(why)) => return Err(no_verdict(&why)),
            Err(_) => return Err(no_verdict("there was no answer in time")),
        };
        if !verdict.success {
            let ours = verdict.error_codes.iter().find_map(|code| NOT_THE_PERSONS.into_iter().find(|it| it == code));
            return ours.map_or(Ok(false), |code| Err(no_verdict(code)));
        }
        let own = verdict.hostname.as_deref().is_some_and(|host| self.config.is_own_host(host));
        if own && is_for(form, service.kind, &verdict) {
            return Ok(scores(service.kind, &verdict));
        }
        // What the verdict names came from a stranger's page, so it is not logged.
        tracing::warn!(form = form.into_str(), own_host = own, "an answer to a CAPTCHA is for another page or form");
        Ok(false)
    }

    /// Asks the service about a page's `response`. Error texts contain neither the response nor the secret.
    async fn verdict(&self, service: &CaptchaService, secret: &str, response: &str) -> Result<Verdict, String> {
        let client = self.http.clone().ok_or("there is no HTTP client")?;
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form = format!("secret={}&response={}", encoded(secret), encoded(response));
        let (Some(scheme), Some(authority)) = (service.url.scheme_str(), service.url.authority()) else {
            return Err("the address of the service is incomplete".into());
        };
        let path = service.url.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        let siteverify = Operation::builder()
            .service_name("captcha")
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

/// The service answered with an error status, or with JSON that is not a verdict.
#[derive(Debug, thiserror::Error)]
#[error("the answer of the service is not a verdict")]
struct NoVerdict;

fn read(response: &HttpResponse) -> Result<Verdict, OrchestratorError<NoVerdict>> {
    let said = response.body().bytes().filter(|_| response.status().is_success());
    let verdict = said.and_then(|json| serde_json::from_slice(json).ok());
    verdict.ok_or_else(|| OrchestratorError::operation(NoVerdict))
}

/// 503: without a verdict nobody passes.
fn no_verdict(why: &str) -> Problem {
    tracing::error!(why, "no verdict on an answer to a CAPTCHA");
    Problem::busy()
}
