//! `provision`: buys licences with credits, in one commit (rules B5–B8).
//!
//! Invariant: the price follows from the wallet's tier at the moment of the commit, and a repeat gets the first
//! response byte for byte.

use purser_domain::basic::{ClientRefid, OneTo, ResellerRefid};
use purser_domain::licences::ProductReference;
use purser_domain::money::{MOST_CLIENTS, Quantity};
use purser_edge::http::problem::client_pointer;
use purser_edge::prelude::*;
use purser_store::money::provision::{Buyer, Buyers, ProvisionCommand, Purchase, Units};

use crate::clients::body::ClientChoice;
use crate::clients::view::seen_by;
use crate::provisions::body::{BulkBody, ProvisionBody};
use crate::provisions::view::{BulkProvisionView, ProvisionView};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(provision)).routes(routes!(provision_bulk))
}

/// Provision: debit the wallet and create the licences that it pays for
#[utoipa::path(
    post, path = "/v1/provisions", tag = "provisions", request_body = ProvisionBody,
    params(
        ("Idempotency-Key" = Key, Header, description = "A repeated request debits nothing and gets the first answer."),
    ),
    responses(
        (status = 201, body = ProvisionView),
        Refused<(
            InsufficientCredits, ProvisioningHeld, NotFound, ProductInactive, TierNotAllowed, ResellerSuspended,
            ResellerPending, DuplicateEmail, DuplicateClientId, BalanceTooLarge, InvalidReseller, SensitiveMetadata,
            MetadataTooLarge, TooManyAttempts, AnswerErased,
        )>,
    )
)]
async fn provision(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Selling, (), Key, Body<ProvisionBody>>,
) -> Result<Response, Problem> {
    let reseller = payer(&call, body.reseller())?;
    let asker = call.asker(body.named());
    let (key, purchase) = key.judged(|| purchase(body.clone()))?;
    let request = call.once(key, &body.resolved(&reseller))?;
    let description = body.description().cloned();
    let command = ProvisionCommand { reseller: &reseller, description, purchase, asker: asker.as_ref() };
    let made = seen_by!(call, ProvisionView as Seen => app.store.provision::<Seen>(&command, &request).await);
    Ok(answer::created(call.told(&app, asker.as_ref(), made).await?))
}

/// Provision for several clients: one debit, one licence for each, all or nothing
#[utoipa::path(
    post, path = "/v1/provisions/bulk", tag = "provisions", request_body = BulkBody,
    params(
        ("Idempotency-Key" = Key, Header, description = "A repeated request debits nothing and gets the first answer."),
    ),
    responses(
        (status = 201, body = BulkProvisionView),
        Refused<(
            InsufficientCredits, ProvisioningHeld, NotFound, ProductInactive, TierNotAllowed, ResellerSuspended,
            ResellerPending, DuplicateEmail, DuplicateClientId, BalanceTooLarge, InvalidReseller, SensitiveMetadata,
            MetadataTooLarge, TooLarge, TooManyAttempts, AnswerErased,
        )>,
    )
)]
async fn provision_bulk(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Selling, (), Key, Body<BulkBody>>,
) -> Result<Response, Problem> {
    let reseller = payer(&call, body.reseller.as_deref())?;
    let resolved = BulkBody { reseller: Some(reseller.to_string()), ..body.clone() };
    let asker = call.asker((&body.clients).into_iter().map(ClientChoice::named).sum());
    let (key, buyers) = key.judged(|| buyers(body.clients.clone()))?;
    let request = call.once(key, &resolved)?;
    let command = ProvisionCommand {
        reseller: &reseller,
        purchase: Purchase::Product(Units {
            product: product(body.product)?,
            each: Quantity::ONE,
            buyers: Buyers::Many(buyers),
        }),
        description: body.description,
        asker: asker.as_ref(),
    };
    let made = seen_by!(call, BulkProvisionView as Seen => app.store.provision::<Seen>(&command, &request).await);
    Ok(answer::created(call.told(&app, asker.as_ref(), made).await?))
}

fn payer(call: &Call, named: Option<&str>) -> Result<ResellerRefid, Problem> {
    let named = call.reseller(named)?;
    named.ok_or_else(|| Problem::invalid("/reseller", "is required when an operator calls"))
}

fn product(text: String) -> Result<ProductReference, Problem> {
    ProductReference::try_from(text).map_err(|_| Refusal::NotFound(ResourceKind::Product).into())
}

fn buyers(choices: OneTo<MOST_CLIENTS, ClientChoice>) -> Result<Vec<Buyer>, Problem> {
    let choices = choices.into_iter().enumerate();
    choices.map(|(place, choice)| buyer(choice, Some(place))).collect()
}

fn purchase(body: ProvisionBody) -> Result<Purchase, Problem> {
    Ok(match body {
        ProvisionBody::Cost(body) => Purchase::Cost(body.cost),
        ProvisionBody::Product(body) => Purchase::Product(Units {
            product: product(body.product)?,
            each: body.quantity.unwrap_or(Quantity::ONE),
            buyers: Buyers::One(buyer(body.client, None)?),
        }),
    })
}

/// Resolves the client that a body names. `place` is its index in the list of a bulk purchase; errors point to it.
fn buyer(choice: ClientChoice, place: Option<usize>) -> Result<Buyer, Problem> {
    match choice {
        ClientChoice::Refid(text) => {
            let unknown = || Refusal::NotFound(ResourceKind::Client).for_client(place);
            let refid = ClientRefid::parse(&text).ok_or_else(unknown)?;
            Ok(Buyer::Existing(refid))
        }
        ClientChoice::New(body) => {
            let under = |problem: Problem| problem.under(&client_pointer(place));
            let new = body.into_new().map_err(under)?;
            Ok(Buyer::New(Box::new(new)))
        }
    }
}
