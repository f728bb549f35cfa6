//! Marks, `DM#noun#hour`: which hours must be counted again.
//!
//! A mark lists the shards that the hour's rows are in, so that an hour with few rows is cheap to count. Invariant: a
//! row is written before the generation of its hour's mark is raised, and a mark is taken off the list only if its
//! generation is still the one that was counted. So a change that arrives during a count is not forgotten.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use purser_domain::analytics::Kind;
use purser_domain::basic::{Hour, Time};

use super::lease::{Lease, lost};
use crate::engine::command::turn::patiently;
use crate::engine::item::{number, part, text, text_of};
use crate::engine::table::{Outcome, Range, Reason};
use crate::engine::{Condition, Consistency, Index, Item, Key, Table, TableError, Turn, Write};
use crate::{Store, StoreError};

/// The partition of gsi4 that lists all dirty hours.
const DIRTY: &str = "DIRTY";
const KIND: &str = "mark";
/// The attribute that counts how often the hour was marked.
const GENERATION: &str = "generation";
const SHARDS: &str = "shards";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    pub kind: Kind,
    pub hour: Hour,
    /// The time of the first change that is not counted yet.
    pub since: Time,
}

/// A mark, as it was read before its hour was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub(super) kind: Kind,
    pub(super) hour: Hour,
    /// Every shard that a row of the hour was ever written to.
    pub(super) shards: BTreeSet<u8>,
    generation: u64,
}

fn key(kind: Kind, hour: Hour) -> Key {
    Key::alone("DM", format_args!("{}#{hour}", kind.into_str()))
}

impl Store {
    pub(super) async fn mark(
        &self,
        (kind, hour): (Kind, Hour),
        shards: &BTreeSet<u8>,
        since: Time,
    ) -> Result<(), StoreError> {
        let key = key(kind, hour);
        let place = format!("{since}#{}#{hour}", kind.into_str());
        let update = || {
            // An hour that is already listed keeps its place, and so the time at which it became dirty.
            let update = self
                .table
                .update(&key)
                .update_expression(
                    "SET kind = :kind, gsi4pk = :dirty, gsi4sk = if_not_exists(gsi4sk, :place) \
                     ADD generation :one, shards :shards",
                )
                .expression_attribute_values(":shards", numbers(shards))
                .expression_attribute_values(":kind", text(KIND))
                .expression_attribute_values(":dirty", text(DIRTY))
                .expression_attribute_values(":place", text(&place))
                .expression_attribute_values(":one", number(1));
            Table::send_update(update)
        };
        patiently(update).await.map(|_| ())
    }

    /// The dirty hours, at most `limit`, longest dirty first. The index lags slightly behind the table.
    pub async fn dirty(&self, limit: i32) -> Result<Vec<Dirty>, StoreError> {
        let range = Range::of(Index::Due, DIRTY.to_owned(), limit);
        let slice = patiently(|| self.table.query(&range)).await?;
        slice.items.iter().map(read).collect()
    }

    /// The mark of an hour, read strongly consistently. `None` if the hour is no longer dirty.
    pub(super) async fn read_mark(&self, dirty: &Dirty) -> Result<Option<Mark>, StoreError> {
        let key = key(dirty.kind, dirty.hour);
        let item = patiently(|| self.table.get(&key, Consistency::Strong)).await?;
        let listed = item.filter(|item| item.contains_key(Index::Due.pk()));
        let mark = |item: Item| {
            Ok(Mark {
                kind: dirty.kind,
                hour: dirty.hour,
                generation: part(&item, GENERATION)?,
                shards: part(&item, SHARDS)?,
            })
        };
        listed.map(mark).transpose()
    }

    /// Takes marks off the list, except those whose hour was marked again since it was counted. Fails if the run has
    /// lost the lease: the new holder may have summed up before this run wrote its figures, so the marks must stay for
    /// it to count again.
    pub(super) async fn clear(&self, lease: &Lease, marks: &[Mark]) -> Result<(), StoreError> {
        let mut left: Vec<&Mark> = marks.iter().collect();
        let mut turn = Turn::new();
        while !left.is_empty() {
            let mut writes = vec![lease.check()];
            writes.extend(left.iter().map(|mark| mark.cleared()));
            let reasons = match self.table.transact(&writes).await {
                Ok(Outcome::Committed) => return Ok(()),
                Ok(Outcome::Cancelled(reasons)) => reasons,
                Err(TableError::Contended(why)) => {
                    turn.wait(&why).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let [of_lease, of_marks @ ..] = reasons.as_slice() else {
                return Err(StoreError::Unreadable("a cancelled transaction has no reasons".into()));
            };
            if let Reason::Condition(_) = of_lease {
                return Err(lost());
            }
            let mut of_marks = of_marks.iter();
            let before = left.len();
            left.retain(|_| !matches!(of_marks.next(), Some(Reason::Condition(_))));
            if left.len() == before {
                turn.wait("marks").await?;
            }
        }
        Ok(())
    }
}

impl Mark {
    /// The write that takes the mark off the list: the item stays, without its index keys.
    fn cleared(&self) -> Write {
        let key = key(self.kind, self.hour);
        let item = Item::from([
            ("pk".to_owned(), text(key.pk)),
            ("sk".to_owned(), text(key.sk)),
            ("kind".to_owned(), text(KIND)),
            (GENERATION.to_owned(), number(self.generation)),
            (SHARDS.to_owned(), numbers(&self.shards)),
        ]);
        Write::Put(item, Condition::Is(GENERATION, number(self.generation)))
    }
}

fn numbers(shards: &BTreeSet<u8>) -> AttributeValue {
    AttributeValue::Ns(shards.iter().map(ToString::to_string).collect())
}

fn read(item: &Item) -> Result<Dirty, StoreError> {
    let place = text_of(item, Index::Due.sk()).unwrap_or_default();
    let parsed = || {
        let mut parts = place.split('#');
        let since = Time::try_from(parts.next()?.to_owned()).ok()?;
        let kind = parts.next()?.parse().ok()?;
        let hour = parts.next()?.parse().ok()?;
        Some(Dirty { kind, hour, since })
    };
    parsed().ok_or_else(|| StoreError::Unreadable("a mark has a malformed index key".into()))
}
