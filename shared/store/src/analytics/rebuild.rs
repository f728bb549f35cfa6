//! Repairing figures that a recount found wrong: the rows of the things concerned are written again, and the hours
//! concerned are marked.
//!
//! Invariant: a rebuild writes no figure. `rollup` counts the marked hours again, as it always does, so a rebuild may
//! run at any time, run twice, or stop half-way.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Fact, Kind, Scope};
use purser_domain::basic::{Hour, Time};

use super::recount::Difference;
use super::timeline::{Row, row_key};
use crate::engine::Item;
use crate::engine::item::key_of;
use crate::engine::keys::{ALONE, SHARDS};
use crate::{Store, StoreError};

impl Store {
    /// Repairs the differences that [`Store::recount`] found. Figures are right once `rollup` has run.
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
                        // One marked hour makes `rollup` sum up its longer periods as well.
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
        // The mark itself may be wrong: it may lack a shard.
        let everywhere: BTreeSet<u8> = (0..SHARDS).collect();
        for ((kind, hour), scopes) in scopes {
            self.name(kind, hour, &scopes).await?;
            self.mark((kind, hour), &everywhere, now).await?;
        }
        Ok(())
    }

    /// Writes the rows of these things again, even where the stored row claims a later version than its thing has.
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

    /// Empties those rows of an hour whose thing does not exist or belongs to another hour.
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
