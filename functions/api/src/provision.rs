//! `provision`: credits become licences, in one commit (SPEC B5–B8).
//!
//! Invariant: whatever a command costs is decided by the wallet's tier at the moment of the commit; a repeat
//! answers the first answer byte for byte.

use axum::extract::State;
use axum::response::Response;
use purser_domain::credits::Amount;
use purser_domain::product::ProductReference;
use purser_domain::provision::Quantity;
use purser_domain::refid::{ClientRefid, ResellerRefid};
use purser_domain::refusal::{Refusal, What};
use purser_domain::text::Description;
use purser_edge::client_body::{ClientChoice, ClientChoices};
use purser_edge::extract::{Body, MaybeBody, RequiredKey};
use purser_edge::shapes::{BulkProvisionShape, ProductReferenceShape, ProvisionShape, RefidShape};
use purser_edge::{App, Call, Problem, answer, json};
use purser_store::client::Bind;
use purser_store::provision::{Buyer, Buyers, Provision, ProvisionCommand, Purchase};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(provision))
        .routes(routes!(provision_bulk))
}

/// A purchase: either a bare `cost` with a `description`, or a `product` for a `client`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ProvisionBody {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    #[schema(value_type = Option<RefidShape>)]
    reseller: Option<String>,
    /// Credits to debit for nothing but the description; no discount applies.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    cost: Option<Amount>,
    /// The product to buy, at the price of the reseller's tier.
    #[schema(value_type = Option<ProductReferenceShape>)]
    product: Option<String>,
    /// How many licences to mint, 1 unless given.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 90)]
    quantity: Option<Quantity>,
    /// Whom the licences are for: a client of the reseller, or a new one.
    client: Option<ClientChoice>,
    /// What the entry says it is for; required with a bare cost.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    description: Option<Description>,
}

/// Provision: debit the wallet and mint what it pays for
#[utoipa::path(
    post, path = "/v1/provisions", tag = "provisions", request_body = ProvisionBody,
    params(("Idempotency-Key" = String, Header, description = "One key, one debit.")),
    responses((status = 201, body = ProvisionShape))
)]
async fn provision(
    State(app): State<App>,
    call: Call,
    key: RequiredKey,
    body: MaybeBody<ProvisionBody>,
) -> Result<Response, Problem> {
    let key = key?;
    let Body(body) = body?;
    let reseller = payer(&call, body.reseller.as_deref())?;
    let fingerprint = call.fingerprint(&resolved(&body, &reseller))?;
    let command = ProvisionCommand {
        reseller: &reseller,
        description: body.description.clone(),
        purchase: purchase(body)?,
        discounts: app.config.discounts,
        status: app.config.client_status,
        bind: app.config.auto_bind(),
        key: key.as_str(),
        fingerprint,
    };
    let render = |made: &Provision| json::write(&ProvisionShape::from(made));
    let made = app
        .store
        .provision(&command, &call.stamp(), call.now, &render)
        .await?;
    Ok(answer::created(made))
}

/// A purchase of one licence for each of many clients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct BulkBody {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    #[schema(value_type = Option<RefidShape>)]
    reseller: Option<String>,
    /// The product to buy, at the price of the reseller's tier.
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    /// Whom the licences are for: clients of the reseller and new ones, 1 to 32.
    #[schema(value_type = Vec<ClientChoice>, min_items = 1, max_items = 32)]
    clients: ClientChoices,
    /// What the entry says it is for.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    description: Option<Description>,
}

/// Provision for many clients: one debit, one licence each, all or nothing
#[utoipa::path(
    post, path = "/v1/provisions/bulk", tag = "provisions", request_body = BulkBody,
    params(("Idempotency-Key" = String, Header, description = "One key, one debit.")),
    responses((status = 201, body = BulkProvisionShape))
)]
async fn provision_bulk(
    State(app): State<App>,
    call: Call,
    key: RequiredKey,
    body: MaybeBody<BulkBody>,
) -> Result<Response, Problem> {
    let key = key?;
    let Body(body) = body?;
    let reseller = payer(&call, body.reseller.as_deref())?;
    let resolved = BulkBody {
        reseller: Some(reseller.to_string()),
        ..body.clone()
    };
    let command = ProvisionCommand {
        reseller: &reseller,
        fingerprint: call.fingerprint(&resolved)?,
        purchase: Purchase::Product {
            product: product(body.product)?,
            each: Quantity::ONE,
            buyers: Buyers::Many(buyers(body.clients)?),
        },
        description: body.description,
        discounts: app.config.discounts,
        status: app.config.client_status,
        // A commit has no room for the logins of so many clients: `bind-client` binds them a moment later.
        bind: Bind::No,
        key: key.as_str(),
    };
    let render = |made: &Provision| json::write(&BulkProvisionShape::from(made));
    let made = app
        .store
        .provision(&command, &call.stamp(), call.now, &render)
        .await?;
    Ok(answer::created(made))
}

/// The reseller whose wallet pays.
fn payer(call: &Call, named: Option<&str>) -> Result<ResellerRefid, Problem> {
    let named = call.reseller(named)?;
    named.ok_or_else(|| Problem::invalid("/reseller", "is required of an operator"))
}

fn product(text: String) -> Result<ProductReference, Problem> {
    ProductReference::try_from(text).map_err(|_| Refusal::NotFound(What::Product).into())
}

fn buyers(choices: ClientChoices) -> Result<Vec<Buyer>, Problem> {
    let choices = choices.into_inner().into_iter().enumerate();
    choices
        .map(|(place, choice)| buyer(choice, Some(place)))
        .collect()
}

/// The body with what it leaves out, so that spelling out a default makes no difference to a repeat.
fn resolved(body: &ProvisionBody, reseller: &ResellerRefid) -> ProvisionBody {
    let one = body.product.is_some().then_some(Quantity::ONE);
    ProvisionBody {
        reseller: Some(reseller.to_string()),
        quantity: body.quantity.or(one),
        ..body.clone()
    }
}

fn purchase(body: ProvisionBody) -> Result<Purchase, Problem> {
    let only_with_product = |pointer, given: bool| {
        if given {
            Err(Problem::invalid(
                pointer,
                "goes with a product, not with a bare cost",
            ))
        } else {
            Ok(())
        }
    };
    match (body.cost, body.product) {
        (Some(_), Some(_)) => Err(Problem::invalid("/cost", "goes without a product")),
        (None, None) => Err(Problem::invalid(
            "/product",
            "is required, unless there is a cost",
        )),
        (Some(cost), None) => {
            only_with_product("/client", body.client.is_some())?;
            only_with_product("/quantity", body.quantity.is_some())?;
            if body.description.is_none() {
                return Err(Problem::invalid(
                    "/description",
                    "is required with a bare cost",
                ));
            }
            Ok(Purchase::Cost(cost))
        }
        (None, Some(named)) => {
            let client = body
                .client
                .ok_or_else(|| Problem::invalid("/client", "is required with a product"))?;
            Ok(Purchase::Product {
                product: product(named)?,
                each: body.quantity.unwrap_or(Quantity::ONE),
                buyers: Buyers::One(buyer(client, None)?),
            })
        }
    }
}

/// The buyer a body names, at its place in a list when there is a list.
fn buyer(choice: ClientChoice, place: Option<usize>) -> Result<Buyer, Problem> {
    match choice {
        ClientChoice::Refid(text) => {
            let unknown = || Refusal::NotFound(What::Client).for_client(place);
            let refid = ClientRefid::parse(&text).ok_or_else(unknown)?;
            Ok(Buyer::Existing(refid))
        }
        ClientChoice::New(body) => {
            let at = place.map_or("/client".to_owned(), |place| format!("/clients/{place}"));
            let new = body.into_new().map_err(|problem| problem.under(&at))?;
            Ok(Buyer::New(Box::new(new)))
        }
    }
}
