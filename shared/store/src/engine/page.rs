//! Pages of lists, newest first, from one partition of an index or from all its shards.
//!
//! Invariant: a page's cost depends on its size, never on how much there is: each partition is read for its share,
//! and read on only where that holds the page up. The order is that of the sort key over all shards, so one position
//! is a whole cursor. With a filter a page may be short; it still says truly where the list goes on.

use std::collections::BTreeMap;

use crate::engine::item::{Item, text_of};
use crate::engine::keys;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Filter, Range};
use crate::{Store, StoreError};

/// How often a filtered page reads on, twice as much each time, before it stops short.
const FILTERED_ROUNDS: u32 = 4;

/// A list to read a page of.
#[derive(Debug, Clone)]
pub struct List {
    /// The index.
    pub index: keys::Index,
    /// The partitions it runs over.
    pub partitions: Vec<String>,
    /// What an item must be.
    pub filters: Vec<Filter>,
    /// Lowest sort key first.
    pub ascending: bool,
}

/// A page of items, and the position it goes on from.
#[derive(Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, when there may be one.
    pub position: Option<String>,
}

impl<T> Page<T> {
    /// The page of a look-up: what it found, or nothing.
    pub fn only(found: Option<T>) -> Self {
        Self { items: found.into_iter().collect(), position: None }
    }

    /// The page with each item read by `read`.
    pub(crate) fn map<U>(self, read: impl FnMut(T) -> Result<U, StoreError>) -> Result<Page<U>, StoreError> {
        let items = self.items.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, position: self.position })
    }
}

/// The eight partitions of a list that everybody shares.
pub(crate) fn shards(noun: &str) -> Vec<String> {
    (0..keys::SHARDS).map(|shard| format!("{noun}#{shard}")).collect()
}

/// Where the reading of a partition stopped, when it was not at its end.
type Stops = BTreeMap<String, String>;

impl Store {
    /// A page of at most `limit` items of `list` after `position`.
    pub(crate) async fn page(
        &self,
        list: &List,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Item>, StoreError> {
        // Of many partitions each is expected to hold its share of the page, and read for twice that; the few that
        // hold more are read on. So what is read does not depend on how much there is.
        let mut share = match list.partitions.len() {
            0 | 1 => limit,
            partitions => 2 * limit.div_ceil(partitions),
        };
        let mut found = BTreeMap::new();
        let mut stops = Stops::new();
        let mut from: Vec<(String, Option<String>)> = Vec::new();
        from.extend(list.partitions.iter().map(|pk| (pk.clone(), position.clone())));
        let mut rounds = 0;
        loop {
            self.read_on(list, from, share, &mut found, &mut stops).await?;
            let frontier = frontier(list, &stops);
            let reached = |sk: &&String| list.reaches(frontier.as_ref(), sk);
            let enough = found.keys().filter(reached).count() >= limit;
            let filtered = !list.filters.is_empty();
            rounds += 1;
            if enough || frontier.is_none() || filtered && rounds == FILTERED_ROUNDS {
                return Ok(cut(list, limit, found, frontier));
            }
            // Where few items pass the filters all go on; else those that hold the page up.
            from = stops
                .iter()
                .filter(|(_, stop)| filtered || Some(*stop) == frontier.as_ref())
                .map(|(pk, stop)| (pk.clone(), Some(stop.clone())))
                .collect();
            if filtered {
                share *= 2;
            }
        }
    }

    /// Reads so many items of each of these partitions, side by side, and notes what was found and where it stopped.
    async fn read_on(
        &self,
        list: &List,
        from: Vec<(String, Option<String>)>,
        share: usize,
        found: &mut BTreeMap<String, Item>,
        stops: &mut Stops,
    ) -> Result<(), StoreError> {
        let reads = from.into_iter().map(|(pk, beyond)| {
            let range = Range {
                index: list.index,
                pk: pk.clone(),
                beyond,
                after: None,
                ascending: list.ascending,
                limit: i32::try_from(share).unwrap_or(i32::MAX),
                filters: list.filters.clone(),
            };
            let table = self.table.clone();
            async move { Ok((pk, table.query(&range).await?)) }
        });
        for (pk, slice) in side_by_side(usize::MAX, reads.collect()).await? {
            match slice.stopped_at {
                Some(stop) => stops.insert(pk, stop),
                None => stops.remove(&pk),
            };
            for item in slice.items {
                let sk = text_of(&item, list.index.sk()).unwrap_or_default();
                found.insert(sk.to_owned(), item);
            }
        }
        Ok(())
    }
}

impl List {
    /// Whether everything up to `sk` was read, when reading stopped first at `frontier`.
    fn reaches(&self, frontier: Option<&String>, sk: &String) -> bool {
        match frontier {
            Some(end) if self.ascending => sk <= end,
            Some(end) => sk >= end,
            None => true,
        }
    }
}

/// The first place, in the order of the list, where some partition's reading stopped: beyond it what was found may have
/// gaps.
fn frontier(list: &List, stops: &Stops) -> Option<String> {
    let stops = stops.values().cloned();
    if list.ascending { stops.min() } else { stops.max() }
}

/// Cuts what was found to a page, which ends at the frontier.
fn cut(list: &List, limit: usize, found: BTreeMap<String, Item>, frontier: Option<String>) -> Page<Item> {
    let ordered: Box<dyn Iterator<Item = (String, Item)>> =
        if list.ascending { Box::new(found.into_iter()) } else { Box::new(found.into_iter().rev()) };
    let mut remaining = ordered.filter(|(sk, _)| list.reaches(frontier.as_ref(), sk)).peekable();
    let mut items = Vec::new();
    let mut end = None;
    while items.len() < limit
        && let Some((sk, item)) = remaining.next()
    {
        end = Some(sk);
        items.push(item);
    }
    let position = if remaining.peek().is_some() { end } else { frontier };
    Page { items, position }
}
