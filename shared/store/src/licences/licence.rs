//! Licences in the table: `LI#refid`, listed by tenant, by kind and by client, or by what it waits for.
//!
//! Invariants: a licence is found by the HMAC of its key, and its key is shown from a sealed copy; nothing in the
//! table holds the key in clear. A licence is put whole only when it is minted. Afterwards updates name what they
//! change, because seats are won and freed beside the document (docs/adr/0033).

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, EntryRefid, LicenceRefid, ResellerRefid, Time};
use purser_domain::event::due::Appointment;
use purser_domain::licences::{
    Activation, Licence, LicenceKey, LicenceNotes, LicenceStatus, ProductReference, ShownStatus,
};
use serde::{Deserialize, Serialize};

use crate::engine::item::{attribute, bytes, bytes_of, doc, item, key_of, number_of, text, text_of};
use crate::engine::keys::{by_time, shard, tenant};
use crate::engine::page::shards;
use crate::engine::{
    CommandWrite, Condition, Consistency, Filter, Index, Item, Key, List, Loaded, Page, Paging, Seal, Secrets, Stamp,
    Update, Write,
};
use crate::events::due::{wait, wait_again};
use crate::{Store, StoreError};

const KIND: &str = "licence";
/// How many seats are taken; none if it is missing.
pub(super) const SEATS: &str = "seats";
/// Which key counts, if that is not the first one: the refid that the key determines.
pub(super) const KEYED: &str = "keyed";

pub(crate) fn key(refid: &LicenceRefid) -> Key {
    Key::alone("LI", refid)
}

/// The partition of the status index that lists the licences of a client.
pub(crate) fn list_key(client: &ClientRefid) -> String {
    format!("LI@{client}")
}

/// The partition of the status index that lists traces of a client.
pub(crate) fn traces_key(client: &ClientRefid) -> String {
    format!("LP@{client}")
}

/// That something was sold to a client, or given, which the client's licences do not show: it is found by this when the
/// client is deleted (rule A9).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trace {
    client: ClientRefid,
    pub(crate) licence: LicenceRefid,
    pub(crate) provision: Option<EntryRefid>,
    created_at: Time,
    version: u64,
}

impl Trace {
    /// That the owner of a licence, which is to get another one, has had it.
    pub(super) fn of_owner(licence: &Licence, now: Time) -> Option<Self> {
        Self::of(licence, licence.provision.clone(), now)
    }

    /// That the owner of a licence had it renewed by this purchase.
    pub(super) fn of_renewal(licence: &Licence, renewal: EntryRefid, now: Time) -> Option<Self> {
        Self::of(licence, Some(renewal), now)
    }

    fn of(licence: &Licence, provision: Option<EntryRefid>, now: Time) -> Option<Self> {
        let client = licence.client.clone()?;
        Some(Self { client, licence: licence.refid.clone(), provision, created_at: now, version: 1 })
    }

    pub(super) fn write(&self, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
        let of = self.provision.as_ref().map_or(self.client.as_str(), EntryRefid::as_str);
        let place = Key { pk: format!("LP#{}", self.licence), sk: format!("{}#{of}", self.client) };
        let mut item = item(&place, "licence_trace", self, stamp)?;
        Index::Status.place(&mut item, traces_key(&self.client), by_time(self.created_at, of));
        // Whoever has a licence again, and gives it away again, had it before.
        Ok(CommandWrite::fresh(Write::Put(item, Condition::Nothing)))
    }
}

/// A licence as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownLicence {
    pub licence: Licence,
    /// The key, where it is shown whole (rule C9).
    pub key: Option<LicenceKey>,
    /// How many installations hold a seat.
    pub seats: u32,
    /// `None` where they are not read.
    pub notes: Option<LicenceNotes>,
    /// The moment at which it is shown.
    pub at: Time,
}

impl ShownLicence {
    /// The licence as a stored answer shows it: without the address that it waits for, which nothing would erase there.
    pub(super) fn nameless(mut self) -> Self {
        self.licence.email = None;
        self
    }

    pub(crate) fn minted(licence: Licence, key: LicenceKey, at: Time) -> Self {
        Self { licence, key: Some(key), seats: 0, notes: None, at }
    }
}

/// A licence that a key has opened, strongly consistently.
#[derive(Debug)]
pub struct Unlocked {
    pub shown: ShownLicence,
    /// The installation that was looked for, if it holds a seat, lapsed or not.
    pub activation: Option<Activation>,
    pub(super) loaded: Loaded,
}

/// Which licences a list shows. Every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct LicenceFilter {
    pub client: Option<ClientRefid>,
    pub reseller: Option<ResellerRefid>,
    pub product: Option<ProductReference>,
    pub status: Option<ShownStatus>,
    pub expiring_before: Option<Time>,
}

impl Store {
    /// The refid of the licence whose first key this is. It depends on the key alone, so a licence is found by its key.
    pub fn licence_refid(&self, key: &LicenceKey) -> Result<LicenceRefid, StoreError> {
        Ok(LicenceRefid::new(&self.prefixes.licence, self.secrets.bits("licence", &[&key.canonical()])?))
    }

    /// A page of licences, newest first.
    pub async fn licences(
        &self,
        filter: &LicenceFilter,
        paging: Paging,
        now: Time,
    ) -> Result<Page<ShownLicence>, StoreError> {
        let mut filters = Vec::new();
        filters.extend(filter.product.as_ref().map(|product| Filter::Is("product", product.to_string())));
        filters.extend(filter.status.into_iter().flat_map(|status| in_status(status, now)));
        filters.extend(filter.expiring_before.map(|time| Filter::AtMost("expires_at", just_before(time))));
        let (index, partitions) = match (&filter.client, &filter.reseller) {
            (Some(client), reseller) => {
                filters.extend(reseller.as_ref().map(|reseller| Filter::Is("reseller", reseller.to_string())));
                (Index::Status, vec![list_key(client)])
            }
            (None, Some(reseller)) => (Index::Tenant, vec![format!("LI@{reseller}")]),
            (None, None) => (Index::Kind, shards("LI")),
        };
        let page = self.paged(List::descending(index, partitions).filtered(filters), paging).await?;
        // The index does not have the seats, which would cost three writes each time that one is taken.
        let keys: Vec<Key> = page.items.iter().filter_map(key_of).collect();
        let found = Loaded::of(&keys, self.table.get_all(&keys, Consistency::Eventual).await?);
        page.map(|listed| {
            let key = key_of(&listed).ok_or_else(|| StoreError::Unreadable("a licence has no key".into()))?;
            read(found.get(&key).unwrap_or(&listed), now)
        })
    }

    /// The partition that lists the licences which wait for a client with this external id (rule C7).
    pub(crate) fn waiting_for_id(&self, client_id: &ClientId) -> Result<String, StoreError> {
        self.waiting("external id", client_id.canonical().as_str())
    }

    /// The partition that lists the licences which wait for somebody who confirms this address (rule C7).
    pub(crate) fn waiting_for_address(&self, email: &EmailAddress) -> Result<String, StoreError> {
        self.waiting("address", &email.folded())
    }

    fn waiting(&self, what: &str, name: &str) -> Result<String, StoreError> {
        let bits = self.secrets.bits("licence that waits", &[what, name])?;
        Ok(format!("LW@{}", purser_domain::basic::RecordCode::new(bits)))
    }

    /// The partition of the status index in which a licence is listed.
    fn holder(&self, licence: &Licence) -> Result<Option<String>, StoreError> {
        match (&licence.client, &licence.client_id, &licence.email) {
            (Some(client), ..) => Ok(Some(list_key(client))),
            (None, Some(client_id), _) => self.waiting_for_id(client_id).map(Some),
            (None, None, Some(email)) => self.waiting_for_address(email).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    /// The write of a new licence, at the place that its key determines.
    pub(crate) fn mint(&self, licence: &Licence, key: &LicenceKey, stamp: &Stamp) -> Result<Write, StoreError> {
        let place = self::key(&licence.refid);
        let id = licence.refid.as_str();
        let at = by_time(licence.created_at, id);
        let mut item = item(&place, KIND, licence, stamp)?;
        item.insert("sealed".to_owned(), sealed(&self.secrets, &place, key)?);
        Index::Tenant.place(&mut item, format!("LI@{}", tenant(licence.reseller.as_ref(), id)), at.clone());
        Index::Kind.place(&mut item, format!("LI#{}", shard(id)), at.clone());
        if let Some(holder) = self.holder(licence)? {
            Index::Status.place(&mut item, holder, at);
        }
        if let Some(first) = first_appointment(licence) {
            wait(&mut item, &place, first);
        }
        Ok(Write::Put(item, Condition::Absent))
    }

    /// The update of a licence from the version `old`, which leaves seats and key as they are.
    pub(crate) fn change(&self, old: &Licence, new: &Licence, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
        let (update, condition) = self.update(old, new, stamp)?;
        Ok(CommandWrite::fresh(Write::Update(update, condition)))
    }

    pub(super) fn update(
        &self,
        old: &Licence,
        new: &Licence,
        stamp: &Stamp,
    ) -> Result<(Update, Condition), StoreError> {
        let update = Update::of(key(&new.refid)).set("doc", attribute(new)?).set("by", attribute(stamp)?);
        let condition = Condition::Version(old.version);
        let update = match first_appointment(new) {
            _ if ends(old) == ends(new) => update,
            Some(first) => wait_again(update, &key(&new.refid), first),
            None => update.unlist(Index::Due),
        };
        if (&old.client, &old.client_id, &old.email) == (&new.client, &new.client_id, &new.email) {
            return Ok((update, condition));
        }
        let update = match self.holder(new)? {
            Some(holder) => update
                .set(Index::Status.pk(), text(holder))
                .set(Index::Status.sk(), text(by_time(new.created_at, new.refid.as_str()))),
            None => update.unlist(Index::Status),
        };
        Ok((update, condition))
    }
}

/// When a licence ends, if it will.
fn ends(licence: &Licence) -> Option<Time> {
    licence.expires_at.filter(|_| licence.status != LicenceStatus::Revoked)
}

/// What a licence waits for after a change that moved its end.
fn first_appointment(licence: &Licence) -> Option<Appointment> {
    Appointment::of_licence(ends(licence)?, licence.updated_at)
}

/// The key of a licence, sealed for its place.
pub(super) fn sealed(
    secrets: &Secrets,
    place: &Key,
    key: &LicenceKey,
) -> Result<aws_sdk_dynamodb::types::AttributeValue, StoreError> {
    Ok(bytes(secrets.seal(Seal::Licence, &place.pk, key.reveal().as_bytes())?))
}

/// The key of a licence, opened.
pub(super) fn open(item: &Item, secrets: &Secrets) -> Result<LicenceKey, StoreError> {
    let unreadable = |why: &str| StoreError::Unreadable(format!("a licence key {why}"));
    let place = key_of(item).ok_or_else(|| unreadable("has no place"))?;
    let sealed = bytes_of(item, "sealed").ok_or_else(|| unreadable("is not there"))?;
    let text = String::from_utf8(secrets.open(Seal::Licence, &place.pk, sealed)?);
    let text = text.map_err(|_| unreadable("is not UTF-8"))?;
    LicenceKey::try_from(text).map_err(|_| unreadable("is none"))
}

/// Whether an item is a licence, and not the pointer of a later key.
pub(crate) fn is_licence(item: &Item) -> bool {
    text_of(item, "kind") == Some(KIND)
}

pub(super) fn sold_by(item: &Item, owner: Option<&ResellerRefid>) -> bool {
    owner.is_none_or(|owner| text_of(item, Index::Tenant.pk()) == Some(&format!("LI@{owner}")))
}

/// A licence with its key masked, and without its notes.
pub(crate) fn read(item: &Item, at: Time) -> Result<ShownLicence, StoreError> {
    let licence: Licence = doc(item)?;
    let seats = number_of(item, SEATS).unwrap_or_default();
    Ok(ShownLicence { licence, key: None, seats, notes: None, at })
}

/// The licence among the loaded items, without its notes.
pub(super) fn read_loaded(loaded: &Loaded, refid: &LicenceRefid, at: Time) -> Result<Option<ShownLicence>, StoreError> {
    loaded.get(&key(refid)).filter(|item| is_licence(item)).map(|item| read(item, at)).transpose()
}

/// The filters for licences that have this status at `now`.
fn in_status(status: ShownStatus, now: Time) -> Vec<Filter> {
    let is = |status: LicenceStatus| Filter::Is("status", status.into_str().to_owned());
    let ended = Filter::AtMost("expires_at", now.to_string());
    let lasts = Filter::Any(vec![Filter::Null("expires_at"), Filter::After("expires_at", now.to_string())]);
    match status {
        ShownStatus::Pending => vec![is(LicenceStatus::Pending), lasts],
        ShownStatus::Active => vec![is(LicenceStatus::Active), lasts],
        ShownStatus::Suspended => vec![is(LicenceStatus::Suspended)],
        ShownStatus::Expired => {
            vec![Filter::Any(vec![is(LicenceStatus::Pending), is(LicenceStatus::Active)]), ended]
        }
        ShownStatus::Revoked => vec![is(LicenceStatus::Revoked)],
    }
}

/// The last moment before `time`, as text.
fn just_before(time: Time) -> String {
    time.plus(jiff::SignedDuration::from_millis(-1)).to_string()
}
