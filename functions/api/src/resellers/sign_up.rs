//! `sign-up-reseller`: anybody applies to become a reseller, while the switch is on (rule B1).
//!
//! Invariant: who applied can do nothing until an operator approves; the answer never tells whether the address belongs
//! to a login already.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use purser_domain::Refusal;
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::text::Name;
use purser_domain::money::tier::Tier;
use purser_domain::parties::metadata::Metadata;
use purser_domain::parties::reseller::{NewReseller, ResellerStatus};
use purser_edge::caller::call::Anybody;
use purser_edge::caller::input::Subject;
use purser_edge::http::answer;
use purser_edge::http::extract::Body;
use purser_edge::http::problem::Guesses;
use purser_edge::http::problem::refusals::{NotFound, Refused};
use purser_edge::{App, Input, Problem, noted};
use purser_store::StoreError;
use purser_store::engine::command::answer::NoView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

noted!(SignUpOff = NotFound, ", while the switch is off");

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(sign_up_reseller))
}

/// An application to become a reseller.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"company_name": "Nova Distribution", "email": "hello@nova.example"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct SignUpReseller {
    company_name: Name,
    /// Where the answer goes; the address of its first login.
    email: EmailAddress,
}

/// That an application arrived.
#[derive(Debug, Serialize, ToSchema)]
struct SignedUp {
    /// Always `received`, whether or not the address is known already.
    status: &'static str,
}

/// Applications, as long as the deployment takes them.
struct SignUp;

impl<W: Sync> Subject<W> for SignUp {
    async fn find(_: &W, _: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.config.partner_sign_up.then_some(Self).ok_or_else(|| Problem::not_found("path"))
    }
}

/// Apply to become a reseller
#[utoipa::path(
    post, path = "/v1/resellers/sign-up", tag = "resellers", request_body = SignUpReseller,
    responses((status = 202, body = SignedUp), Refused<SignUpOff>),
    security(())
)]
async fn sign_up_reseller(
    State(app): State<App>,
    Input(Anybody(request), _, (), Body(body)): Input<Anybody, SignUp, (), Body<SignUpReseller>>,
) -> Result<Response, Problem> {
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
        Ok(_) | Err(StoreError::Refused(Refusal::DuplicateEmail)) => {
            let mut received = answer::accepted(&SignedUp { status: "received" })?;
            // Each may be a mail to a stranger, so many from one address cost it as much as guessing.
            received.extensions_mut().insert(Guesses(1));
            Ok(received)
        }
        Err(error) => Err(error.into()),
    }
}
