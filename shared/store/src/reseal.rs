//! Sealing anew what older keys have sealed, so that a key which became known opens nothing more.
//!
//! Invariant: only a seal changes, under the condition that it is still the one that was read, so no concurrent change
//! is lost. An item keeps its version and its stamp, so what reads the stream sees no change. A walk may stop and go
//! on, or begin again, at any time. A command that read an item before its seal changed may put the older seal back; so
//! the work is done when a whole walk finds nothing to renew.
//!
//! What no index lists is not found: the records of creates, which end after 40 days, and the answers to top-ups that
//! repeat an earlier one under another key. Older keys must be kept as long as those should be answered.

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use purser_domain::basic::{ResellerRefid, UserRefid};
use purser_domain::licences::Licence;
use purser_domain::money::{Entry, EntryType};
use purser_domain::people::Credentials;
use serde::{Deserialize, Serialize};

use crate::engine::command::turn::patiently;
use crate::engine::item::{Item, bytes, bytes_of, doc, key_of, text, text_of};
use crate::engine::page::shards;
use crate::engine::{Condition, Consistency, Index, Key, List, Seal, TableError, Update};
use crate::licences::notes;
use crate::money::entry;
use crate::people::{account, second_factor};
use crate::{Store, StoreError};

/// How often an item that changes all the time is read again.
const TRIES: usize = 5;

/// What is sealed, in the lists by which it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sealed {
    /// Metadata of clients.
    Clients,
    /// Metadata of resellers.
    Resellers,
    /// Stored answers of money commands.
    Entries,
    /// Keys of licences, and their metadata.
    Licences,
    /// Secrets of second factors.
    Factors,
}

/// How far a walk has come.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    position: Option<String>,
    /// The list of entries is one of each reseller: where it continues in that of the reseller at `position`.
    within: Option<String>,
}

/// What a step of a walk did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub examined: usize,
    pub renewed: usize,
    /// Where the next step begins; none at the end.
    pub next: Option<Place>,
}

/// A seal in an item: the path of its attribute, what it is bound to, and how it is written.
struct Spot {
    path: &'static str,
    seal: Seal,
    place: String,
    as_text: bool,
}

impl Spot {
    fn of(path: &'static str, seal: Seal, key: &Key) -> Self {
        Self { path, seal, place: key.pk.clone(), as_text: false }
    }

    fn value(&self, sealed: &[u8]) -> AttributeValue {
        if self.as_text { text(BASE64.encode(sealed)) } else { bytes(sealed.to_vec()) }
    }
}

impl Store {
    /// Renews what is sealed in up to `limit` items, from `place` on.
    pub async fn reseal(&self, what: Sealed, place: Place, limit: usize) -> Result<Step, StoreError> {
        let (index, partitions) = match what {
            Sealed::Entries => return self.reseal_entries(place, limit).await,
            Sealed::Clients => (Index::Kind, shards("CL")),
            Sealed::Resellers => (Index::Kind, vec!["RS".to_owned()]),
            Sealed::Licences => (Index::Kind, shards("LI")),
            Sealed::Factors => (Index::Kind, shards("US")),
        };
        let list = List::ascending(index, partitions);
        let page = self.page(&list, limit, place.position).await?;
        let mut step = Step { examined: page.items.len(), ..Step::default() };
        for item in &page.items {
            let key = key_of(item).ok_or_else(no_key)?;
            if what == Sealed::Licences {
                step.renewed += self.reseal_notes(item).await?;
            }
            step.renewed += match what {
                Sealed::Factors => self.reseal_factors(item).await?,
                Sealed::Licences => self.renew(&key, item, &Spot::of("sealed", Seal::Licence, &key)).await?,
                _ => self.renew(&key, item, &Spot::of("sealed", Seal::Record, &key)).await?,
            };
        }
        step.next = page.position.map(|position| Place { position: Some(position), within: None });
        Ok(step)
    }

    /// The metadata of a licence, which no list has.
    async fn reseal_notes(&self, licence: &Item) -> Result<usize, StoreError> {
        let key = notes::key(&doc::<Licence>(licence)?.refid);
        let keys = [key.clone()];
        match patiently(|| self.table.get_all(&keys, Consistency::Eventual)).await?.get(&key) {
            Some(item) => self.renew(&key, item, &Spot::of("sealed", Seal::Record, &key)).await,
            None => Ok(0),
        }
    }

    /// The answers in the entries of one reseller, and those at the references of its top-ups.
    async fn reseal_entries(&self, place: Place, limit: usize) -> Result<Step, StoreError> {
        let resellers = self.reseller_refids(1, place.position.clone()).await?;
        let after = resellers.position.map(|position| Place { position: Some(position), within: None });
        let Some(reseller) = resellers.items.first() else {
            return Ok(Step { next: after, ..Step::default() });
        };
        let partitions = vec![entry::list_key(reseller)];
        let list = List::ascending(Index::Tenant, partitions);
        let page = self.page(&list, limit, place.within).await?;
        let mut keys = Vec::new();
        for item in &page.items {
            keys.push(key_of(item).ok_or_else(no_key)?);
            keys.extend(self.guard_of(reseller, &doc(item)?)?);
        }
        let found = patiently(|| self.table.get_all(&keys, Consistency::Eventual)).await?;
        let mut step = Step { examined: page.items.len(), ..Step::default() };
        for (key, item) in &found {
            step.renewed += self.renew(key, item, &Spot::of("answer", Seal::Record, key)).await?;
        }
        let within = page.position.map(|within| Place { position: place.position, within: Some(within) });
        step.next = within.or(after);
        Ok(step)
    }

    /// Where the reference of a top-up is kept.
    fn guard_of(&self, reseller: &ResellerRefid, entry: &Entry) -> Result<Option<Key>, StoreError> {
        let reference = entry.reference.as_ref().filter(|_| entry.kind == EntryType::Credit);
        reference.map(|reference| self.reference_key(reseller, reference)).transpose()
    }

    /// The secrets of a user's second factor, and of one that was offered and not accepted yet.
    async fn reseal_factors(&self, user: &Item) -> Result<usize, StoreError> {
        #[derive(Deserialize)]
        struct Named {
            refid: UserRefid,
        }
        let Named { refid } = doc(user)?;
        let key = account::credentials_key(&refid);
        let keys = [key.clone()];
        let found = patiently(|| self.table.get_all(&keys, Consistency::Eventual)).await?;
        let Some(item) = found.get(&key) else {
            return Ok(0);
        };
        let mut renewed = 0;
        for path in ["doc.second_factor.sealed", "doc.offered_factor"] {
            let spot = Spot { path, seal: Seal::Factor, place: second_factor::place(&refid), as_text: true };
            renewed += self.renew(&key, item, &spot).await?;
        }
        Ok(renewed)
    }

    /// Renews one seal of an item that was read as `item`, perhaps some time ago. Returns how many it renewed.
    async fn renew(&self, key: &Key, item: &Item, spot: &Spot) -> Result<usize, StoreError> {
        let mut read = None;
        for _ in 0..TRIES {
            let Some(old) = sealed_in(read.as_ref().unwrap_or(item), spot)? else {
                return Ok(0);
            };
            let Some(new) = self.secrets.renewed(spot.seal, &spot.place, &old)? else {
                return Ok(0);
            };
            let (old, new) = (spot.value(&old), spot.value(&new));
            let update = Update::of(key.clone()).set(spot.path, new);
            match self.table.change(&update, &Condition::Is(spot.path, old)).await {
                Ok(true) => return Ok(1),
                Ok(false) | Err(TableError::Contended(_)) => {}
                Err(error @ TableError::Failed(_)) => return Err(error.into()),
            }
            let keys = [key.clone()];
            read = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?.remove(key);
            if read.is_none() {
                return Ok(0);
            }
        }
        Err(StoreError::Busy)
    }
}

fn no_key() -> StoreError {
    StoreError::Unreadable("an item in a list has no key".into())
}

/// The seal in an item; none if the item has no such seal any more.
fn sealed_in(item: &Item, spot: &Spot) -> Result<Option<Vec<u8>>, StoreError> {
    if !spot.as_text {
        return Ok(bytes_of(item, spot.path).map(<[u8]>::to_vec));
    }
    if text_of(item, "kind") != Some("credentials") {
        return Ok(None);
    }
    let credentials: Credentials = doc(item)?;
    let sealed = match spot.path {
        "doc.offered_factor" => credentials.offered_factor,
        _ => credentials.second_factor.map(|factor| factor.sealed),
    };
    let unreadable = |_| StoreError::Unreadable("the secret of a second factor".into());
    sealed.map(|sealed| BASE64.decode(sealed.as_bytes()).map_err(unreadable)).transpose()
}
