//! What each thing adds, by the hour it was made in: `TL#noun#hour#s` / refid.
//!
//! Invariant: a row says what a thing adds in its newest version that was heard of; an older one that comes late
//! changes nothing. It names each scope that the thing ever was in, so that one it left is counted again, too.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::{Counts, Fact, Kind, Scope};
use purser_domain::time::{Hour, Time};
use serde::{Deserialize, Serialize};

use crate::item::{Item, attribute, doc, number, text};
use crate::keys::{Key, SHARDS, shard};
use crate::side_by_side::side_by_side;
use crate::table::{Consistency, Table};
use crate::turn::patiently;
use crate::{Store, StoreError};

/// How many rows are written at a time.
const AT_ONCE: usize = 16;

/// What of a row changes with the thing's version.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    scopes: BTreeSet<Scope>,
    counts: Counts,
}

/// The sums of an hour.
pub(super) type Sums = BTreeMap<Scope, Counts>;

fn partition(kind: Kind, hour: Hour, shard: u8) -> String {
    format!("TL#{}#{hour}#{shard}", kind.noun())
}

impl Store {
    /// Writes what these things add, and then marks their hours: what is marked before could be counted without them.
    pub async fn project(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let row = |fact: &Fact| write(self.table.clone(), fact.clone());
        let rows: Vec<_> = facts.iter().map(row).collect();
        side_by_side(AT_ONCE, rows).await?;
        let mut hours: BTreeMap<(Kind, Hour), Time> = BTreeMap::new();
        for fact in facts {
            let since = hours
                .entry((fact.kind, fact.at.hour()))
                .or_insert(fact.since);
            *since = fact.since.min(*since);
        }
        let marks = hours.into_iter().map(|((kind, hour), since)| {
            let store = self.clone();
            async move { store.mark(kind, hour, since).await }
        });
        side_by_side(AT_ONCE, marks.collect()).await.map(|_| ())
    }

    /// What the things made in an hour add up to, as of now; with zeros for whoever has none of them any more.
    pub(super) async fn count(&self, kind: Kind, hour: Hour) -> Result<Sums, StoreError> {
        let shards = (0..SHARDS).map(|shard| {
            let (table, pk) = (self.table.clone(), partition(kind, hour, shard));
            async move {
                let read = || table.partition(&pk, None, Consistency::Strong);
                sum(&patiently(read).await?)
            }
        });
        let mut sums = Sums::new();
        for part in side_by_side(usize::from(SHARDS), shards.collect()).await? {
            for (scope, counts) in part {
                sums.entry(scope).or_default().add_all(&counts);
            }
        }
        Ok(sums)
    }
}

async fn write(table: Table, fact: Fact) -> Result<(), StoreError> {
    let key = Key {
        pk: partition(fact.kind, fact.at.hour(), shard(&fact.refid)),
        sk: fact.refid,
    };
    let ever: Vec<String> = fact.scopes.iter().map(ToString::to_string).collect();
    let row = attribute(&Row {
        scopes: fact.scopes,
        counts: fact.counts,
    })?;
    let update = || {
        // The same version is written again: a later Purser may count more of it.
        let update = table
            .update(&key)
            .update_expression("SET kind = :kind, doc = :doc, version = :version ADD ever :ever")
            .condition_expression("attribute_not_exists(pk) OR version <= :version")
            .expression_attribute_values(":kind", text("timeline"))
            .expression_attribute_values(":doc", row.clone())
            .expression_attribute_values(":version", number(fact.version))
            .expression_attribute_values(
                ":ever",
                aws_sdk_dynamodb::types::AttributeValue::Ss(ever.clone()),
            );
        Table::send_update(update)
    };
    patiently(update).await.map(|_| ())
}

fn sum(rows: &[Item]) -> Result<Sums, StoreError> {
    let mut sums = Sums::new();
    for item in rows {
        let row: Row = doc(item)?;
        let ever: BTreeSet<Scope> = crate::item::part(item, "ever")?;
        for scope in ever {
            sums.entry(scope).or_default();
        }
        for scope in row.scopes {
            sums.entry(scope).or_default().add_all(&row.counts);
        }
    }
    Ok(sums)
}
