//! The rows by which clients and resellers are found (`search.rs` beside this file) follow the stream, so no command
//! pays for them.
//!
//! Invariant: a change names the rows that it adds and takes away. Each becomes what the party says as it is now, in
//! one transaction, on condition that the party is still in the version that was read. So a record that comes late,
//! twice or out of order brings no row back, a write that was long on its way does nothing, and no tombstone has to
//! remember what was deleted. If a row changes once more, the record of that change comes, and names it again.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::event::Change;
use purser_domain::parties::{Client, Reseller};

use super::search::rows;
use super::{client, reseller};
use crate::engine::command::turn::patiently;
use crate::engine::item::{doc, key_of, text, text_of};
use crate::engine::page::shards;
use crate::engine::table::Outcome;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::{Condition, Consistency, Index, Item, Key, List, Page, TableError, Turn, Write};
use crate::{Store, StoreError};

const KIND: &str = "search";
/// How many parties' rows are written concurrently.
const AT_ONCE: usize = 16;
/// How many rows one transaction writes; it may write 100 items.
const ROWS_AT_ONCE: usize = 90;
/// How many parties [`Store::search_anew`] goes through at once.
const ANEW: usize = 50;

impl Store {
    /// Has the rows follow these changes.
    pub async fn project_search<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), StoreError> {
        let mut parties: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
        for (party, rows) in changes.into_iter().filter_map(moved) {
            parties.entry(party).or_default().extend(rows);
        }
        let written = parties.into_iter().map(|(party, rows)| {
            let store = self.clone();
            async move { store.write_rows(&party, Some(rows)).await }
        });
        side_by_side(AT_ONCE, written.collect()).await.map(|_| ())
    }

    /// Writes the rows of a page of parties that were stored before there were rows, and returns the page.
    pub async fn search_anew(&self, of: Searched, position: Option<String>) -> Result<Page<Key>, StoreError> {
        let list = List::ascending(Index::Kind, of.listed());
        let page = self.page(&list, ANEW, position).await?;
        let key = |item: Item| key_of(&item).ok_or_else(|| StoreError::Unreadable("an item has no key".into()));
        let page = page.map(key)?;
        let written = page.items.iter().cloned().map(|key| {
            let store = self.clone();
            async move { store.write_rows(&key, None).await }
        });
        side_by_side(AT_ONCE, written.collect()).await?;
        Ok(page)
    }

    /// Makes these rows of a party, or all that it has now, what the party as it is now says.
    async fn write_rows(&self, party: &Key, named: Option<BTreeSet<Key>>) -> Result<(), StoreError> {
        let mut turn = Turn::new();
        loop {
            let item = patiently(|| self.table.get(party, Consistency::Strong)).await?;
            let now = item.as_ref().map(rows_of).transpose()?.unwrap_or_default();
            let version = item.as_ref().map(doc::<Versioned>).transpose()?.map(|it| it.version);
            let check = Write::Check(party.clone(), Condition::of(version));
            let named = named.as_ref().unwrap_or(&now);
            let writes: Vec<Write> = named
                .iter()
                .map(|key| if now.contains(key) { put(key) } else { Write::Delete(key.clone(), Condition::Nothing) })
                .collect();
            let mut why = None;
            for rows in writes.chunks(ROWS_AT_ONCE) {
                match self.table.transact(&[rows, std::slice::from_ref(&check)].concat()).await {
                    Ok(Outcome::Committed) => {}
                    Ok(Outcome::Cancelled(_)) => why = Some("the party changed meanwhile".to_owned()),
                    Err(TableError::Contended(contended)) => why = Some(contended),
                    Err(error) => return Err(error.into()),
                }
            }
            match why {
                None => return Ok(()),
                Some(why) => turn.wait(&why).await?,
            }
        }
    }
}

/// The rows of the party that an item is.
fn rows_of(item: &Item) -> Result<BTreeSet<Key>, StoreError> {
    Ok(match text_of(item, "kind") {
        Some(client::KIND) => rows(&doc::<Client>(item)?),
        Some(reseller::KIND) => rows(&doc::<Reseller>(item)?),
        _ => BTreeSet::new(),
    })
}

/// The party that a change is about, and the rows that it gains or loses.
fn moved(change: &Change) -> Option<(Key, BTreeSet<Key>)> {
    let (key, old, new) = match change {
        Change::Client(old, new) => (client::key(&new.refid), old.as_ref().map(rows), rows(new)),
        Change::ClientDeleted(old, new) => (client::key(&new.refid), old.as_ref().map(rows), BTreeSet::new()),
        Change::Reseller(old, new) => (reseller::key(&new.refid), old.as_ref().map(rows), rows(new)),
        _ => return None,
    };
    let old = old.unwrap_or_default();
    let moved: BTreeSet<Key> = old.symmetric_difference(&new).cloned().collect();
    (!moved.is_empty()).then_some((key, moved))
}

fn put(key: &Key) -> Write {
    let row = [("pk", &key.pk), ("sk", &key.sk), ("kind", &KIND.to_owned())];
    let row = row.map(|(name, value)| (name.to_owned(), text(value)));
    Write::Put(row.into(), Condition::Nothing)
}

#[derive(serde::Deserialize)]
struct Versioned {
    version: u64,
}

/// The kinds of parties that can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searched {
    Clients,
    Resellers,
}

impl Searched {
    /// The partitions of the index by kind that list them.
    fn listed(self) -> Vec<String> {
        match self {
            Self::Clients => shards("CL"),
            Self::Resellers => vec!["RS".to_owned()],
        }
    }
}
