//! `provision`: credits become licences, in one commit (rules B5–B8).
//!
//! Invariant: whatever a command costs is decided by the wallet's tier at the moment of the commit; a repeat
//! answers the first answer byte for byte.

use crate::clients::body::{ClientBody, ClientChoice, ClientChoices};
use axum::extract::State;
use axum::response::Response;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::basic::text::Description;
use purser_domain::licences::product::ProductReference;
use purser_domain::money::credits::Amount;
use purser_domain::money::provision::Quantity;
use purser_domain::refusal::{Refusal, What};
use purser_edge::http::answer;
use purser_edge::http::extract::{Body, Key};
use purser_edge::http::problem::client_pointer;
use purser_edge::http::problem::refusals::{
    BalanceTooLarge, DuplicateClientId, DuplicateEmail, InsufficientCredits, InvalidReseller, MetadataTooLarge,
    NotFound, ProductInactive, ProvisioningHeld, Refused, ResellerPending, ResellerSuspended, SensitiveMetadata,
    TierNotAllowed, TooLarge,
};
use purser_edge::shapes::{
    AmountShape, BulkProvisionShape, ClientRefidShape, DescriptionShape, IdempotencyKeyShape, ProductReferenceShape,
    ProvisionShape, ResellerRefidShape,
};
use purser_edge::{App, Call, Input, Problem};
use purser_store::money::provision::{Buyer, Buyers, ProvisionCommand, Purchase, Units};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(provision)).routes(routes!(provision_bulk))
}

/// A purchase: either a bare `cost` with a `description`, or a `product` for a `client`. It is read as one type, so
/// that what is missing or too much is named by its pointer; the document shows the two types that it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ProvisionBody {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    reseller: Option<String>,
    /// Credits to debit for nothing but the description; no discount applies.
    cost: Option<Amount>,
    /// The product to buy, at the price of the reseller's tier.
    product: Option<String>,
    /// How many licences to mint, 1 unless given.
    quantity: Option<Quantity>,
    /// Whom the licences are for: a client of the reseller, or a new one.
    client: Option<ClientChoice>,
    /// What the entry says it is for; required with a bare cost.
    description: Option<Description>,
}

/// A purchase.
#[derive(ToSchema)]
#[schema(as = NewProvision)]
#[serde(untagged)]
#[expect(dead_code, reason = "it lends the document its form")]
enum ProvisionForm {
    /// Credits for nothing but a description.
    Cost(CostForm),
    /// Licences of a product.
    Product(ProductForm),
}

/// A bare cost, to which no discount applies.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProvisionOfCost)]
#[schema(example = json!({"reseller": "RS-7ZK3M9QWX2ABCDEF", "cost": 20, "description": "Set-up by phone"}))]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it lends the document its form")]
struct CostForm {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// Credits to debit.
    #[schema(value_type = AmountShape)]
    cost: u64,
    /// What the entry says it is for.
    #[schema(value_type = DescriptionShape)]
    description: String,
}

/// A product for a client, at the price of the reseller's tier.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProvisionOfProduct)]
#[schema(example = json!({
    "reseller": "RS-7ZK3M9QWX2ABCDEF",
    "product": "PROD-001",
    "client": {"name": "Acme Corporation", "email": "billing@acme.example"}
}))]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it lends the document its form")]
struct ProductForm {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The product to buy.
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    /// How many licences to mint, 1 unless given.
    #[schema(minimum = 1, maximum = 90)]
    quantity: Option<u32>,
    /// Whom the licences are for: a client of the reseller, or a new one.
    #[schema(value_type = ClientForm)]
    client: Value,
    /// What the entry says it is for.
    #[schema(value_type = Option<DescriptionShape>)]
    description: Option<String>,
}

/// A client: `"CL-…"`, or a new one.
#[derive(ToSchema)]
#[schema(as = ClientChoice)]
#[serde(untagged)]
#[expect(dead_code, reason = "it lends the document its form")]
enum ClientForm {
    /// A client of the reseller.
    Refid(ClientRefidShape),
    /// A client to create.
    New(ClientBody),
}

/// Provision: debit the wallet and mint what it pays for
#[utoipa::path(
    post, path = "/v1/provisions", tag = "provisions", request_body = ProvisionForm,
    params(("Idempotency-Key" = IdempotencyKeyShape, Header, description = "One key, one debit.")),
    responses(
        (status = 201, body = ProvisionShape),
        Refused<(
            InsufficientCredits, ProvisioningHeld, NotFound, ProductInactive, TierNotAllowed, ResellerSuspended,
            ResellerPending, DuplicateEmail, DuplicateClientId, BalanceTooLarge, InvalidReseller, SensitiveMetadata,
            MetadataTooLarge,
        )>,
    )
)]
async fn provision(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Call, (), Key, Body<ProvisionBody>>,
) -> Result<Response, Problem> {
    let reseller = payer(&call, body.reseller.as_deref())?;
    let request = call.once(key, &resolved(&body, &reseller))?;
    let command =
        ProvisionCommand { reseller: &reseller, description: body.description.clone(), purchase: purchase(body)? };
    Ok(answer::created(app.store.provision::<ProvisionShape>(&command, &request).await?))
}

/// A purchase of one licence for each of many clients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "reseller": "RS-7ZK3M9QWX2ABCDEF",
    "product": "PROD-001",
    "clients": ["CL-7ZK3M9QWX2ABCDEF", {"name": "Acme Corporation", "email": "billing@acme.example"}]
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct BulkBody {
    /// Whose wallet pays. A reseller's own key implies itself; an operator must name one.
    #[schema(value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The product to buy, at the price of the reseller's tier.
    #[schema(value_type = ProductReferenceShape)]
    product: String,
    /// Whom the licences are for: clients of the reseller and new ones, 1 to 32.
    #[schema(value_type = Vec<ClientForm>, min_items = 1, max_items = 32)]
    clients: ClientChoices,
    /// What the entry says it is for.
    #[schema(value_type = Option<DescriptionShape>)]
    description: Option<Description>,
}

/// Provision for many clients: one debit, one licence each, all or nothing
#[utoipa::path(
    post, path = "/v1/provisions/bulk", tag = "provisions", request_body = BulkBody,
    params(("Idempotency-Key" = IdempotencyKeyShape, Header, description = "One key, one debit.")),
    responses(
        (status = 201, body = BulkProvisionShape),
        Refused<(
            InsufficientCredits, ProvisioningHeld, NotFound, ProductInactive, TierNotAllowed, ResellerSuspended,
            ResellerPending, DuplicateEmail, DuplicateClientId, BalanceTooLarge, InvalidReseller, SensitiveMetadata,
            MetadataTooLarge, TooLarge,
        )>,
    )
)]
async fn provision_bulk(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Call, (), Key, Body<BulkBody>>,
) -> Result<Response, Problem> {
    let reseller = payer(&call, body.reseller.as_deref())?;
    let resolved = BulkBody { reseller: Some(reseller.to_string()), ..body.clone() };
    let request = call.once(key, &resolved)?;
    let command = ProvisionCommand {
        reseller: &reseller,
        purchase: Purchase::Product(Units {
            product: product(body.product)?,
            each: Quantity::ONE,
            buyers: Buyers::Many(buyers(body.clients)?),
        }),
        description: body.description,
    };
    Ok(answer::created(app.store.provision::<BulkProvisionShape>(&command, &request).await?))
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
    choices.map(|(place, choice)| buyer(choice, Some(place))).collect()
}

/// The body with what it leaves out, so that spelling out a default makes no difference to a repeat.
fn resolved(body: &ProvisionBody, reseller: &ResellerRefid) -> ProvisionBody {
    let one = body.product.is_some().then_some(Quantity::ONE);
    ProvisionBody { reseller: Some(reseller.to_string()), quantity: body.quantity.or(one), ..body.clone() }
}

fn purchase(body: ProvisionBody) -> Result<Purchase, Problem> {
    let only_with_product = |pointer, given: bool| {
        if given { Err(Problem::invalid(pointer, "goes with a product, not with a bare cost")) } else { Ok(()) }
    };
    match (body.cost, body.product) {
        (Some(_), Some(_)) => Err(Problem::invalid("/cost", "goes without a product")),
        (None, None) => Err(Problem::invalid("/product", "is required, unless there is a cost")),
        (Some(cost), None) => {
            only_with_product("/client", body.client.is_some())?;
            only_with_product("/quantity", body.quantity.is_some())?;
            if body.description.is_none() {
                return Err(Problem::invalid("/description", "is required with a bare cost"));
            }
            Ok(Purchase::Cost(cost))
        }
        (None, Some(named)) => {
            let client = body.client.ok_or_else(|| Problem::invalid("/client", "is required with a product"))?;
            Ok(Purchase::Product(Units {
                product: product(named)?,
                each: body.quantity.unwrap_or(Quantity::ONE),
                buyers: Buyers::One(buyer(client, None)?),
            }))
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
            let under = |problem: Problem| problem.under(&client_pointer(place));
            let new = body.into_new().map_err(under)?;
            Ok(Buyer::New(Box::new(new)))
        }
    }
}
