//! Pages of lists, from one partition of an index or from all shards of a list.
//!
//! Invariant: the cost of a page depends on its size, never on the size of the list. Each partition is queried for its
//! share of the page, and only a partition that would otherwise delay the page is queried again. The order is that of
//! the sort keys across all shards, so a cursor needs only one position. A page with a filter may be short, but its
//! position always says where the list continues.

use std::collections::BTreeMap;

use purser_domain::basic::Time;

use crate::engine::item::{Item, text_of};
use crate::engine::keys;
use crate::engine::table::range::Between;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Filter, Range, Source};
use crate::{Store, StoreError};

/// How often a filtered page is read before it is returned short. Each round reads twice as much as the one before.
const FILTERED_ROUNDS: u32 = 4;

#[derive(Debug, Clone)]
pub(crate) struct List {
    source: Source,
    partitions: Vec<String>,
    between: Option<Between>,
    filters: Vec<Filter>,
    ascending: bool,
}

/// The order of a list, by its sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Asc,
    Desc,
}

/// When what a list shows was created. Every bound that is given must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Created {
    /// At this moment or after it.
    pub after: Option<Time>,
    /// Before this moment.
    pub before: Option<Time>,
}

impl Created {
    pub fn holds(self, at: Time) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at < before)
    }

    /// The bounds of the sort keys, in a list by time of creation. A time sorts before the keys that begin with it.
    pub(crate) fn between(self) -> Option<Between> {
        let text = |time: Option<Time>, none: &str| time.map_or_else(|| none.to_owned(), |time| time.to_string());
        (self.after.is_some() || self.before.is_some()).then(|| (text(self.after, "0"), text(self.before, "~")))
    }
}

/// Which page of a list to read.
#[derive(Debug, Clone)]
pub struct Paging {
    /// The most items of the page.
    pub limit: usize,
    /// Where the page before ended. `None` for the first page.
    pub position: Option<String>,
    /// `None` for the list's own order.
    pub order: Option<Order>,
}

#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins, which may turn out to be empty. `None` if this is the last page.
    pub position: Option<String>,
}

impl<T> Page<T> {
    /// The result of a look-up, as the only page.
    pub fn only(found: Option<T>) -> Self {
        Self { items: found.into_iter().collect(), position: None }
    }

    pub(crate) fn map<U>(self, read: impl FnMut(T) -> Result<U, StoreError>) -> Result<Page<U>, StoreError> {
        let items = self.items.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, position: self.position })
    }
}

pub(crate) fn shards(noun: &str) -> Vec<String> {
    (0..keys::SHARDS).map(|shard| format!("{noun}#{shard}")).collect()
}

/// For each partition that was not read to its end, the sort key at which reading stopped.
type Stops = BTreeMap<String, String>;

impl Store {
    /// A page of a list, in the list's own order or the one that is asked for.
    pub(crate) async fn paged(&self, list: List, paging: Paging) -> Result<Page<Item>, StoreError> {
        let list = match paging.order {
            Some(order) => list.in_order(order),
            None => list,
        };
        self.page(&list, paging.limit, paging.position).await
    }

    pub(crate) async fn page(
        &self,
        list: &List,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Item>, StoreError> {
        // Each of many partitions should hold an equal share of the page; twice that share is read. Only the few that
        // hold more are queried again, so what is read does not depend on the size of the list.
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
            // If few items pass the filters, all partitions are read further; otherwise only those that delay the
            // page.
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

    /// Reads up to `share` items of each of these partitions concurrently, and notes where reading stopped.
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
                source: list.source,
                pk: pk.clone(),
                between: list.between.clone(),
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
                let sk = text_of(&item, list.source.sk()).unwrap_or_default();
                found.insert(sk.to_owned(), item);
            }
        }
        Ok(())
    }
}

impl List {
    /// A list in the order of its sort keys.
    pub(crate) fn ascending(source: impl Into<Source>, partitions: Vec<String>) -> Self {
        Self { source: source.into(), partitions, between: None, filters: Vec::new(), ascending: true }
    }

    pub(crate) fn descending(source: impl Into<Source>, partitions: Vec<String>) -> Self {
        Self::ascending(source, partitions).in_order(Order::Desc)
    }

    #[must_use]
    pub(crate) fn in_order(self, order: Order) -> Self {
        Self { ascending: order == Order::Asc, ..self }
    }

    /// Only the items whose sort keys lie in `between`, if that is given.
    #[must_use]
    pub(crate) fn between(self, between: Option<Between>) -> Self {
        Self { between, ..self }
    }

    #[must_use]
    pub(crate) fn filtered(self, filters: Vec<Filter>) -> Self {
        Self { filters, ..self }
    }

    /// Whether the list is known completely up to `sk`, if `frontier` is the first position at which reading stopped.
    fn reaches(&self, frontier: Option<&String>, sk: &String) -> bool {
        match frontier {
            Some(end) if self.ascending => sk <= end,
            Some(end) => sk >= end,
            None => true,
        }
    }
}

/// The first position, in the order of the list, at which the reading of a partition stopped. Beyond it, what was
/// found may have gaps.
fn frontier(list: &List, stops: &Stops) -> Option<String> {
    let stops = stops.values().cloned();
    if list.ascending { stops.min() } else { stops.max() }
}

/// Cuts what was found to one page, which does not reach beyond the frontier.
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
