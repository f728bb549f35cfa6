//! Clients, resellers and their keys.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::basic::time::Time;
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::Tier;
use purser_domain::parties::client::{Client, ClientStatus};
use purser_domain::parties::reseller::{Reseller, ResellerStatus};
use purser_domain::people::api_key::ApiKey;
use purser_domain::people::caller::Role;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    ApiKeyRefidShape, ClientIdShape, ClientRefidShape, CreditsShape, EmailShape, MetadataShape, NameShape, PhoneShape,
    ResellerRefidShape, UserRefidShape,
};

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientShape {
    #[schema(value_type = ClientRefidShape)]
    refid: String,
    #[schema(value_type = ClientIdShape)]
    client_id: String,
    #[schema(value_type = NameShape)]
    name: String,
    #[schema(value_type = EmailShape)]
    email: String,
    #[schema(required = true, value_type = Option<PhoneShape>)]
    phone: Option<String>,
    #[schema(value_type = ClientStatusShape)]
    status: ClientStatus,
    /// The reseller it belongs to; null when it is standalone.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    /// The login it is bound to.
    #[schema(required = true, value_type = Option<UserRefidShape>)]
    user: Option<String>,
    #[schema(value_type = MetadataShape)]
    metadata: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

/// Where a client stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientStatus, rename_all = "lowercase")]
pub enum ClientStatusShape {
    Pending,
    Active,
    Suspended,
    Inactive,
}

/// Where a reseller stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResellerStatus, rename_all = "lowercase")]
pub enum ResellerStatusShape {
    Pending,
    Active,
    Suspended,
}

/// A reseller's level.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tier, rename_all = "lowercase")]
pub enum TierShape {
    Standard,
    Gold,
    Platinum,
}

impl From<&Client> for ClientShape {
    fn from(client: &Client) -> Self {
        Self {
            refid: client.refid.to_string(),
            client_id: client.client_id.to_string(),
            name: client.name.to_string(),
            email: client.email.to_string(),
            phone: client.phone.as_ref().map(ToString::to_string),
            status: client.status,
            reseller: client.reseller.as_ref().map(ToString::to_string),
            user: client.user.as_ref().map(ToString::to_string),
            metadata: client.metadata.as_object().clone(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            version: client.version,
        }
    }
}

/// A reseller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reseller)]
pub struct ResellerShape {
    #[schema(value_type = ResellerRefidShape)]
    refid: String,
    /// The login it was onboarded with.
    #[schema(value_type = UserRefidShape)]
    user: String,
    #[schema(value_type = NameShape)]
    company_name: String,
    #[schema(value_type = EmailShape)]
    email: String,
    #[schema(value_type = TierShape)]
    tier: Tier,
    #[schema(value_type = ResellerStatusShape)]
    status: ResellerStatus,
    hold_provisioning: bool,
    #[schema(value_type = CreditsShape)]
    low_credit_threshold: Credits,
    /// The reseller above it.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    parent: Option<String>,
    #[schema(value_type = MetadataShape)]
    metadata: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: u64,
}

impl From<&Reseller> for ResellerShape {
    fn from(reseller: &Reseller) -> Self {
        Self {
            refid: reseller.refid.to_string(),
            user: reseller.user.to_string(),
            company_name: reseller.company_name.to_string(),
            email: reseller.email.to_string(),
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            parent: reseller.parent.as_ref().map(ToString::to_string),
            metadata: reseller.metadata.as_object().clone(),
            created_at: reseller.created_at,
            updated_at: reseller.updated_at,
            version: reseller.version,
        }
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyShape {
    #[schema(value_type = ApiKeyRefidShape)]
    refid: String,
    #[schema(value_type = NameShape)]
    name: String,
    /// The reseller it acts for; null for an operator's.
    #[schema(required = true, value_type = Option<ResellerRefidShape>)]
    reseller: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<&ApiKey> for ApiKeyShape {
    fn from(key: &ApiKey) -> Self {
        Self {
            refid: key.refid.to_string(),
            name: key.name.to_string(),
            reseller: match &key.role {
                Role::Operator | Role::Customer => None,
                Role::Reseller(reseller) => Some(reseller.to_string()),
            },
            created_at: key.created_at,
        }
    }
}
