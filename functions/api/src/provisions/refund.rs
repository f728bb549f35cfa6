//! `refund-provision`: returns the credits of a purchase and revokes its licences (rule B10).
//!
//! Invariant: only operators refund, and no part of a purchase is refunded twice, whatever the idempotency key.

use std::collections::HashSet;

use purser_domain::basic::{Description, EntryRefid, LicenceRefid};
use purser_domain::money::refund::Part;
use purser_domain::money::{Entry, Quantity};
use purser_edge::prelude::*;
use purser_store::money::refund::RefundCommand;

use crate::provisions::view::{ProvisionView, RefundView};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(refund_provision))
}

/// The part of a provision to refund.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"licences": ["LI-7ZK3M9QWX2ABCDEF"], "description": "Ordered by mistake"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RefundProvision {
    /// 1 to 90 distinct licences of the provision to refund. If omitted, everything not refunded so far is refunded. A
    /// purchase without a product has no licences, and is always refunded as a whole.
    #[schema(value_type = Option<Vec<LicenceRefid>>, min_items = 1, max_items = 90)]
    licences: Option<LicenceChoices>,
    /// The description of the ledger entry.
    description: Option<Description>,
}

/// The refids of distinct licences: at least one, at most as many as one purchase can have.
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
            return Err("must not name a licence twice".to_owned());
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
        ("Idempotency-Key" = Key, Header, description = "A repeat refunds nothing and gets the first answer."),
    ),
    responses(
        (status = 200, body = ProvisionView),
        Refused<(Forbidden, AlreadyRefunded, BalanceTooLarge, AnswerErased)>,
    )
)]
async fn refund_provision(
    State(app): State<App>,
    Input(call, Found(purchase), key, body): Input<Operator<Paying>, Found<Entry>, Key, Option<Body<RefundProvision>>>,
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
