//! `transfer-credits`: credits from one wallet to another (rule B10).
//!
//! Invariant: an operator moves credits between any two wallets; a reseller only its own, and only to a reseller right
//! below it, of whose wallet it learns nothing.

use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::text::{Description, Reference};
use purser_domain::money::credits::Amount;
use purser_domain::money::entry::Entry;
use purser_domain::people::caller::Role;
use purser_domain::refusal::Refusal;
use purser_edge::caller::call::ResellerCall;
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Key, MaybeBody, RequiredKey};
use purser_edge::http::json;
use purser_edge::shapes::{
    AmountShape, DescriptionShape, EntryShape, IdempotencyKeyShape, ReferenceShape, ResellerRefidShape,
};
use purser_edge::{App, Problem};
use purser_store::money::transfer::{Sender, TransferCommand};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(transfer_credits))
}

/// Credits to move.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"to": "RS-7ZK3M9QWX2ABCDEF", "amount": 1000, "description": "Share of the campaign"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct TransferCredits {
    /// The reseller that gets them; from a reseller's own key, one right below it.
    #[schema(value_type = ResellerRefidShape)]
    to: String,
    #[schema(value_type = AmountShape)]
    amount: Amount,
    /// Your name of the transfer, for information: unlike a top-up's it may be used again.
    #[schema(value_type = Option<ReferenceShape>)]
    reference: Option<Reference>,
    #[schema(value_type = Option<DescriptionShape>)]
    description: Option<Description>,
}

/// Transfer credits to another wallet
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/transfers", tag = "ledger", request_body = TransferCredits,
    params(
        ("refid" = ResellerRefidShape, Path),
        ("Idempotency-Key" = IdempotencyKeyShape, Header, description = "One key, one transfer."),
    ),
    responses(
        (status = 201, body = EntryShape),
        (status = 402, description = "`insufficient_credits`"),
        (status = 409, description = "`reseller_suspended`, `reseller_pending`, `balance_too_large`"),
        (status = 422, description = "`invalid_reseller`"),
    )
)]
async fn transfer_credits(
    State(app): State<App>,
    call: Result<ResellerCall, Problem>,
    key: RequiredKey,
    body: MaybeBody<TransferCredits>,
) -> Result<Response, Problem> {
    let call = call?;
    let (key, body, to) = match read(&call.reseller, key, body) {
        Ok(read) => read,
        Err(problem) => return Err(call.refuse(&app, problem).await),
    };
    let command = TransferCommand {
        sender: match call.call.caller.role {
            Role::Operator => Sender::Operator,
            Role::Reseller(_) | Role::Customer => Sender::Owner,
        },
        from: &call.reseller,
        to: &to,
        amount: body.amount,
        fingerprint: call.call.fingerprint(&body)?,
        reference: body.reference,
        description: body.description,
        key: key.as_str(),
    };
    let render = |entry: &Entry| json::write(&EntryShape::from(entry));
    let sent = app.store.transfer_credits(&command, &call.call.stamp(), call.call.now, &render).await?;
    Ok(answer::created(sent))
}

fn read(
    from: &ResellerRefid,
    key: RequiredKey,
    body: MaybeBody<TransferCredits>,
) -> Result<(Key, TransferCredits, ResellerRefid), Problem> {
    let key = key?;
    let Body(body) = body?;
    let to = ResellerRefid::parse(&body.to).ok_or(Refusal::InvalidRecipient)?;
    if to == *from {
        return Err(Problem::invalid("/to", "must be another reseller"));
    }
    Ok((key, body, to))
}
