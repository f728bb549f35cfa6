//! Things (clients, licences, resellers, entries) as they are now, each with its stored row.
//!
//! Invariant: the indexes that list things lag behind the table, so a thing that does not match its row is read
//! again, strongly consistently, before it is reported.

use std::collections::{BTreeMap, HashMap};

use purser_domain::analytics::{Fact, Kind};
use purser_domain::basic::{Day, ResellerRefid, Time};

use super::timeline::{Row, row_key};
use crate::engine::command::turn::patiently;
use crate::engine::item::text_of;
use crate::engine::page::shards;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Range, Source};
use crate::engine::{Consistency, Index, Item, Key, Table};
use crate::events::change;
use crate::money::entry;
use crate::{Store, StoreError};

/// How many lists are read concurrently.
const AT_ONCE: usize = 16;
/// The page size for reading all resellers; each has its own list of entries.
const RESELLERS: usize = 100;

/// What a thing adds to figures now, and the stored row that says what it adds.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) fact: Fact,
    pub(super) row: Option<Row>,
}

impl Thing {
    /// Whether the row matches the thing. A change that does not affect what the thing adds may not rewrite the row, so
    /// an earlier version can be right.
    pub(super) fn agrees(&self) -> bool {
        self.row.as_ref().is_some_and(|row| {
            row.version <= self.fact.version && row.scopes == self.fact.scopes && row.counts.same(&self.fact.counts)
        })
    }
}

impl Store {
    /// The things of a kind that were created on a day, each with its row.
    pub(super) async fn things(&self, kind: Kind, day: Day) -> Result<Vec<Thing>, StoreError> {
        let listed = self.things_listed(kind, day).await?;
        self.with_rows(kind, listed).await
    }

    /// Reads the row of each of these facts. Where the two differ, the thing is read again after the row, so that the
    /// row is never of a later version than the thing, whatever changes meanwhile.
    pub(super) async fn with_rows(&self, kind: Kind, facts: Vec<Fact>) -> Result<Vec<Thing>, StoreError> {
        let keys: Vec<Key> = facts.iter().map(row_key).collect();
        let rows = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?;
        let with_row = |(fact, key): (Fact, Key)| {
            let row = rows.get(&key).map(Row::read).transpose()?;
            Ok(Thing { fact, row })
        };
        let things: Result<Vec<Thing>, StoreError> = facts.into_iter().zip(keys).map(with_row).collect();
        let mut things = things?;
        let strange = things.iter().filter(|it| !it.agrees());
        let refids: Vec<String> = strange.map(|it| it.fact.refid.clone()).collect();
        let mut now = self.facts_named(kind, &refids).await?;
        for thing in &mut things {
            if let Some(fact) = now.remove(&thing.fact.refid) {
                thing.fact = fact;
            }
        }
        Ok(things)
    }

    /// What these things add now, by refid. Refids that do not exist are left out.
    pub(super) async fn facts_named(&self, kind: Kind, refids: &[String]) -> Result<HashMap<String, Fact>, StoreError> {
        let key = |refid: &String| Key::alone(kind.into_str(), refid);
        let keys: Vec<Key> = refids.iter().map(key).collect();
        let items = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?;
        let facts = items.values().filter_map(|item| Self::fact(item).transpose());
        facts.map(|fact| fact.map(|fact| (fact.refid.clone(), fact))).collect()
    }

    async fn things_listed(&self, kind: Kind, day: Day) -> Result<Vec<Fact>, StoreError> {
        let between = (day.to_string(), format!("{day}~"));
        let reads = self.lists(kind).await?.into_iter().map(|(index, pk)| {
            let (table, between) = (self.table.clone(), between.clone());
            async move {
                let read = || table.partition(Source::Index(index), &pk, Some(&between));
                patiently(read).await
            }
        });
        // A client that is deleted moves from one list to another, and may show in both for a moment. The newer
        // version counts.
        let mut listed: BTreeMap<String, Fact> = BTreeMap::new();
        for item in side_by_side(AT_ONCE, reads.collect()).await?.iter().flatten() {
            let fact = Self::fact(item)?;
            let fact = fact.ok_or_else(|| StoreError::Unreadable("a listed item counts in no figure".into()))?;
            let newer = listed.get(&fact.refid).is_none_or(|known| known.version < fact.version);
            if newer {
                listed.insert(fact.refid.clone(), fact);
            }
        }
        Ok(listed.into_values().collect())
    }

    /// The index partitions that list the things of a kind by time of creation.
    async fn lists(&self, kind: Kind) -> Result<Vec<(Index, String)>, StoreError> {
        let by_kind = |pks: Vec<String>| pks.into_iter().map(|pk| (Index::Kind, pk)).collect();
        Ok(match kind {
            Kind::Client => by_kind([shards("CL"), shards("CD")].concat()),
            Kind::Licence => by_kind(shards("LI")),
            Kind::Reseller => by_kind(vec!["RS".to_owned()]),
            Kind::Entry => {
                let resellers = self.every_reseller().await?;
                let list = |it: &ResellerRefid| (Index::Tenant, entry::list_key(it));
                resellers.iter().map(list).collect()
            }
        })
    }

    async fn every_reseller(&self) -> Result<Vec<ResellerRefid>, StoreError> {
        let (mut resellers, mut position) = (Vec::new(), None);
        loop {
            let page = self.reseller_refids(RESELLERS, position).await?;
            resellers.extend(page.items);
            position = page.position;
            if position.is_none() {
                return Ok(resellers);
            }
        }
    }

    /// The day on which the first thing was created, or `None` in an empty table. Entries are not looked at, because
    /// their reseller is always older.
    pub async fn first_day(&self) -> Result<Option<Day>, StoreError> {
        let mut reads = Vec::new();
        for kind in [Kind::Client, Kind::Licence, Kind::Reseller] {
            for (index, pk) in self.lists(kind).await? {
                let table = self.table.clone();
                reads.push(async move { first_in(&table, index, pk).await });
            }
        }
        let first = side_by_side(AT_ONCE, reads).await?.into_iter().flatten().min();
        Ok(first.map(Time::day))
    }

    fn fact(item: &Item) -> Result<Option<Fact>, StoreError> {
        let change = change::between(None, item)?;
        Ok(change.as_ref().and_then(Fact::of))
    }
}

async fn first_in(table: &Table, index: Index, pk: String) -> Result<Option<Time>, StoreError> {
    let range = Range::of(index, pk, 1);
    let slice = patiently(|| table.query(&range)).await?;
    let place = slice.items.first().and_then(|it| text_of(it, index.sk()));
    let time = |place: &str| {
        let time = place.split('#').next().unwrap_or_default().to_owned();
        Time::try_from(time).map_err(|_| StoreError::Unreadable("an item in a list has a malformed index key".into()))
    };
    place.map(time).transpose()
}
