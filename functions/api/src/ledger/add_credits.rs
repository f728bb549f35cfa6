//! `add-credits`: top-ups (rules B4, B8).
//!
//! Invariant: only operators add credits; a repeat, by key or by reference, adds nothing.

use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::text::{Description, Reference};
use purser_domain::money::credits::Amount;
use purser_domain::money::entry::Entry;
use purser_edge::caller::call::ResellerCall;
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Key, MaybeBody, RequiredKey};
use purser_edge::http::json;
use purser_edge::shapes::{
    AmountShape, DescriptionShape, EntryShape, IdempotencyKeyShape, ReferenceShape, ResellerRefidShape,
};
use purser_edge::{App, Problem};
use purser_store::money::credits::TopUp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(add_credits))
}

/// Credits to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"amount": 1000, "reference": "INV-2026-001", "description": "First top-up"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct AddCredits {
    #[schema(value_type = AmountShape)]
    amount: Amount,
    /// Your name of the top-up: repeated with the same amount it adds nothing, with another one it is refused.
    #[schema(value_type = Option<ReferenceShape>)]
    reference: Option<Reference>,
    #[schema(value_type = Option<DescriptionShape>)]
    description: Option<Description>,
}

/// Add credits to a wallet
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/credits", tag = "ledger", request_body = AddCredits,
    params(
        ("refid" = ResellerRefidShape, Path),
        ("Idempotency-Key" = IdempotencyKeyShape, Header, description = "One key, one top-up."),
    ),
    responses(
        (status = 201, body = EntryShape),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`reference_reused`, `balance_too_large`"),
    )
)]
async fn add_credits(
    State(app): State<App>,
    call: Result<ResellerCall, Problem>,
    key: RequiredKey,
    body: MaybeBody<AddCredits>,
) -> Result<Response, Problem> {
    let call = call?;
    call.call.caller.must_operate()?;
    let (key, body) = match both(key, body) {
        Ok(both) => both,
        Err(problem) => return Err(call.refuse(&app, problem).await),
    };
    let top_up = TopUp {
        reseller: &call.reseller,
        amount: body.amount,
        reference: body.reference.clone(),
        description: body.description.clone(),
        key: key.as_str(),
        fingerprint: call.call.fingerprint(&body)?,
    };
    let render = |entry: &Entry| json::write(&EntryShape::from(entry));
    let added = app.store.add_credits(top_up, &call.call.stamp(), call.call.now, &render).await?;
    Ok(answer::created(added))
}

fn both(key: RequiredKey, body: MaybeBody<AddCredits>) -> Result<(Key, AddCredits), Problem> {
    let key = key?;
    let Body(body) = body?;
    Ok((key, body))
}
