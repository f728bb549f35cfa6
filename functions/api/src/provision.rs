//! `provision`: credits become licences, in one commit (SPEC B5, B6, B8).
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
use purser_edge::client_body::{ClientBody, ClientChoice};
use purser_edge::extract::{Body, MaybeBody, RequiredKey};
use purser_edge::shapes::{
    AmountShape, ClientRefidShape, DescriptionShape, IdempotencyKeyShape, ProductReferenceShape,
    ProvisionShape, ResellerRefidShape,
};
use purser_edge::{App, Call, Problem, answer, json};
use purser_store::StoreError;
use purser_store::provision::{Buyer, Provision, ProvisionCommand, Purchase};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(provision))
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
        (status = 402, description = "`insufficient_credits`"),
        (status = 403, description = "`provisioning_held`"),
        (status = 404, description = "`not_found`"),
        (
            status = 409,
            description = "`product_inactive`, `tier_not_allowed`, `reseller_suspended`, `reseller_pending`, \
                `duplicate_email`, `duplicate_client_id`, `balance_too_large`"
        ),
        (status = 422, description = "`invalid_reseller`, `sensitive_metadata`, `metadata_too_large`"),
    )
)]
async fn provision(
    State(app): State<App>,
    call: Call,
    key: RequiredKey,
    body: MaybeBody<ProvisionBody>,
) -> Result<Response, Problem> {
    let key = key?;
    let Body(body) = body?;
    let named = call.reseller(body.reseller.as_deref())?;
    let reseller =
        named.ok_or_else(|| Problem::invalid("/reseller", "is required of an operator"))?;
    let fingerprint = call.fingerprint(&resolved(&body, &reseller))?;
    let description = body.description.clone();
    let command = ProvisionCommand {
        reseller: &reseller,
        purchase: purchase(&app, body)?,
        description,
        discounts: app.config.discounts,
        key: key.as_str(),
        fingerprint,
    };
    let render = |made: &Provision| json::write(&ProvisionShape::from(made));
    let made = app
        .store
        .provision(&command, &call.stamp(), call.now, &render)
        .await
        .map_err(refused)?;
    Ok(answer::created(made))
}

/// What is taken is something of the new client.
fn refused(error: StoreError) -> Problem {
    let of_client = matches!(
        error,
        StoreError::Refused(Refusal::DuplicateEmail | Refusal::DuplicateClientId)
    );
    let problem = Problem::from(error);
    if of_client {
        problem.under("/client")
    } else {
        problem
    }
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

fn purchase(app: &App, body: ProvisionBody) -> Result<Purchase, Problem> {
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
        (None, Some(product)) => {
            let client = body
                .client
                .ok_or_else(|| Problem::invalid("/client", "is required with a product"))?;
            let product = ProductReference::try_from(product)
                .map_err(|_| Refusal::NotFound(What::Product))?;
            let quantity = body.quantity.unwrap_or(Quantity::ONE);
            Ok(Purchase::Product {
                product,
                quantity,
                buyer: buyer(app, client)?,
            })
        }
    }
}

fn buyer(app: &App, client: ClientChoice) -> Result<Buyer, Problem> {
    match client {
        ClientChoice::Refid(text) => Ok(Buyer::Existing(
            ClientRefid::parse(&text).ok_or(Refusal::NotFound(What::Client))?,
        )),
        ClientChoice::New(body) => Ok(Buyer::New(
            Box::new(
                body.into_new()
                    .map_err(|problem| problem.under("/client"))?,
            ),
            app.config.client_status,
        )),
    }
}
