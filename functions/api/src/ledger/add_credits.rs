//! `add-credits`: tops up a wallet (rules B4, B8).
//!
//! Invariant: only operators add credits, and a repeat with the same idempotency key or reference adds nothing.

use purser_domain::basic::{Description, Reference, ResellerRefid};
use purser_domain::money::Amount;
use purser_edge::caller::input::{Operated, OwnReseller};
use purser_edge::prelude::*;
use purser_store::money::credits::TopUp;

use crate::ledger::view::EntryView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(add_credits))
}

/// A top-up of a wallet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"amount": 1000, "reference": "INV-2026-001", "description": "First top-up"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct AddCredits {
    amount: Amount,
    /// Your own reference for the top-up. White space around it is dropped. A repeat with the same amount adds nothing;
    /// one with another amount is refused. References that begin with `reward:`, `opening:` or `invoice:` are Purser's
    /// own.
    reference: Option<Reference>,
    description: Option<Description>,
}

/// Add credits to a wallet
#[utoipa::path(
    post, path = "/v1/resellers/{refid}/credits", tag = "ledger", request_body = AddCredits,
    params(
        ("refid" = ResellerRefid, Path),
        ("Idempotency-Key" = Key, Header, description = "A repeated request adds nothing and gets the first answer."),
    ),
    responses(
        (status = 201, body = EntryView),
        Refused<(Forbidden, ReferenceReused, ReferenceReserved, BalanceTooLarge)>,
    )
)]
async fn add_credits(
    State(app): State<App>,
    Input(call, Operated(own), key, Body(body)): Input<Paying, Operated<OwnReseller>, Key, Body<AddCredits>>,
) -> Result<Response, Problem> {
    let request = call.once(key, &body)?;
    let top_up =
        TopUp { reseller: &own.0, amount: body.amount, reference: body.reference, description: body.description };
    Ok(answer::created(app.store.add_credits::<EntryView>(&top_up, &request).await?))
}
