//! `transfer-credits`: moves credits from one wallet to another (rule B10).
//!
//! Invariant: an operator moves credits between any two wallets; a reseller moves only its own credits, and only to a
//! direct child, about whose wallet it learns nothing.

use purser_domain::basic::{Description, Reference, ResellerRefid};
use purser_domain::money::Amount;
use purser_domain::people::Role;
use purser_edge::caller::input::OwnReseller;
use purser_edge::prelude::*;
use purser_store::money::transfer::{Sender, TransferCommand};

use crate::ledger::view::EntryView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(transfer_credits))
}

/// A transfer of credits to another wallet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"to": "RS-7ZK3M9QWX2ABCDEF", "amount": 1000, "description": "Share of the campaign"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct TransferCredits {
    /// The reseller that receives the credits. A reseller can send credits only to its direct children.
    #[schema(value_type = ResellerRefid)]
    to: String,
    amount: Amount,
    /// Your own reference for the transfer. It is only stored: unlike a top-up's reference, it can be used more than
    /// once.
    reference: Option<Reference>,
    description: Option<Description>,
}

/// Transfer credits to another wallet
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/transfers", tag = "ledger", request_body = TransferCredits,
    params(
        ("refid" = ResellerRefid, Path),
        ("Idempotency-Key" = Key, Header, description = "A repeated request moves nothing and gets the first answer."),
    ),
    responses(
        (status = 201, body = EntryView),
        Refused<(
            InsufficientCredits, ResellerSuspended, ResellerPending, BalanceTooLarge, InvalidRecipient,
            ReferenceReserved,
        )>,
    )
)]
async fn transfer_credits(
    State(app): State<App>,
    Input(call, own, key, Body(body)): Input<Paying, OwnReseller, Key, Body<TransferCredits>>,
) -> Result<Response, Problem> {
    let to = match receiver(&own.0, &body.to) {
        Ok(to) => to,
        Err(problem) => return Err(own.missing_or(&app, problem).await),
    };
    let request = call.once(key, &body)?;
    let command = TransferCommand {
        sender: match call.caller.role {
            Role::Operator => Sender::Operator,
            Role::Reseller(_) | Role::Customer => Sender::Owner,
        },
        from: &own.0,
        to: &to,
        amount: body.amount,
        reference: body.reference.map(|reference| reference.canonical()),
        description: body.description,
    };
    Ok(answer::created(app.store.transfer_credits::<EntryView>(&command, &request).await?))
}

fn receiver(from: &ResellerRefid, named: &str) -> Result<ResellerRefid, Problem> {
    let to = ResellerRefid::parse(named).ok_or(Refusal::InvalidRecipient)?;
    if to == *from {
        return Err(Problem::invalid("/to", "must be another reseller"));
    }
    Ok(to)
}
