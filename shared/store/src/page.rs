//! Pages of lists, newest first, from one partition of an index or from all its shards.
//!
//! Invariant: a page's cost depends on its size, never on how much there is: each partition is read once, for
//! at most a page. The order is that of the sort key over all shards, so one position is a whole cursor. With
//! a filter a page may be short; it still says truly where the list goes on.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::item::{Item, text_of};
use crate::table::{Filter, Range};
use crate::{Store, StoreError, keys};

/// How many items a filtered page reads of each partition before it stops short.
const FILTER_CAP: i32 = 200;

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
    /// The page with each item read by `read`.
    pub(crate) fn map<U>(
        self,
        read: impl FnMut(T) -> Result<U, StoreError>,
    ) -> Result<Page<U>, StoreError> {
        let items = self.items.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            position: self.position,
        })
    }
}

/// The eight partitions of a list that everybody shares.
pub(crate) fn shards(noun: &str) -> Vec<String> {
    (0..keys::SHARDS)
        .map(|shard| format!("{noun}#{shard}"))
        .collect()
}

impl Store {
    /// A page of at most `limit` items of `list` after `position`.
    pub(crate) async fn page(
        &self,
        list: &List,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Item>, StoreError> {
        let most = i32::try_from(limit).unwrap_or(i32::MAX);
        let mut reads = JoinSet::new();
        for pk in &list.partitions {
            let range = Range {
                index: list.index,
                pk: pk.clone(),
                beyond: position.clone(),
                ascending: list.ascending,
                limit: if list.filters.is_empty() {
                    most
                } else {
                    FILTER_CAP
                },
                filters: list.filters.clone(),
            };
            let table = self.table.clone();
            // The reads run side by side, and still count for the request that asked for them.
            reads.spawn(async move {
                crate::meter::measured(async move { table.query(&range).await }).await
            });
        }
        let mut found = BTreeMap::new();
        let mut stops: Vec<String> = Vec::new();
        while let Some(read) = reads.join_next().await {
            let (slice, cost) = read.map_err(|error| StoreError::Failed(error.to_string()))?;
            crate::meter::add(cost);
            let slice = slice?;
            stops.extend(slice.stopped_at);
            for item in slice.items {
                let sk = text_of(&item, list.index.sk())
                    .unwrap_or_default()
                    .to_owned();
                found.insert(sk, item);
            }
        }
        Ok(cut(list, limit, found, stops))
    }
}

/// Cuts what was found to a page. Beyond the first place where some partition's reading stopped, what was found
/// may have gaps, so the page ends there.
fn cut(list: &List, limit: usize, found: BTreeMap<String, Item>, stops: Vec<String>) -> Page<Item> {
    let frontier = if list.ascending {
        stops.into_iter().min()
    } else {
        stops.into_iter().max()
    };
    let within = |sk: &String| match &frontier {
        Some(end) if list.ascending => sk <= end,
        Some(end) => sk >= end,
        None => true,
    };
    let ordered: Box<dyn Iterator<Item = (String, Item)>> = if list.ascending {
        Box::new(found.into_iter())
    } else {
        Box::new(found.into_iter().rev())
    };
    let mut remaining = ordered.filter(|(sk, _)| within(sk)).peekable();
    let mut items = Vec::new();
    let mut end = None;
    while items.len() < limit
        && let Some((sk, item)) = remaining.next()
    {
        end = Some(sk);
        items.push(item);
    }
    let position = if remaining.peek().is_some() {
        end
    } else {
        frontier
    };
    Page { items, position }
}
