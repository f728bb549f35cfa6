//! Clients in the table.
//!
//! Items: `CL#refid`, listed by tenant, by kind and by status; `EC#address`, which keeps an address to one
//! client. Invariant: client and guard are written in one transaction, so an address or external id that is
//! taken is refused whatever races (rule A2). What stays of a deleted client is at its key, in no list of clients,
//! and read as none.

mod write;

pub use write::ClientCreation;
pub(crate) use write::{Bind, bound};

use std::collections::HashMap;

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::refid::{ClientRefid, ResellerRefid};
use purser_domain::basic::text::ClientId;
use purser_domain::basic::time::Time;
use purser_domain::parties::client::{Client, ClientStatus, DeletedClient};
use serde::{Deserialize, Serialize};

use crate::engine::item::{Item, Stamp, doc, item, metadata_of, put_metadata, text_of};
use crate::engine::keys::{Index, Key, by_time, shard, tenant};
use crate::engine::loaded::Loaded;
use crate::engine::page::{List, Page, shards};
use crate::engine::secrets::Secrets;
use crate::engine::table::{Consistency, Filter};
use crate::{Store, StoreError};

/// The kind of a client's item.
const KIND: &str = "client";
/// The kind of what stays of it.
pub(crate) const DELETED: &str = "deleted_client";

/// What keeps an address to one client.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct AddressGuard {
    client: ClientRefid,
    version: u64,
    created_at: Time,
}

/// The key of a client.
pub(crate) fn key(refid: &ClientRefid) -> Key {
    Key::alone("CL", refid)
}

fn address_key(email: &EmailAddress) -> Key {
    Key::alone("EC", email.folded())
}

/// Which clients a list shows.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter {
    /// Only this reseller's.
    pub reseller: Option<ResellerRefid>,
    /// Only in this status.
    pub status: Option<ClientStatus>,
    /// Only standalone (`false`) or resold (`true`) ones.
    pub resold: Option<bool>,
}

impl ClientFilter {
    /// Whether the list shows this client.
    pub fn shows(&self, client: &Client) -> bool {
        self.status.is_none_or(|status| client.status == status)
            && self.resold.is_none_or(|resold| client.reseller.is_some() == resold)
            && (self.reseller.is_none() || self.reseller == client.reseller)
    }
}

impl Store {
    /// The refid of the client with this external id: the same one always.
    pub fn client_refid(&self, client_id: &ClientId) -> ClientRefid {
        ClientRefid::new(&self.prefixes.client, self.secrets.bits("client", &[client_id.as_str()]))
    }

    /// A client, as of now.
    pub async fn client(&self, refid: &ClientRefid) -> Result<Option<Client>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.filter(is_client).map(|item| read(&item, &self.secrets)).transpose()
    }

    /// These clients, but for those that are not there.
    pub async fn clients_named(&self, refids: &[ClientRefid]) -> Result<HashMap<ClientRefid, Client>, StoreError> {
        let keys: Vec<Key> = refids.iter().map(key).collect();
        let found = self.table.get_all(&keys, Consistency::Eventual).await?;
        let clients = found.into_values().filter(is_client).map(|item| {
            let client = read(&item, &self.secrets)?;
            Ok((client.refid.clone(), client))
        });
        clients.collect()
    }

    /// The refid of the client with this address (rule A2).
    pub async fn client_by_email(&self, email: &EmailAddress) -> Result<Option<ClientRefid>, StoreError> {
        let item = self.table.get(&address_key(email), Consistency::Strong).await?;
        item.map(|item| doc::<AddressGuard>(&item).map(|guard| guard.client)).transpose()
    }

    /// A page of clients, newest first (rule A5).
    pub async fn clients(
        &self,
        filter: &ClientFilter,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Client>, StoreError> {
        let resold = filter.resold;
        let mut filters = Vec::new();
        let (index, partitions) = match (&filter.reseller, filter.status) {
            (Some(reseller), status) => {
                filters.extend(status.map(|status| Filter::Is("status", status.as_str().into())));
                (Index::Tenant, vec![format!("CL@{reseller}")])
            }
            (None, Some(status)) => (Index::Status, shards(&format!("CL!{}", status.as_str()))),
            (None, None) if resold == Some(false) => (Index::Tenant, shards("CL@-")),
            (None, None) => (Index::Kind, shards("CL")),
        };
        // A partition of standalone or of resold clients holds nothing else.
        let of_tenant = index == Index::Tenant && resold == Some(filter.reseller.is_some());
        filters.extend(
            resold.filter(|_| !of_tenant).map(
                |resold| {
                    if resold { Filter::Some("reseller") } else { Filter::Null("reseller") }
                },
            ),
        );
        let list = List { index, partitions, filters, ascending: false };
        self.page(&list, limit, position).await?.map(|item| read(&item, &self.secrets))
    }
}

/// The client of an item.
pub(crate) fn read(item: &Item, secrets: &Secrets) -> Result<Client, StoreError> {
    let mut client: Client = doc(item)?;
    client.metadata = metadata_of(item, secrets, &key(&client.refid).pk)?;
    Ok(client)
}

/// The client among what a command loaded.
pub(crate) fn read_loaded(
    loaded: &Loaded,
    refid: &ClientRefid,
    secrets: &Secrets,
) -> Result<Option<Client>, StoreError> {
    loaded.get(&key(refid)).filter(|item| is_client(item)).map(|item| read(item, secrets)).transpose()
}

fn is_client(item: &Item) -> bool {
    text_of(item, "kind") == Some(KIND)
}

fn entity(client: &Client, secrets: &Secrets, stamp: &Stamp) -> Result<Item, StoreError> {
    let key = key(&client.refid);
    let id = client.refid.as_str();
    let place = by_time(client.created_at, id);
    let mut item = item(&key, KIND, client, stamp)?;
    Index::Tenant.place(&mut item, format!("CL@{}", tenant(client.reseller.as_ref(), id)), place.clone());
    Index::Kind.place(&mut item, format!("CL#{}", shard(id)), place.clone());
    Index::Status.place(&mut item, format!("CL!{}#{}", client.status.as_str(), shard(id)), place);
    put_metadata(&mut item, secrets, &key.pk, &client.metadata)?;
    Ok(item)
}

/// What stays of a deleted client, listed apart, so that it can be counted again.
fn tombstone(client: &DeletedClient, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = client.refid.as_str();
    let mut item = item(&key(&client.refid), DELETED, client, stamp)?;
    Index::Kind.place(&mut item, format!("CD#{}", shard(id)), by_time(client.created_at, id));
    Ok(item)
}
