//! Clients, as the API shows them.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid, UserRefid};
use purser_domain::basic::text::{ClientId, Name, Phone};
use purser_domain::basic::time::Time;
use purser_domain::parties::client::{Client, ClientStatus};
use purser_domain::parties::metadata::Metadata;
use serde::Serialize;
use utoipa::ToSchema;

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView {
    refid: ClientRefid,
    client_id: ClientId,
    name: Name,
    email: EmailAddress,
    #[schema(required = true)]
    phone: Option<Phone>,
    status: ClientStatus,
    /// The reseller it belongs to; null when it is standalone.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The login it is bound to.
    #[schema(required = true)]
    user: Option<UserRefid>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        Self {
            refid: client.refid.clone(),
            client_id: client.client_id.clone(),
            name: client.name.clone(),
            email: client.email.clone(),
            phone: client.phone.clone(),
            status: client.status,
            reseller: client.reseller.clone(),
            user: client.user.clone(),
            metadata: client.metadata.clone(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            version: client.version,
        }
    }
}
