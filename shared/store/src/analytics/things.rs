//! The things that figures are made of, as they are now, beside what is kept of each.
//!
//! Invariant: the lists that they are found in may be a moment behind, so whatever does not agree with what is kept of
//! it is read again, as of now, before anything is said of it.

use std::collections::{BTreeMap, HashMap};

use purser_domain::analytics::{Fact, Kind};
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::{Day, Time};

use super::timeline::{Row, row_key};
use crate::engine::command::turn::patiently;
use crate::engine::item::{Item, text_of};
use crate::engine::keys::{Index, Key};
use crate::engine::page::shards;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Consistency, Range, Source, Table};
use crate::events::change;
use crate::money::entry;
use crate::{Store, StoreError};

/// How many lists are read at a time.
const AT_ONCE: usize = 16;
/// How many resellers are read in one page, to read the entries of each.
const RESELLERS: usize = 100;

/// What a thing adds, and what is kept of that.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) fact: Fact,
    pub(super) row: Option<Row>,
}

impl Thing {
    /// Whether it is kept as it is. A change that adds nothing else is not kept, so an older version may be right.
    pub(super) fn agrees(&self) -> bool {
        self.row.as_ref().is_some_and(|row| {
            row.version <= self.fact.version && row.scopes == self.fact.scopes && row.counts.same(&self.fact.counts)
        })
    }
}

impl Store {
    /// The things of a kind made on a day, each with what is kept of it.
    pub(super) async fn things(&self, kind: Kind, day: Day) -> Result<Vec<Thing>, StoreError> {
        let listed = self.things_listed(kind, day).await?;
        self.with_rows(kind, listed).await
    }

    /// These facts of a kind, each with what is kept of it. Where that does not agree, the thing is read again after
    /// it: what is kept then is of no later version than the thing, whatever changed meanwhile.
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

    /// What things add as of now, by their refids; those that are not there are left out.
    pub(super) async fn facts_named(&self, kind: Kind, refids: &[String]) -> Result<HashMap<String, Fact>, StoreError> {
        let key = |refid: &String| Key::alone(kind.noun(), refid);
        let keys: Vec<Key> = refids.iter().map(key).collect();
        let items = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?;
        let facts = items.values().filter_map(|item| self.fact(item).transpose());
        facts.map(|fact| fact.map(|fact| (fact.refid.clone(), fact))).collect()
    }

    /// What the things that the lists show of a day add.
    async fn things_listed(&self, kind: Kind, day: Day) -> Result<Vec<Fact>, StoreError> {
        let between = (day.to_string(), format!("{day}~"));
        let reads = self.lists(kind).await?.into_iter().map(|(index, pk)| {
            let (table, between) = (self.table.clone(), between.clone());
            async move {
                let read = || table.partition(Source::Index(index), &pk, Some(&between));
                patiently(read).await
            }
        });
        // One that moves from list to list may stand in both.
        let mut listed: BTreeMap<String, Fact> = BTreeMap::new();
        for item in side_by_side(AT_ONCE, reads.collect()).await?.iter().flatten() {
            let fact = self.fact(item)?;
            let fact = fact.ok_or_else(|| StoreError::Unreadable("what is no thing".into()))?;
            let newer = listed.get(&fact.refid).is_none_or(|known| known.version < fact.version);
            if newer {
                listed.insert(fact.refid.clone(), fact);
            }
        }
        Ok(listed.into_values().collect())
    }

    /// The lists that show the things of a kind in the order of time.
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

    /// The day that the first thing was made on; none where there is nothing. Entries have a reseller before them.
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

    fn fact(&self, item: &Item) -> Result<Option<Fact>, StoreError> {
        let change = change::between(None, item, &self.secrets)?;
        Ok(change.as_ref().and_then(Fact::of))
    }
}

/// When the first thing of a list was made.
async fn first_in(table: &Table, index: Index, pk: String) -> Result<Option<Time>, StoreError> {
    let range = Range { index, pk, beyond: None, after: None, ascending: true, limit: 1, filters: Vec::new() };
    let slice = patiently(|| table.query(&range)).await?;
    let place = slice.items.first().and_then(|it| text_of(it, index.sk()));
    let time = |place: &str| {
        let time = place.split('#').next().unwrap_or_default().to_owned();
        Time::try_from(time).map_err(|_| StoreError::Unreadable("a place in a list".into()))
    };
    place.map(time).transpose()
}
