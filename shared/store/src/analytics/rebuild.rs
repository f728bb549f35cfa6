//! Mending what differs: what is kept of each thing is written again, and whatever it is summed up in is marked.
//!
//! Invariant: no figure is written here. `rollup` counts it again, from what stands there then, as it always does; so
//! a rebuild may run at any time, twice, or end anywhere.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Fact, Kind, Scope};
use purser_domain::basic::time::{Hour, Time};

use super::recount::Difference;
use super::timeline::{Row, row_key};
use crate::engine::item::{Item, key_of};
use crate::engine::keys::{ALONE, SHARDS};
use crate::{Store, StoreError};

impl Store {
    /// Mends what [`Store::recount`] found: it is right once `rollup` has counted it.
    pub async fn rebuild(&self, differences: &[Difference], now: Time) -> Result<(), StoreError> {
        let mut things: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        let mut hours: BTreeSet<(Kind, Hour)> = BTreeSet::new();
        let mut scopes: BTreeMap<(Kind, Hour), BTreeSet<Scope>> = BTreeMap::new();
        for difference in differences {
            match difference {
                Difference::Thing { kind, refid, .. } => {
                    things.entry(*kind).or_default().push(refid.clone());
                }
                Difference::Figure { kind, scope, period, .. } => {
                    let hour = match period {
                        Period::Hour(hour) => {
                            hours.insert((*kind, *hour));
                            *hour
                        }
                        // Any hour of it will do.
                        _ => period.days().map_or(now.hour(), |(day, _)| day.first_hour()),
                    };
                    scopes.entry((*kind, hour)).or_default().insert(scope.clone());
                }
            }
        }
        for (kind, hour) in hours {
            self.empty_what_is_of_nothing(kind, hour).await?;
        }
        for (kind, refids) in things {
            let facts = self.facts_named(kind, &refids).await?;
            self.keep(kind, facts.into_values().collect()).await?;
        }
        // What differs may be that a mark does not know of a shard.
        let everywhere: BTreeSet<u8> = (0..SHARDS).collect();
        for ((kind, hour), scopes) in scopes {
            self.name(kind, hour, &scopes).await?;
            self.mark((kind, hour), &everywhere, now).await?;
        }
        Ok(())
    }

    /// Keeps what these things add, whatever version is said to be kept.
    async fn keep(&self, kind: Kind, facts: Vec<Fact>) -> Result<(), StoreError> {
        let things = self.with_rows(kind, facts).await?;
        for thing in &things {
            let later = thing.row.as_ref().map(|row| row.version);
            if let Some(kept) = later.filter(|kept| *kept > thing.fact.version) {
                self.empty(&row_key(&thing.fact), kept, thing.fact.version).await?;
            }
        }
        let facts: Vec<Fact> = things.into_iter().map(|it| it.fact).collect();
        self.project(&facts).await
    }

    /// Empties the rows of an hour whose thing is not there, or was not made then.
    async fn empty_what_is_of_nothing(&self, kind: Kind, hour: Hour) -> Result<(), StoreError> {
        let rows: Vec<Item> = self.rows(kind, hour, 0..SHARDS).await?;
        let keyed = rows.iter().filter_map(|row| Some((key_of(row)?, row)));
        let keyed: Vec<_> = keyed.filter(|(key, _)| key.sk != ALONE).collect();
        let refids: Vec<String> = keyed.iter().map(|(key, _)| key.sk.clone()).collect();
        let facts = self.facts_named(kind, &refids).await?;
        for (key, row) in keyed {
            if facts.get(&key.sk).is_none_or(|fact| row_key(fact) != key) {
                let version = Row::read(row)?.version;
                self.empty(&key, version, version).await?;
            }
        }
        Ok(())
    }
}
