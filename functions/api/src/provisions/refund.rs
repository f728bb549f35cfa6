//! `refund-provision`: credits of a purchase return, and its licences are revoked (rule B10).
//!
//! Invariant: only operators refund; what has been refunded of a purchase is not refunded again, under any key.

use crate::provisions::view::ProvisionView;
use crate::provisions::view::RefundView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::refid::EntryRefid;
use purser_domain::basic::refid::LicenceRefid;
use purser_domain::basic::text::Description;
use purser_domain::money::entry::Entry;
use purser_domain::money::provision::Quantity;
use purser_domain::money::refund::Part;
use purser_edge::caller::input::{Found, Operator};
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Key};
use purser_edge::http::problem::refusals::{AlreadyRefunded, BalanceTooLarge, Forbidden, Refused};
use purser_edge::{App, Input, Problem};
use purser_store::money::refund::RefundCommand;
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
    #[schema(value_type = Option<Vec<LicenceRefid>>, min_items = 1, max_items = 90)]
    licences: Option<LicenceChoices>,
    /// What the entry says it is for.
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
        ("refid" = EntryRefid, Path),
        ("Idempotency-Key" = Key, Header, description = "One key, one refund."),
    ),
    responses((status = 200, body = ProvisionView), Refused<(Forbidden, AlreadyRefunded, BalanceTooLarge)>)
)]
async fn refund_provision(
    State(app): State<App>,
    Input(call, Found(purchase), key, body): Input<Operator, Found<Entry>, Key, Option<Body<RefundProvision>>>,
) -> Result<Response, Problem> {
    let body = body.map_or_else(RefundProvision::default, |Body(body)| body);
    let request = call.once(key, &body)?;
    let command = RefundCommand { purchase: &purchase, part: part(body.licences), description: body.description };
    Ok(answer::changed(app.store.refund::<RefundView>(&command, &request).await?))
}

fn part(choices: Option<LicenceChoices>) -> Part {
    let Some(LicenceChoices(refids)) = choices else {
        return Part::Rest;
    };
    let parse = |text: &String| LicenceRefid::parse(text);
    let refids: Option<Vec<LicenceRefid>> = refids.iter().map(parse).collect();
    refids.map_or(Part::Unknown, Part::Licences)
}
