//! CAPTCHA: checks that an unauthenticated caller is a person, if the deployment requires it, or if many requests have
//! come from the caller's network address (rule D2).
//!
//! Invariant: a challenge can be answered once, within a few minutes. Its token contains the encrypted solution, so
//! creating a challenge writes nothing. If a service that judges answers can't be reached, the request is refused.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use purser_domain::basic::Time;
use purser_domain::people::GivenChallenge;
use purser_store::engine::secrets;
use purser_store::engine::{Request, Seal, Secrets, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::caller::call::Connection;
use crate::http::problem::Problem;
use crate::http::problem::refusals::CaptchaFailed;
use crate::process::app::App;
use crate::process::config::{Captcha, ServiceKind};

/// How long a person has to answer an arithmetic challenge.
const TIME_TO_ANSWER: SignedDuration = SignedDuration::from_mins(5);
/// The context of sealed challenges; they open in no other context.
const PLACE: &str = "captcha";
const LARGEST: u8 = 20;

/// What a request is for. Pages name it as the action of a challenge, so that an answer counts for one kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Form {
    Register,
    Login,
    ResendConfirmation,
    ForgotPassword,
    SignUp,
}

/// How the deployment tells people from programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaKind {
    /// The person answers the sum in `question`.
    Arithmetic,
    /// The person solves Cloudflare's Turnstile, loaded with `site_key`.
    Turnstile,
    /// The person solves hCaptcha, loaded with `site_key`.
    Hcaptcha,
    /// The person solves Google's reCAPTCHA, loaded with `site_key`.
    Recaptcha,
}

/// The challenge to show a person with a form that takes `captcha`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Captcha)]
pub struct CaptchaView {
    pub kind: CaptchaKind,
    /// Whether every form needs an answer. If not, show the challenge only after a form was refused with
    /// `captcha_failed`, because many requests have come from the person's network address.
    pub required: bool,
    /// With `arithmetic`: the sum to solve, like `7 + 5`.
    pub question: Option<String>,
    /// With `arithmetic`: the token to send with the answer. It is valid once, for five minutes.
    pub token: Option<String>,
    /// With any other kind: the site key to load the challenge with.
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
    /// With `arithmetic`: the `token` of the challenge. With any other kind: the response that the service gave the
    /// page.
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
        let captcha = &self.config.accounts.captcha;
        if let Captcha::Service(service) = captcha {
            let kind = match service.kind {
                ServiceKind::Turnstile => CaptchaKind::Turnstile,
                ServiceKind::Hcaptcha => CaptchaKind::Hcaptcha,
                ServiceKind::Recaptcha => CaptchaKind::Recaptcha,
            };
            let site_key = Some(service.site_key.clone());
            return Ok(CaptchaView { kind, required: true, question: None, token: None, site_key });
        }
        let Challenge { question, token } = challenge(self.store.secrets(), self.clock.now())?;
        Ok(CaptchaView {
            kind: CaptchaKind::Arithmetic,
            required: matches!(captcha, Captcha::Arithmetic),
            question: Some(question),
            token: Some(token),
            site_key: None,
        })
    }

    /// Whether the request brings the right answer to a challenge. An answer is used up by the check, right or wrong.
    /// Where the deployment requires one, a missing or wrong answer is refused with 422 `captcha_failed`. `stamp` is
    /// that of the request.
    pub async fn is_person(&self, form: Form, captcha: Option<&CaptchaBody>, stamp: &Stamp) -> Result<bool, Problem> {
        let config = &self.config.accounts.captcha;
        let passed = match (config, captcha) {
            (_, None) => false,
            (Captcha::Off | Captcha::Arithmetic, Some(given)) => self.is_sum(given, stamp).await?,
            (Captcha::Service(service), Some(given)) => self.is_judged(service, form, given.token.as_str()).await?,
        };
        if passed || matches!(config, Captcha::Off) { Ok(passed) } else { Err(failed()) }
    }

    /// Lets a stranger make a request that may cause an e-mail to somebody else: a person, where that is required, and
    /// only so many in an hour from each network address.
    pub async fn admit_ask(
        &self,
        form: Form,
        captcha: Option<&CaptchaBody>,
        from: &Connection,
        request: &Request,
    ) -> Result<(), Problem> {
        let person = self.is_person(form, captcha, &request.stamp).await?;
        let most = self.config.address_mails_per_hour;
        match &from.address {
            Some(address) if most > 0 => Ok(self.store.charge_ask(address, person, most, request.now).await?),
            _ => Ok(()),
        }
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
}

fn failed() -> Problem {
    Problem::because(
        CaptchaFailed,
        "The answer to the challenge is missing, wrong, used or too old; ask for another challenge.",
    )
    .in_field("/captcha")
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
