//! Searching: lists of the clients and resellers that a text finds.
//!
//! Items: a row in `SQ#T` for each client of a reseller, in `SQ#s` for all clients, in `SQ#RS` for resellers; the sort
//! key is a text that the party is found by, cut to 64 bytes, and its refid. A row holds nothing else.
//!
//! Invariant: rows lag behind their parties (`search_rows.rs` beside this file), so a list reads what it has found, and
//! shows a party as it is now, if it is still one to show. Where several rows of a party fit, it stands at one of them
//! only, so no page shows it twice.

use std::collections::BTreeSet;

use purser_domain::basic::ResellerRefid;
use purser_domain::parties::Search;

use crate::engine::item::text_of;
use crate::engine::page::shards;
use crate::engine::table::Source;
use crate::engine::table::range::beginning;
use crate::engine::{Consistency, Item, Key, List, Order, Page, Paging};
use crate::{Store, StoreError};

/// The partition of resellers' rows.
pub(super) const RESELLERS: &str = "SQ#RS";
/// How many bytes of a text stand in a key. The rest is compared with the party itself.
const MOST_BYTES: usize = 64;
/// How often rows are read for one page before it is returned short.
const ROUNDS: u32 = 4;
/// What can be found.
pub(crate) trait Party {
    fn refid(&self) -> &str;
    fn texts(&self) -> Vec<String>;
    /// The partitions that hold its rows.
    fn partitions(&self) -> Vec<String>;
}

/// The part of a text that stands in keys.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or_default()
}

fn place(text: &str, refid: &str) -> String {
    format!("{}#{refid}", cut(text))
}

pub(super) fn rows(party: &impl Party) -> BTreeSet<Key> {
    let texts = party.texts();
    let keys = |pk: &String| {
        let key = |text: &String| Key { pk: pk.clone(), sk: place(text, party.refid()) };
        texts.iter().map(key).collect::<Vec<_>>()
    };
    party.partitions().iter().flat_map(keys).collect()
}

impl Store {
    /// A page of what is found in `partitions`. `read` opens an item; `None` if it is not to be shown.
    pub(crate) async fn search<T: Party>(
        &self,
        (search, partitions): (&Search, Vec<String>),
        noun: &str,
        paging: Paging,
        read: impl Fn(&Item) -> Result<Option<T>, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let text = search.folded();
        let list = List::ascending(Source::Table(Consistency::Eventual), partitions)
            .in_order(paging.order.unwrap_or(Order::Asc))
            .between(Some(beginning(cut(&text))));
        let (mut items, mut position) = (Vec::new(), paging.position);
        for _ in 0..ROUNDS {
            let wanting = paging.limit - items.len();
            // Rows are small, and several may be of one party, so more of them are read than parties are wanted.
            let page = self.page(&list, 2 * wanting, position).await?;
            let places = page.items.iter().filter_map(|row| text_of(row, "sk"));
            let places: Vec<(&str, Key)> =
                places.filter_map(|sk| Some((sk, Key::alone(noun, sk.rsplit_once('#')?.1)))).collect();
            let mut parties = BTreeSet::new();
            let fits = |(_, key): &&(&str, Key)| {
                parties.contains(key) || parties.len() < wanting && parties.insert(key.clone())
            };
            let taken: Vec<&(&str, Key)> = places.iter().take_while(fits).collect();
            let keys: Vec<Key> = parties.into_iter().collect();
            let found = self.table.get_all(&keys, Consistency::Eventual).await?;
            for (sk, key) in &taken {
                let party = found.get(key).map(&read).transpose()?.flatten();
                items.extend(party.filter(|party| shown_at(party, &text).as_deref() == Some(*sk)));
            }
            let stopped = taken.last().filter(|_| taken.len() < places.len());
            position = stopped.map(|(sk, _)| (*sk).to_owned()).or(page.position);
            if position.is_none() || items.len() == paging.limit {
                break;
            }
        }
        Ok(Page { items, position })
    }
}

/// The row of a party at which it is shown, of those that `wanted` finds: rather that of its name than another.
fn shown_at(party: &impl Party, wanted: &str) -> Option<String> {
    let found = party.texts().into_iter().find(|text| text.starts_with(wanted));
    found.map(|text| place(&text, party.refid()))
}

/// Where the clients of a reseller, or all clients, are found.
pub(super) fn among_clients(reseller: Option<&ResellerRefid>) -> Vec<String> {
    reseller.map_or_else(|| shards("SQ"), |reseller| vec![format!("SQ#{reseller}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_at_a_character() {
        for (text, kept) in [("a".repeat(100), 64), ("é".repeat(100), 64), ("株".repeat(100), 63), ("ab".into(), 2)] {
            assert_eq!(cut(&text).len(), kept, "{text}");
        }
    }
}
