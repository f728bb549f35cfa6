//! Marks: which hours must be counted again, `DM#noun#hour`.
//!
//! A mark knows the shards that its hour's things stand in, so that an hour of few things costs little to count.
//! Invariant: whatever is added to an hour raises its generation after it is there; a mark is taken from the list only
//! in the generation that the hour was counted in, so nothing that comes in between is forgotten.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use purser_domain::analytics::Kind;
use purser_domain::basic::time::{Hour, Time};

use super::lease::{Lease, lost};
use crate::engine::command::turn::{Turn, patiently};
use crate::engine::item::{Item, number, part, text, text_of};
use crate::engine::keys::{Index, Key};
use crate::engine::table::{Condition, Consistency, Outcome, Range, Reason, Table, TableError, Write};
use crate::{Store, StoreError};

/// The partition of the index that lists what is dirty.
const DIRTY: &str = "DIRTY";
/// The kind of a mark's item.
const KIND: &str = "mark";
/// The attribute that counts how often it was marked.
const GENERATION: &str = "generation";
/// The attribute that says where what is counted stands.
const SHARDS: &str = "shards";

/// An hour that is listed as dirty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    /// What was made in it.
    pub kind: Kind,
    /// The hour.
    pub hour: Hour,
    /// When the first change happened that is not counted yet.
    pub since: Time,
}

/// A mark, as it was before its hour was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub(super) kind: Kind,
    pub(super) hour: Hour,
    /// The shards that anything of the hour was ever written to.
    pub(super) shards: BTreeSet<u8>,
    generation: u64,
}

fn key(kind: Kind, hour: Hour) -> Key {
    Key::alone("DM", format_args!("{}#{hour}", kind.noun()))
}

impl Store {
    /// Marks an hour: something in these shards of it changed at `since`.
    pub(super) async fn mark(
        &self,
        (kind, hour): (Kind, Hour),
        shards: &BTreeSet<u8>,
        since: Time,
    ) -> Result<(), StoreError> {
        let key = key(kind, hour);
        let place = format!("{since}#{}#{hour}", kind.noun());
        let update = || {
            // Where it is listed already it stays: it is dirty since then.
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

    /// Up to so many dirty hours, those first that have been so for longest. The list is a moment behind.
    pub async fn dirty(&self, limit: i32) -> Result<Vec<Dirty>, StoreError> {
        let range = Range {
            index: Index::Dirty,
            pk: DIRTY.to_owned(),
            beyond: None,
            after: None,
            ascending: true,
            limit,
            filters: Vec::new(),
        };
        let slice = patiently(|| self.table.query(&range)).await?;
        slice.items.iter().map(read).collect()
    }

    /// The mark of an hour as of now; none when the hour is not dirty any more.
    pub(super) async fn read_mark(&self, dirty: &Dirty) -> Result<Option<Mark>, StoreError> {
        let key = key(dirty.kind, dirty.hour);
        let item = patiently(|| self.table.get(&key, Consistency::Strong)).await?;
        let listed = item.filter(|item| item.contains_key(Index::Dirty.pk()));
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

    /// Takes marks from the list, but for those whose hour was marked again since, if whoever counted them still holds
    /// the lease: who takes it over must find them, because it may have read what they were counted into before.
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
                return Err(StoreError::Unreadable("a cancellation without reasons".into()));
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
    /// The write that takes it from the list.
    fn cleared(&self) -> Write {
        let key = key(self.kind, self.hour);
        let item = Item::from([
            ("pk".to_owned(), text(key.pk)),
            ("sk".to_owned(), text(key.sk)),
            ("kind".to_owned(), text(KIND)),
            (GENERATION.to_owned(), number(self.generation)),
            (SHARDS.to_owned(), numbers(&self.shards)),
        ]);
        Write::Put(item, Condition::Is(GENERATION, self.generation))
    }
}

fn numbers(shards: &BTreeSet<u8>) -> AttributeValue {
    AttributeValue::Ns(shards.iter().map(ToString::to_string).collect())
}

fn read(item: &Item) -> Result<Dirty, StoreError> {
    let place = text_of(item, Index::Dirty.sk()).unwrap_or_default();
    let parsed = || {
        let mut parts = place.split('#');
        let since = Time::try_from(parts.next()?.to_owned()).ok()?;
        let kind = Kind::of(parts.next()?)?;
        let hour = parts.next()?.parse().ok()?;
        Some(Dirty { kind, hour, since })
    };
    parsed().ok_or_else(|| StoreError::Unreadable("a mark's place".into()))
}
