//! Clients in the table.
//!
//! Items: `CL#refid`, listed by tenant, by kind and by status; `EC#address`, which keeps an address to one
//! client. Invariant: client and guard are written in one transaction, so an address or external id that is
//! taken is refused whatever races (SPEC A2).

use purser_domain::Refusal;
use purser_domain::client::{Client, ClientStatus, NewClient};
use purser_domain::email::EmailAddress;
use purser_domain::refid::{ClientRefid, ResellerRefid};
use purser_domain::refusal::What;
use purser_domain::text::ClientId;
use purser_domain::time::Time;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::command::{CommandWrite, Decision, Loaded, Request};
use crate::item::{Item, Stamp, doc, item, metadata_of, put_metadata};
use crate::keys::{Index, Key, by_time, shard, tenant};
use crate::page::{List, Page, shards};
use crate::secrets::Secrets;
use crate::table::{Condition, Consistency, Filter, Write};
use crate::{Store, StoreError};

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

/// How the answer to a command about a client is written.
pub type RenderClient<'a> = &'a (dyn Fn(&Client) -> Result<Vec<u8>, StoreError> + Send + Sync);

impl Store {
    /// The refid of the client with this external id: the same one always.
    pub fn client_refid(&self, client_id: &ClientId) -> ClientRefid {
        ClientRefid::new(
            &self.prefixes.client,
            self.secrets.bits("client", &[client_id.as_str()]),
        )
    }

    /// A client, as of now.
    pub async fn client(&self, refid: &ClientRefid) -> Result<Option<Client>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.map(|item| read(&item, &self.secrets)).transpose()
    }

    /// The refid of the client with this address (SPEC A2).
    pub async fn client_by_email(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<ClientRefid>, StoreError> {
        let item = self
            .table
            .get(&address_key(email), Consistency::Strong)
            .await?;
        item.map(|item| doc::<AddressGuard>(&item).map(|guard| guard.client))
            .transpose()
    }

    /// A page of clients, newest first (SPEC A5).
    pub async fn clients(
        &self,
        filter: &ClientFilter,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Client>, StoreError> {
        let mut filters = Vec::new();
        let (index, partitions) = match (&filter.reseller, filter.status) {
            (Some(reseller), status) => {
                filters.extend(status.map(|status| Filter::Is("status", status.as_str().into())));
                (Index::Tenant, vec![format!("CL@{reseller}")])
            }
            (None, Some(status)) => (Index::Status, shards(&format!("CL!{}", status.as_str()))),
            (None, None) if filter.resold == Some(false) => (Index::Tenant, shards("CL@-")),
            (None, None) => (Index::Kind, shards("CL")),
        };
        filters.extend(filter.resold.map(|resold| {
            if resold {
                Filter::Some("reseller")
            } else {
                Filter::Null("reseller")
            }
        }));
        let list = List {
            index,
            partitions,
            filters,
            ascending: false,
        };
        self.page(&list, limit, position)
            .await?
            .map(|item| read(&item, &self.secrets))
    }

    /// Creates a client (SPEC A1–A3).
    pub async fn create_client(
        &self,
        new: &NewClient,
        reseller: Option<&ResellerRefid>,
        status: ClientStatus,
        request: &Request,
        render: RenderClient<'_>,
    ) -> Result<Answer, StoreError> {
        let wallet = reseller.map(crate::wallet::key);
        let keys: Vec<Key> = wallet.iter().cloned().collect();
        let refid = self.client_refid(&new.client_id);
        let client = Client::create(new.clone(), refid, reseller.cloned(), status, request.now);
        self.command(
            &request.stamp.request,
            request.record.as_ref(),
            &keys,
            |loaded| {
                if let Some(wallet) = &wallet {
                    crate::wallet::must_trade(loaded, wallet)?;
                }
                let answer = render(&client)?;
                let mut writes = Vec::new();
                writes.extend(self.record_write(request, &answer)?);
                writes.extend(self.client_writes(&client, &request.stamp)?);
                Ok(Decision::Commit {
                    writes,
                    answer: Answer::first(answer),
                })
            },
        )
        .await
    }

    /// The writes that create a client: the client and its address.
    pub(crate) fn client_writes(
        &self,
        client: &Client,
        stamp: &Stamp,
    ) -> Result<[CommandWrite; 2], StoreError> {
        let guard = AddressGuard {
            client: client.refid.clone(),
            version: 1,
            created_at: client.created_at,
        };
        let guard = item(&address_key(&client.email), "client_address", &guard, stamp)?;
        Ok([
            // The address first: someone who repeats a create is told about the address, not about an id they
            // may never have seen.
            CommandWrite::unique(
                Write::Put(guard, Condition::Absent),
                Refusal::DuplicateEmail,
            ),
            CommandWrite::unique(
                Write::Put(write(client, &self.secrets, stamp)?, Condition::Absent),
                Refusal::DuplicateClientId,
            ),
        ])
    }

    /// Changes a client that `may` be changed by the caller; `change` is the rule.
    pub async fn change_client(
        &self,
        refid: &ClientRefid,
        stamp: &Stamp,
        may: impl Fn(&Client) -> bool + Send + Sync,
        change: impl Fn(&Client) -> Result<Option<Client>, Refusal> + Send + Sync,
        render: RenderClient<'_>,
    ) -> Result<Answer, StoreError> {
        let key = key(refid);
        self.command(&stamp.request, None, std::slice::from_ref(&key), |loaded| {
            let client = read_loaded(loaded, refid, &self.secrets)?.filter(&may);
            let client = client.ok_or(Refusal::NotFound(What::Client))?;
            let Some(changed) = change(&client)? else {
                return Ok(Decision::Unchanged(Answer::first(render(&client)?)));
            };
            let put = Write::Put(
                write(&changed, &self.secrets, stamp)?,
                Condition::Version(client.version),
            );
            Ok(Decision::Commit {
                writes: vec![CommandWrite::fresh(put)],
                answer: Answer::first(render(&changed)?),
            })
        })
        .await
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
    loaded
        .get(&key(refid))
        .map(|item| read(item, secrets))
        .transpose()
}

fn write(client: &Client, secrets: &Secrets, stamp: &Stamp) -> Result<Item, StoreError> {
    let key = key(&client.refid);
    let id = client.refid.as_str();
    let place = by_time(client.created_at, id);
    let mut item = item(&key, "client", client, stamp)?;
    Index::Tenant.place(
        &mut item,
        format!("CL@{}", tenant(client.reseller.as_ref(), id)),
        place.clone(),
    );
    Index::Kind.place(&mut item, format!("CL#{}", shard(id)), place.clone());
    Index::Status.place(
        &mut item,
        format!("CL!{}#{}", client.status.as_str(), shard(id)),
        place,
    );
    put_metadata(&mut item, secrets, &key.pk, &client.metadata)?;
    Ok(item)
}
