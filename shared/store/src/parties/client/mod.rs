//! Clients in the table.
//!
//! Items: `CL#refid`, listed by tenant, by kind and by status; and the guard `EC#address`, which reserves an address
//! for one client. Invariant: client and guard are written in one transaction, so a create whose address or external
//! id is taken is refused, whatever happens concurrently (rule A2). A deleted client leaves a tombstone at its key,
//! which is in no list of clients and is read as if there were no client.

mod write;

pub use write::ClientCreation;
pub(crate) use write::{Bind, bound};

use std::collections::HashMap;

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, ResellerRefid, Time};
use purser_domain::parties::search::found_by;
use purser_domain::parties::{Client, ClientStatus, DeletedClient, NewClient, Search};
use serde::{Deserialize, Serialize};

use crate::engine::item::{doc, item, metadata_of, put_metadata, text_of};
use crate::engine::keys::{by_time, shard, tenant};
use crate::engine::page::shards;
use crate::engine::{Consistency, Created, Filter, Index, Item, Key, List, Loaded, Page, Paging, Secrets, Stamp};
use crate::parties::search::{Party, among_clients};
use crate::{Store, StoreError};

pub(super) const KIND: &str = "client";
pub(crate) const DELETED: &str = "deleted_client";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AddressGuard {
    client: ClientRefid,
    version: u64,
    created_at: Time,
}

pub(crate) fn key(refid: &ClientRefid) -> Key {
    Key::alone("CL", refid)
}

pub(crate) fn address_key(email: &EmailAddress) -> Key {
    Key::alone("EC", email.folded())
}

/// Which clients a list shows. Every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter {
    pub reseller: Option<ResellerRefid>,
    pub status: Option<ClientStatus>,
    /// Only clients of resellers (`true`), or only standalone clients (`false`).
    pub resold: Option<bool>,
    pub created: Created,
    pub search: Option<Search>,
}

impl ClientFilter {
    pub fn shows(&self, client: &Client) -> bool {
        self.status.is_none_or(|status| client.status == status)
            && self.resold.is_none_or(|resold| client.reseller.is_some() == resold)
            && (self.reseller.is_none() || self.reseller == client.reseller)
            && self.created.holds(client.created_at)
            && self.search.as_ref().is_none_or(|search| search.finds(&client.name, &client.email))
    }
}

impl Store {
    /// The refid of the client with this external id. It depends on the id alone.
    pub fn client_refid(&self, client_id: &ClientId) -> Result<ClientRefid, StoreError> {
        Ok(ClientRefid::new(&self.prefixes.client, self.secrets.bits("client", &[client_id.as_str()])?))
    }

    /// Where a client with the id of `new` may be stored under another spelling, from before there was one.
    pub(crate) fn older_keys(&self, new: &NewClient) -> Result<Vec<Key>, StoreError> {
        new.older_ids.iter().map(|id| Ok(key(&self.client_refid(id)?))).collect()
    }

    /// Where a client with this external id may be, in whichever spelling it is stored; the one spelling comes first.
    pub(crate) fn client_keys(&self, client_id: &ClientId) -> Result<Vec<Key>, StoreError> {
        let mut spellings = client_id.older_spellings();
        spellings.insert(0, client_id.canonical());
        spellings.iter().map(|id| Ok(key(&self.client_refid(id)?))).collect()
    }

    /// The client with this external id, in whichever spelling it is stored, if it belongs to `owner`, where one is
    /// given; one strongly consistent batch read.
    pub async fn client_by_id(
        &self,
        client_id: &ClientId,
        owner: Option<&ResellerRefid>,
    ) -> Result<Option<Client>, StoreError> {
        let keys = self.client_keys(client_id)?;
        let mut found = self.table.get_all(&keys, Consistency::Strong).await?;
        let found = keys.iter().find_map(|key| found.remove(key).filter(is_client));
        found.filter(|item| belongs(item, owner)).map(|item| read(&item, &self.secrets)).transpose()
    }

    /// A client, read strongly consistently, if it belongs to `owner`, where one is given. Somebody else's is not even
    /// opened, because the time for that would tell that it is there (rule A8).
    pub async fn client_of(
        &self,
        refid: &ClientRefid,
        owner: Option<&ResellerRefid>,
    ) -> Result<Option<Client>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        let item = item.filter(|item| is_client(item) && belongs(item, owner));
        item.map(|item| read(&item, &self.secrets)).transpose()
    }

    /// Like [`Self::client_of`], without the metadata, for functions that may not open it.
    pub async fn client_particulars(
        &self,
        refid: &ClientRefid,
        owner: Option<&ResellerRefid>,
    ) -> Result<Option<Client>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.filter(|item| is_client(item) && belongs(item, owner)).as_ref().map(doc).transpose()
    }

    /// A client, read strongly consistently.
    pub async fn client(&self, refid: &ClientRefid) -> Result<Option<Client>, StoreError> {
        self.client_of(refid, None).await
    }

    /// The clients among `refids` that exist, without their metadata. The read may be stale.
    pub async fn clients_named(&self, refids: &[ClientRefid]) -> Result<HashMap<ClientRefid, Client>, StoreError> {
        let keys: Vec<Key> = refids.iter().map(key).collect();
        let found = self.table.get_all(&keys, Consistency::Eventual).await?;
        let clients = found.values().filter(|item| is_client(item)).map(doc::<Client>);
        clients.map(|client| client.map(|client| (client.refid.clone(), client))).collect()
    }

    /// The refid of the client with this address (rule A2).
    pub async fn client_by_email(&self, email: &EmailAddress) -> Result<Option<ClientRefid>, StoreError> {
        let item = self.table.get(&address_key(email), Consistency::Strong).await?;
        item.map(|item| doc::<AddressGuard>(&item).map(|guard| guard.client)).transpose()
    }

    /// A page of clients (rule A5): newest first, or in the order of the texts that a search has found.
    pub async fn clients(&self, filter: &ClientFilter, paging: Paging) -> Result<Page<Client>, StoreError> {
        if let Some(search) = &filter.search {
            let owner = filter.reseller.as_ref();
            let partitions = among_clients(owner);
            let shown = |item: &Item| {
                let client =
                    (is_client(item) && belongs(item, owner)).then(|| read(item, &self.secrets)).transpose()?;
                Ok(client.filter(|client| filter.shows(client)))
            };
            return self.search((search, partitions), "CL", paging, shown).await;
        }
        let resold = filter.resold;
        let mut filters = Vec::new();
        let (index, partitions) = match (&filter.reseller, filter.status) {
            (Some(reseller), status) => {
                filters.extend(status.map(|status| Filter::Is("status", status.into_str().into())));
                (Index::Tenant, vec![format!("CL@{reseller}")])
            }
            (None, Some(status)) => (Index::Status, shards(&format!("CL!{}", status.into_str()))),
            (None, None) if resold == Some(false) => (Index::Tenant, shards("CL@-")),
            (None, None) => (Index::Kind, shards("CL")),
        };
        // In the tenant index, the chosen partitions already hold only resold or only standalone clients.
        let of_tenant = index == Index::Tenant && resold == Some(filter.reseller.is_some());
        filters.extend(
            resold.filter(|_| !of_tenant).map(
                |resold| {
                    if resold { Filter::Some("reseller") } else { Filter::Null("reseller") }
                },
            ),
        );
        let list = List::descending(index, partitions).filtered(filters).between(filter.created.between());
        self.paged(list, paging).await?.map(|item| read(&item, &self.secrets))
    }
}

impl Party for Client {
    fn refid(&self) -> &str {
        self.refid.as_str()
    }

    fn texts(&self) -> Vec<String> {
        found_by(&self.name, &self.email)
    }

    fn partitions(&self) -> Vec<String> {
        let of_all = format!("SQ#{}", shard(self.refid()));
        self.reseller.iter().map(|reseller| format!("SQ#{reseller}")).chain([of_all]).collect()
    }
}

pub(crate) fn read(item: &Item, secrets: &Secrets) -> Result<Client, StoreError> {
    let mut client: Client = doc(item)?;
    client.metadata = metadata_of(item, secrets, &key(&client.refid).pk)?;
    Ok(client)
}

/// The client among the loaded items. A tombstone counts as no client.
pub(crate) fn read_loaded(
    loaded: &Loaded,
    refid: &ClientRefid,
    secrets: &Secrets,
) -> Result<Option<Client>, StoreError> {
    loaded.get(&key(refid)).filter(|item| is_client(item)).map(|item| read(item, secrets)).transpose()
}

/// The first client among the loaded items at these keys, without its metadata.
pub(crate) fn particulars(loaded: &Loaded, keys: &[Key]) -> Result<Option<Client>, StoreError> {
    let found = keys.iter().find_map(|key| loaded.get(key).filter(|item| is_client(item)));
    found.map(doc).transpose()
}

/// The refid of the client that has this address, among the loaded items.
pub(crate) fn with_address(loaded: &Loaded, email: &EmailAddress) -> Result<Option<ClientRefid>, StoreError> {
    let guard = loaded.get(&address_key(email)).map(doc::<AddressGuard>).transpose()?;
    Ok(guard.map(|guard| guard.client))
}

fn is_client(item: &Item) -> bool {
    text_of(item, "kind") == Some(KIND)
}

fn belongs(item: &Item, owner: Option<&ResellerRefid>) -> bool {
    owner.is_none_or(|owner| text_of(item, Index::Tenant.pk()) == Some(&format!("CL@{owner}")))
}

fn entity(client: &Client, secrets: &Secrets, stamp: &Stamp) -> Result<Item, StoreError> {
    let key = key(&client.refid);
    let id = client.refid.as_str();
    let place = by_time(client.created_at, id);
    let mut item = item(&key, KIND, client, stamp)?;
    Index::Tenant.place(&mut item, format!("CL@{}", tenant(client.reseller.as_ref(), id)), place.clone());
    Index::Kind.place(&mut item, format!("CL#{}", shard(id)), place.clone());
    Index::Status.place(&mut item, format!("CL!{}#{}", client.status.into_str(), shard(id)), place);
    put_metadata(&mut item, secrets, &key.pk, &client.metadata)?;
    Ok(item)
}

/// The tombstone of a deleted client. It is in a list of its own, so that figures can still count the client.
fn tombstone(client: &DeletedClient, stamp: &Stamp) -> Result<Item, StoreError> {
    let id = client.refid.as_str();
    let mut item = item(&key(&client.refid), DELETED, client, stamp)?;
    Index::Kind.place(&mut item, format!("CD#{}", shard(id)), by_time(client.created_at, id));
    Ok(item)
}
