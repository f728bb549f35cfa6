//! The request bodies of purchases.
//!
//! Invariant: a request's fingerprint covers the serialised body, so its form never changes: the members, their
//! order, and a null for each member that is left out.

use purser_domain::basic::{Description, OneTo, ResellerRefid};
use purser_domain::licences::ProductReference;
use purser_domain::money::{Amount, MOST_CLIENTS, Quantity};
use purser_edge::http::json::MemberError;
use purser_edge::prelude::*;

use crate::clients::body::ClientChoice;

/// A purchase: either licences of a product, or a cost without a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = NewProvision)]
#[serde(untagged, try_from = "Members", into = "Members")]
pub(super) enum ProvisionBody {
    /// Debits credits for something other than licences.
    Cost(CostBody),
    /// Buys licences of a product.
    Product(ProductBody),
}

/// A cost without a product. No discount applies.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = ProvisionOfCost)]
#[schema(example = json!({"reseller": "RS-7ZK3M9QWX2ABCDEF", "cost": 20, "description": "Set-up by phone"}))]
#[serde(deny_unknown_fields)]
pub(super) struct CostBody {
    /// The reseller whose wallet pays. It defaults to the reseller of the API key; an operator must name one.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The number of credits to debit.
    pub(super) cost: Amount,
    /// The description of the ledger entry.
    description: Description,
}

/// Licences of one product for one client, at the price of the reseller's tier.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = ProvisionOfProduct)]
#[schema(example = json!({
    "reseller": "RS-7ZK3M9QWX2ABCDEF",
    "product": "PROD-001",
    "client": {"name": "Acme Corporation", "email": "billing@acme.example"}
}))]
#[serde(deny_unknown_fields)]
pub(super) struct ProductBody {
    /// The reseller whose wallet pays. It defaults to the reseller of the API key; an operator must name one.
    #[schema(value_type = Option<ResellerRefid>)]
    reseller: Option<String>,
    /// The reference of the product to buy.
    #[schema(value_type = ProductReference)]
    pub(super) product: String,
    /// The number of licences to buy; 1 if omitted.
    pub(super) quantity: Option<Quantity>,
    /// The client that the licences are for: a client of the reseller, or a new one.
    pub(super) client: ClientChoice,
    /// The description of the ledger entry.
    description: Option<Description>,
}

impl ProvisionBody {
    pub(super) fn reseller(&self) -> Option<&str> {
        match self {
            Self::Cost(body) => body.reseller.as_deref(),
            Self::Product(body) => body.reseller.as_deref(),
        }
    }

    /// How many addresses and external ids the body names.
    pub(super) fn named(&self) -> u32 {
        match self {
            Self::Cost(_) => 0,
            Self::Product(body) => body.client.named(),
        }
    }

    pub(super) fn description(&self) -> Option<&Description> {
        match self {
            Self::Cost(body) => Some(&body.description),
            Self::Product(body) => body.description.as_ref(),
        }
    }

    /// The body with its defaults filled in, so that a repeat that spells out a default counts as the same request.
    pub(super) fn resolved(&self, payer: &ResellerRefid) -> Self {
        let reseller = Some(payer.to_string());
        match self.clone() {
            Self::Cost(body) => Self::Cost(CostBody { reseller, ..body }),
            Self::Product(body) => {
                let quantity = Some(body.quantity.unwrap_or(Quantity::ONE));
                Self::Product(ProductBody { reseller, quantity, ..body })
            }
        }
    }
}

/// The members that either kind of purchase may have. They are deserialised individually, so that an error inside one
/// keeps its JSON pointer; which of them may be combined is checked afterwards.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Members {
    reseller: Option<String>,
    cost: Option<Amount>,
    product: Option<String>,
    quantity: Option<Quantity>,
    client: Option<ClientChoice>,
    description: Option<Description>,
}

impl TryFrom<Members> for ProvisionBody {
    type Error = MemberError;
    fn try_from(members: Members) -> Result<Self, MemberError> {
        let Members { reseller, cost, product, quantity, client, description } = members;
        let wrong = |member, detail| Err(MemberError { member, detail });
        let Some(cost) = cost else {
            return match (product, client) {
                (None, _) => wrong("product", "is required unless `cost` is given"),
                (Some(_), None) => wrong("client", "is required together with `product`"),
                (Some(product), Some(client)) => {
                    Ok(Self::Product(ProductBody { reseller, product, quantity, client, description }))
                }
            };
        };
        let only_with_product = "is only allowed together with `product`";
        match (product, client, quantity, description) {
            (Some(_), ..) => wrong("cost", "can't be combined with `product`"),
            (_, Some(_), ..) => wrong("client", only_with_product),
            (_, _, Some(_), _) => wrong("quantity", only_with_product),
            (.., None) => wrong("description", "is required together with `cost`"),
            (.., Some(description)) => Ok(Self::Cost(CostBody { reseller, cost, description })),
        }
    }
}

impl From<ProvisionBody> for Members {
    fn from(body: ProvisionBody) -> Self {
        match body {
            ProvisionBody::Cost(CostBody { reseller, cost, description }) => Self {
                reseller,
                cost: Some(cost),
                product: None,
                quantity: None,
                client: None,
                description: Some(description),
            },
            ProvisionBody::Product(ProductBody { reseller, product, quantity, client, description }) => {
                Self { reseller, cost: None, product: Some(product), quantity, client: Some(client), description }
            }
        }
    }
}

/// A purchase of one licence for each of several clients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "reseller": "RS-7ZK3M9QWX2ABCDEF",
    "product": "PROD-001",
    "clients": ["CL-7ZK3M9QWX2ABCDEF", {"name": "Acme Corporation", "email": "billing@acme.example"}]
}))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct BulkBody {
    /// The reseller whose wallet pays. It defaults to the reseller of the API key; an operator must name one.
    #[schema(value_type = Option<ResellerRefid>)]
    pub(super) reseller: Option<String>,
    /// The reference of the product to buy, at the price of the reseller's tier.
    #[schema(value_type = ProductReference)]
    pub(super) product: String,
    /// The clients that the licences are for: 1 to 32 clients of the reseller, new ones, or both.
    #[schema(value_type = Vec<ClientChoice>, min_items = 1, max_items = 32)]
    pub(super) clients: OneTo<MOST_CLIENTS, ClientChoice>,
    /// The description of the ledger entry.
    pub(super) description: Option<Description>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use purser_edge::http::json::read;
    use purser_edge::http::problem::FieldError;

    #[test]
    fn what_does_not_go_together_is_named_by_its_pointer() {
        for (body, pointer, detail) in [
            ("{}", "/product", "is required unless `cost` is given"),
            (r#"{"cost":null,"product":"P"}"#, "/client", "is required together with `product`"),
            (r#"{"cost":1,"product":"P","client":"C"}"#, "/cost", "can't be combined with `product`"),
            (r#"{"cost":1,"client":"C"}"#, "/client", "is only allowed together with `product`"),
            (r#"{"cost":1,"quantity":1}"#, "/quantity", "is only allowed together with `product`"),
            (r#"{"cost":1}"#, "/description", "is required together with `cost`"),
            (r#"{"cost":0}"#, "/cost", "must be a whole number from 1 to 1000000000000"),
            (r#"{"product":"P","x":1}"#, "/x", "is not a known field"),
        ] {
            let problem = read::<ProvisionBody>(body.as_bytes(), || serde_json::Value::Null).unwrap_err();
            let field = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
            assert_eq!(problem.errors(), [field], "{body}");
        }
        let bare = br#"{"product":"P","client":{}}"#;
        let problem = read::<ProvisionBody>(bare, || serde_json::Value::Null).unwrap_err();
        let missing: Vec<&str> = problem.errors().iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(missing, ["/client/name", "/client/email"]);
    }

    #[test]
    fn what_a_fingerprint_covers_stays() {
        let payer = ResellerRefid::parse("RS-7ZK3M9QWX2ABCDEF").unwrap();
        for (body, covered) in [
            (
                r#"{"description":"Set-up","cost":20}"#,
                r#""cost":20,"product":null,"quantity":null,"client":null,"description":"Set-up"}"#,
            ),
            (
                r#"{"client":"C","product":"P"}"#,
                r#""cost":null,"product":"P","quantity":1,"client":"C","description":null}"#,
            ),
        ] {
            let read: ProvisionBody = read(body.as_bytes(), || serde_json::Value::Null).unwrap();
            let covered = format!("{{\"reseller\":\"{payer}\",{covered}");
            assert_eq!(serde_json::to_string(&read.resolved(&payer)).unwrap(), covered);
        }
    }
}
