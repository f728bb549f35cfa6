//! The timeline: rows that say what each thing adds to figures, by the hour in which the thing was created,
//! `TL#noun#hour#s` / refid.
//!
//! Invariant: a row holds what its thing adds in the newest version received so far; an older version that arrives
//! late changes nothing. A row names every scope that its thing was ever in, so that a scope which the thing has left
//! is counted again, too.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use purser_domain::analytics::{Counts, Fact, Kind, Scope};
use purser_domain::basic::{Hour, Time};
use serde::{Deserialize, Serialize};

use super::mark::Mark;
use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, number, part, text};
use crate::engine::keys::{ALONE, SHARDS, shard};
use crate::engine::table::Source;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::{Consistency, Item, Key, Table};
use crate::{Store, StoreError};

/// The shard of an hour that holds the scopes named by [`Store::name`].
const FIRST_SHARD: u8 = 0;
const KIND: &str = "timeline";
/// How many rows are written concurrently.
const AT_ONCE: usize = 16;

/// The part of a row that is replaced with each version. The scopes that the thing was ever in are an attribute of
/// their own.
#[derive(Debug, Default, Serialize, Deserialize)]
struct TimelineDoc {
    scopes: BTreeSet<Scope>,
    counts: Counts,
}

/// What the table holds of a thing.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) version: u64,
    pub(super) scopes: BTreeSet<Scope>,
    pub(super) counts: Counts,
}

impl Row {
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        let TimelineDoc { scopes, counts } = doc(item)?;
        Ok(Self { version: part(item, "version")?, scopes, counts })
    }
}

pub(super) fn row_key(fact: &Fact) -> Key {
    Key { pk: partition(fact.kind, fact.at.hour(), shard(&fact.refid)), sk: fact.refid.clone() }
}

/// The counts of an hour by scope.
pub(super) type Sums = BTreeMap<Scope, Counts>;

fn partition(kind: Kind, hour: Hour, shard: u8) -> String {
    format!("TL#{}#{hour}#{shard}", kind.into_str())
}

impl Store {
    /// Writes the rows of these facts, and then marks their hours. The other way round, an hour could be counted and
    /// its mark cleared before the rows are there.
    pub async fn project(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let row = |fact: &Fact| write(self.table.clone(), fact.clone());
        let rows: Vec<_> = facts.iter().map(row).collect();
        side_by_side(AT_ONCE, rows).await?;
        let mut hours: BTreeMap<(Kind, Hour), (BTreeSet<u8>, Time)> = BTreeMap::new();
        for fact in facts {
            let marked = hours.entry((fact.kind, fact.at.hour()));
            let (shards, since) = marked.or_insert_with(|| (BTreeSet::new(), fact.since));
            shards.insert(shard(&fact.refid));
            *since = fact.since.min(*since);
        }
        let marks = hours.into_iter().map(|(hour, (shards, since))| {
            let store = self.clone();
            async move { store.mark(hour, &shards, since).await }
        });
        side_by_side(AT_ONCE, marks.collect()).await.map(|_| ())
    }

    /// Sums up the rows of an hour, read strongly consistently. A scope that no thing of the hour is in any more gets
    /// zeros, so that its figure is corrected.
    pub(super) async fn count(&self, mark: &Mark) -> Result<Sums, StoreError> {
        let shards = mark.shards.iter().copied();
        sum(&self.rows(mark.kind, mark.hour, shards).await?)
    }

    /// The rows of an hour in these shards, read strongly consistently.
    pub(super) async fn rows(
        &self,
        kind: Kind,
        hour: Hour,
        shards: impl IntoIterator<Item = u8>,
    ) -> Result<Vec<Item>, StoreError> {
        let shards = shards.into_iter().map(|shard| {
            let (table, pk) = (self.table.clone(), partition(kind, hour, shard));
            async move {
                let source = Source::Table(Consistency::Strong);
                patiently(|| table.partition(source, &pk, None)).await
            }
        });
        let rows = side_by_side(usize::from(SHARDS), shards.collect()).await?;
        Ok(rows.concat())
    }

    /// Names scopes in an item of their own, so that the next count of the hour writes their figures even if no row
    /// names them.
    pub(super) async fn name(&self, kind: Kind, hour: Hour, scopes: &BTreeSet<Scope>) -> Result<(), StoreError> {
        let (ever, nothing) = (names(scopes), attribute(&TimelineDoc::default())?);
        let key = Key { pk: partition(kind, hour, FIRST_SHARD), sk: ALONE.to_owned() };
        let update = || {
            let update = self
                .table
                .update(&key)
                .update_expression("SET kind = :kind, doc = :nothing, version = :none ADD ever :ever")
                .expression_attribute_values(":kind", text(KIND))
                .expression_attribute_values(":nothing", nothing.clone())
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":ever", ever.clone());
            Table::send_update(update)
        };
        patiently(update).await.map(|_| ())
    }

    /// Makes a row add nothing and sets its version to `version`, if it is still in version `kept`.
    pub(super) async fn empty(&self, key: &Key, kept: u64, version: u64) -> Result<(), StoreError> {
        let nothing = attribute(&TimelineDoc::default())?;
        let update = || {
            let update = self
                .table
                .update(key)
                .update_expression("SET doc = :nothing, version = :version")
                .condition_expression("version = :kept")
                .expression_attribute_values(":nothing", nothing.clone())
                .expression_attribute_values(":version", number(version))
                .expression_attribute_values(":kept", number(kept));
            Table::send_update(update)
        };
        patiently(update).await.map(|_| ())
    }
}

async fn write(table: Table, fact: Fact) -> Result<(), StoreError> {
    let key = row_key(&fact);
    let ever = names(&fact.scopes);
    let row = attribute(&TimelineDoc { scopes: fact.scopes, counts: fact.counts })?;
    let update = || {
        // The same version is written again, because a later release may derive other counts from it.
        let update = table
            .update(&key)
            .update_expression("SET kind = :kind, doc = :doc, version = :version ADD ever :ever")
            .condition_expression("attribute_not_exists(pk) OR version <= :version")
            .expression_attribute_values(":kind", text(KIND))
            .expression_attribute_values(":doc", row.clone())
            .expression_attribute_values(":version", number(fact.version))
            .expression_attribute_values(":ever", ever.clone());
        Table::send_update(update)
    };
    patiently(update).await.map(|_| ())
}

fn names<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> AttributeValue {
    AttributeValue::Ss(scopes.into_iter().map(ToString::to_string).collect())
}

fn sum(rows: &[Item]) -> Result<Sums, StoreError> {
    let mut sums = Sums::new();
    for item in rows {
        let row: TimelineDoc = doc(item)?;
        let ever: BTreeSet<Scope> = part(item, "ever")?;
        for scope in ever {
            sums.entry(scope).or_default();
        }
        for scope in row.scopes {
            sums.entry(scope).or_default().add_all(&row.counts);
        }
    }
    Ok(sums)
}
