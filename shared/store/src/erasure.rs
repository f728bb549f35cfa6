//! Erasing the copies of a deleted person's data that are stored elsewhere (rule A9).
//!
//! Invariant: an erasure may run at any time, stop anywhere, and run again; it takes away what it finds. Only answers
//! and what belongs to a user alone go: a record stays and takes effect no second time, an entry keeps what its hash
//! covers, and others' licences stay.

use std::collections::BTreeSet;

use purser_domain::basic::{ClientRefid, EntryRefid, LicenceRefid, Time, UserRefid};
use purser_domain::licences::Licence;
use purser_domain::money::Refunds;
use purser_domain::people::{Erasure, Subject};
use serde::Deserialize;

use crate::engine::command::answer;
use crate::engine::command::idempotency::{self, record_key};
use crate::engine::command::turn::patiently;
use crate::engine::item::{Item, bytes_of, doc, key_of};
use crate::engine::page::shards;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Range, Source};
use crate::engine::{Condition, Consistency, Created, Index, Key, List, Update};
use crate::events::erasure;
use crate::licences::licence::{self, Trace};
use crate::licences::{activation, notes};
use crate::money::{entry, refund};
use crate::people::{account, avatar, session, token};
use crate::{Store, StoreError};

/// How many items of a list are read at a time.
const LISTED: usize = 100;
/// How many installations of a licence are read at a time.
const INSTALLATIONS: i32 = 100;
/// How many items are changed side by side.
const SIDE_BY_SIDE: usize = 8;

impl Store {
    /// Erases what is stored of a deleted client or user outside its own items. Returns how many items held anything:
    /// none, if it was erased before. Changes nothing if nobody was deleted.
    pub async fn erase(&self, subject: &Subject, now: Time) -> Result<usize, StoreError> {
        let key = erasure::key(subject.refid());
        let Some(found) = patiently(|| self.table.get(&key, Consistency::Strong)).await? else {
            return Ok(0);
        };
        let erasure: Erasure = doc(&found)?;
        let created = self.erase_creation(&erasure, now).await?;
        let others = match subject {
            Subject::Client(client) => self.erase_sales(client, now).await?,
            Subject::User(user) => self.erase_traces(user).await?,
        };
        Ok(created + others)
    }

    /// Erases the answer to the command that created the client or user.
    async fn erase_creation(&self, erasure: &Erasure, now: Time) -> Result<usize, StoreError> {
        self.erase_record(erasure.record.as_ref().map(record_key), erasure.made_at, now).await
    }

    /// Erases the answer that this record keeps, if it is still that of the command which made something at `made_at`:
    /// a key may be used again once its record has ended.
    async fn erase_record(&self, record: Option<Key>, made_at: Time, now: Time) -> Result<usize, StoreError> {
        #[derive(Deserialize)]
        struct Made {
            created_at: Time,
        }
        let Some(key) = record else { return Ok(0) };
        let found = patiently(|| self.table.get(&key, Consistency::Strong)).await?;
        let made: Option<Made> = found.as_ref().map(doc).transpose()?;
        let own = made.filter(|made| made.created_at == made_at);
        self.erase_answers(own.map(|_| key).into_iter().collect(), now).await
    }

    /// The erasures of those who were deleted last within this time, at most `limit`.
    pub async fn erasures(&self, deleted: Created, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        let list = List::descending(Index::Kind, shards("ER")).between(deleted.between());
        let page = self.page(&list, limit, None).await?;
        page.items.iter().map(doc).collect()
    }

    /// The answer that an item holds, opened; `None` if it holds none. For checks of everything that is stored.
    pub fn answer_in(&self, item: &Item) -> Result<Option<Vec<u8>>, StoreError> {
        let (Some(packed), Some(key)) = (bytes_of(item, "answer"), key_of(item)) else {
            return Ok(None);
        };
        answer::unpack(&self.secrets, &key.pk, &entry::context(item)?, packed).map(Some)
    }

    /// Erases the answers to all purchases for a client, and to their refunds; and what is noted of the licences that
    /// it owns, with the answers to the commands that minted them.
    async fn erase_sales(&self, client: &ClientRefid, now: Time) -> Result<usize, StoreError> {
        let partitions = vec![licence::list_key(client), licence::traces_key(client)];
        let list = List::ascending(Index::Status, partitions);
        let (mut position, mut erased) = (None, 0);
        loop {
            let page = self.page(&list, LISTED, position).await?;
            let (mut provisions, mut others) = (BTreeSet::new(), BTreeSet::new());
            let (mut own, mut owned, mut former) = (Vec::new(), Vec::new(), BTreeSet::new());
            for item in &page.items {
                if licence::is_licence(item) {
                    let licence: Licence = doc(item)?;
                    provisions.extend(licence.provision);
                    own.push(notes::key(&licence.refid));
                    owned.push(licence.refid);
                } else {
                    let trace: Trace = doc(item)?;
                    provisions.extend(trace.provision);
                    others.insert(notes::key(&trace.licence));
                    former.insert(trace.licence);
                }
            }
            // The notes of a licence that somebody else has now are that one's.
            let others: Vec<Key> = others.into_iter().collect();
            erased += self.erase_minted(&others, now).await?.1;
            erased += self.erase_notes(own, now).await?;
            erased += self.erase_installations(&owned, None).await?;
            // Those of a licence that somebody else has now may be that one's.
            let former: Vec<LicenceRefid> = former.into_iter().collect();
            erased += self.erase_installations(&former, Some(client)).await?;
            let mut entries: Vec<EntryRefid> = provisions.into_iter().collect();
            entries.extend(self.refunds_of(&entries).await?);
            erased += self.erase_answers(entries.iter().map(entry::key).collect(), now).await?;
            position = page.position;
            if position.is_none() {
                return Ok(erased);
            }
        }
    }

    /// Erases how the installations of these licences name themselves, and where they are; those that took their seats
    /// from the owner `of`, where one is given. They keep their seats.
    async fn erase_installations(
        &self,
        licences: &[LicenceRefid],
        of: Option<&ClientRefid>,
    ) -> Result<usize, StoreError> {
        let mut erased = 0;
        for pk in licences.iter().flat_map(|licence| [activation::lives(licence), activation::pasts(licence)]) {
            let source = Source::Table(Consistency::Strong);
            let mut range = Range { source, ..Range::of(Index::Status, pk, INSTALLATIONS) };
            loop {
                let slice = patiently(|| self.table.query(&range)).await?;
                let updates = slice.items.iter().filter_map(|item| activation::nameless(item, of).transpose());
                let erase = |update: Update| async move {
                    let held = Condition::Has("doc".to_owned());
                    patiently(|| self.table.change(&update, &held)).await
                };
                let updates: Vec<Update> = updates.collect::<Result<_, _>>()?;
                let done = side_by_side(SIDE_BY_SIDE, updates.into_iter().map(erase).collect()).await?;
                erased += done.into_iter().filter(|it| *it).count();
                range.after = slice.last_key;
                if range.after.is_none() {
                    break;
                }
            }
        }
        Ok(erased)
    }

    /// Deletes notes, and erases the answers to the commands that minted their licences.
    async fn erase_notes(&self, keys: Vec<Key>, now: Time) -> Result<usize, StoreError> {
        let (found, erased) = self.erase_minted(&keys, now).await?;
        let delete = |key: Key| async move { patiently(|| self.table.delete(&key)).await };
        let deleted = side_by_side(SIDE_BY_SIDE, found.into_iter().map(delete).collect()).await?;
        Ok(erased.max(deleted.len()))
    }

    /// Erases the answers to the commands that minted the licences of these notes. Returns the notes that there are,
    /// and how many answers there were.
    async fn erase_minted(&self, keys: &[Key], now: Time) -> Result<(Vec<Key>, usize), StoreError> {
        let found = patiently(|| self.table.get_all(keys, Consistency::Strong)).await?;
        let mut erased = 0;
        for item in found.values() {
            let noted = notes::particulars(item)?;
            erased += self.erase_record(noted.record.as_ref().map(record_key), noted.created_at, now).await?;
        }
        Ok((found.into_keys().collect(), erased))
    }

    async fn refunds_of(&self, provisions: &[EntryRefid]) -> Result<Vec<EntryRefid>, StoreError> {
        let keys: Vec<Key> = provisions.iter().map(refund::key).collect();
        let found = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?;
        let mut refunds = Vec::new();
        for item in found.values() {
            refunds.extend(doc::<Refunds>(item)?.entries);
        }
        Ok(refunds)
    }

    async fn erase_answers(&self, records: Vec<Key>, now: Time) -> Result<usize, StoreError> {
        let erase = |record: Key| async move {
            let update = idempotency::erase(record, now);
            let held = Condition::Has("answer".to_owned());
            patiently(|| self.table.change(&update, &held)).await
        };
        let erased = side_by_side(SIDE_BY_SIDE, records.into_iter().map(erase).collect()).await?;
        Ok(erased.into_iter().filter(|it| *it).count())
    }

    /// Deletes the sign-ins and tokens of a user, and what was written of the account while the user was deleted.
    async fn erase_traces(&self, user: &UserRefid) -> Result<usize, StoreError> {
        let own = [avatar::key(user), account::credentials_key(user), session::key(user)];
        let found = patiently(|| self.table.get_all(&own, Consistency::Strong)).await?;
        let mut keys: Vec<Key> = found.into_keys().collect();
        let mut position = None;
        let list = List::ascending(Index::Tenant, vec![session::list_key(user), token::list_key(user)]);
        loop {
            let page = self.page(&list, LISTED, position).await?;
            for item in &page.items {
                keys.push(key_of(item).ok_or_else(|| StoreError::Unreadable("an item in a list has no key".into()))?);
            }
            position = page.position;
            if position.is_none() {
                break;
            }
        }
        let delete = |key: Key| async move { patiently(|| self.table.delete(&key)).await };
        let deleted = side_by_side(SIDE_BY_SIDE, keys.into_iter().map(delete).collect()).await?;
        Ok(deleted.len())
    }
}
