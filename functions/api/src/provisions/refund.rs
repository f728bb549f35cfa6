//! `refund-provision`: credits of a purchase return, and its licences are revoked (rule B10).
//!
//! Invariant: only operators refund; what has been refunded of a purchase is not refunded again, under any key.

use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::refid::{EntryRefid, LicenceRefid};
use purser_domain::basic::text::Description;
use purser_domain::money::provision::Quantity;
use purser_domain::money::refund::Part;
use purser_domain::refusal::{Refusal, What};
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Named, OptionalBody, RequiredKey};
use purser_edge::http::json;
use purser_edge::shapes::{
    DescriptionShape, IdempotencyKeyShape, LicenceRefidShape, ProvisionRefidShape, ProvisionShape,
};
use purser_edge::{App, Call, Problem};
use purser_store::money::refund::RefundCommand;
use purser_store::money::sold::Provision;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(refund_provision))
}

/// What to refund.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"licences": ["LI-7ZK3M9QWX2ABCDEF"], "description": "Ordered by mistake"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RefundProvision {
    /// Licences of the provision, 1 to 90, each once, to refund what they cost; left out, all that has not been
    /// refunded. A bare cost has none, and is refunded whole.
    #[schema(value_type = Option<Vec<LicenceRefidShape>>, min_items = 1, max_items = 90)]
    licences: Option<LicenceChoices>,
    /// What the entry says it is for.
    #[schema(value_type = Option<DescriptionShape>)]
    description: Option<Description>,
}

/// Licences by their refids, each once: at least one, at most as many as a purchase has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
struct LicenceChoices(Vec<String>);

impl TryFrom<Vec<String>> for LicenceChoices {
    type Error = String;
    fn try_from(refids: Vec<String>) -> Result<Self, String> {
        let most = Quantity::MAX as usize;
        if !(1..=most).contains(&refids.len()) {
            return Err(format!("must name 1 to {most} licences"));
        }
        let distinct: HashSet<&String> = refids.iter().collect();
        if distinct.len() < refids.len() {
            return Err("must name each licence once".to_owned());
        }
        Ok(Self(refids))
    }
}

impl From<LicenceChoices> for Vec<String> {
    fn from(choices: LicenceChoices) -> Self {
        choices.0
    }
}

/// Refund a provision, or some of its licences
#[utoipa::path(
    post, path = "/v1/provisions/{refid}/refund", tag = "provisions", request_body = Option<RefundProvision>,
    params(
        ("refid" = ProvisionRefidShape, Path),
        ("Idempotency-Key" = IdempotencyKeyShape, Header, description = "One key, one refund."),
    ),
    responses(
        (status = 200, body = ProvisionShape),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`already_refunded`, `balance_too_large`"),
    )
)]
async fn refund_provision(
    State(app): State<App>,
    call: Call,
    named: Result<Named<EntryRefid>, Problem>,
    key: RequiredKey,
    body: OptionalBody<RefundProvision>,
) -> Result<Response, Problem> {
    call.caller.must_operate()?;
    let Named(refid) = named?;
    let found = app.store.purchase(&refid).await?;
    let purchase = found.ok_or(Refusal::NotFound(What::Provision))?;
    let key = key?;
    let body = body?.map_or_else(RefundProvision::default, |Body(body)| body);
    let command = RefundCommand {
        purchase: &purchase,
        fingerprint: call.fingerprint(&body)?,
        part: part(body.licences),
        description: body.description,
        key: key.as_str(),
    };
    let render = |refunded: &Provision| json::write(&ProvisionShape::of_refund(refunded));
    let refunded = app.store.refund(&command, &call.stamp(), call.now, &render).await?;
    Ok(answer::changed(refunded))
}

fn part(choices: Option<LicenceChoices>) -> Part {
    let Some(LicenceChoices(refids)) = choices else {
        return Part::Rest;
    };
    let parse = |text: &String| LicenceRefid::parse(text);
    let refids: Option<Vec<LicenceRefid>> = refids.iter().map(parse).collect();
    refids.map_or(Part::Unknown, Part::Licences)
}
