//! `sign-up-reseller`: lets anyone apply to become a reseller, if the deployment enables it (rule B1).
//!
//! Invariant: an applicant can do nothing until an operator approves the application, and the response never reveals
//! whether the e-mail address already belongs to a user.

use http::request::Parts;
use purser_domain::basic::{EmailAddress, Name};
use purser_domain::money::Tier;
use purser_domain::parties::{Metadata, NewReseller, ResellerStatus};
use purser_edge::caller::call::{Anybody, Connection};
use purser_edge::caller::captcha::{CaptchaBody, Form};
use purser_edge::caller::input::Subject;
use purser_edge::http::json::object;
use purser_edge::http::problem::refusals::CaptchaFailed;
use purser_edge::noted;
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::engine::NoView;

noted!(SignUpOff = NotFound, ", while applications are switched off");

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(sign_up_reseller))
}

/// An application to become a reseller.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"company_name": "Nova Distribution", "email": "hello@nova.example"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct SignUpReseller {
    company_name: Name,
    /// The address of the reseller's first user. E-mails on the application go there.
    email: EmailAddress,
    #[serde(default, deserialize_with = "object")]
    captcha: Option<CaptchaBody>,
}

/// The confirmation that an application was received.
#[derive(Debug, Serialize, ToSchema)]
struct SignedUp {
    /// Always `received`, whether or not the e-mail address is already known.
    status: &'static str,
}

/// Proof that the deployment accepts applications; without it the path answers 404.
struct SignUp;

impl<W: Sync> Subject<W> for SignUp {
    async fn find(_: &W, _: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.config.partner_sign_up.then_some(Self).ok_or_else(|| Problem::not_found("path"))
    }
}

/// Apply to become a reseller
#[utoipa::path(
    post, path = "/v1/resellers/sign-up", tag = "resellers", request_body = SignUpReseller,
    responses((status = 202, body = SignedUp), Refused<(SignUpOff, CaptchaFailed, TooManyAttempts)>),
    security(())
)]
async fn sign_up_reseller(
    State(app): State<App>,
    from: Connection,
    Input(Anybody(request), _, (), Body(body)): Input<Anybody, SignUp, (), Body<SignUpReseller>>,
) -> Result<Response, Problem> {
    app.admit_ask(Form::SignUp, body.captcha.as_ref(), &from, &request).await?;
    let new = NewReseller {
        company_name: body.company_name,
        email: body.email,
        tier: Tier::default(),
        status: ResellerStatus::Pending,
        low_credit_threshold: app.config.low_credit_threshold,
        metadata: Metadata::default(),
    };
    let refid = app.store.new_reseller_refid()?;
    let applied = app.store.onboard_reseller::<NoView>(&refid, &new, None, &request).await;
    match applied {
        Ok(_) | Err(StoreError::Refused(Refusal::DuplicateEmail)) => answer::accepted(&SignedUp { status: "received" }),
        Err(error) => Err(error.into()),
    }
}
