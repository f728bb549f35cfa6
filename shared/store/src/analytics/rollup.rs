//! Rolling up: counts dirty hours again, and sums them up into days, months, years and all time.
//!
//! Invariant: each figure is computed from what is in the table, never added to. Only the holder of the lease writes
//! figures. A run that has lost the lease can neither overwrite what the new holder wrote nor clear a mark. So a run
//! that happens twice, ends early, or goes on after it lost the lease leaves the same figures.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Counts, Kind, Scope};

use super::lease::Lease;
use super::mark::{Dirty, Mark};
use crate::engine::table::side_by_side::side_by_side;
use crate::{Store, StoreError};

/// How many scopes are summed up concurrently.
const AT_ONCE: usize = 16;
/// The most hours that are counted together. Their marks are cleared in one transaction, together with the check of
/// the lease, and a transaction has at most 100 items.
pub const MOST_HOURS: usize = 96;

impl Store {
    /// Counts these hours again, at most [`MOST_HOURS`], and sums up the longer periods that they belong to. Returns
    /// how many of the hours were still dirty.
    pub async fn roll_up(&self, lease: &mut Lease, dirty: &[Dirty]) -> Result<usize, StoreError> {
        let counted = dirty.iter().map(|dirty| {
            let (store, dirty) = (self.clone(), *dirty);
            async move {
                let Some(mark) = store.read_mark(&dirty).await? else {
                    return Ok(None);
                };
                let sums = store.count(&mark).await?;
                Ok(Some((mark, sums)))
            }
        });
        // Each mark is read before the rows of its hour, so a row that this count misses raises the generation
        // afterwards.
        let counted = side_by_side(2, counted.collect()).await?;
        let mut changed: BTreeMap<(Kind, Scope), BTreeMap<Period, Counts>> = BTreeMap::new();
        let mut marks: Vec<Mark> = Vec::new();
        for (mark, sums) in counted.into_iter().flatten() {
            for (scope, counts) in sums {
                let hours = changed.entry((mark.kind, scope)).or_default();
                hours.insert(Period::Hour(mark.hour), counts);
            }
            marks.push(mark);
        }
        let mut work = Vec::new();
        for ((kind, scope), hours) in changed {
            // An hour changes at most five figures: its own, the day's, the month's, the year's and that of all time.
            let (store, stamp) = (self.clone(), lease.stamp(5 * hours.len()));
            work.push(async move { store.sum_up(kind, scope, hours, stamp).await });
        }
        side_by_side(AT_ONCE, work).await?;
        self.clear(lease, &marks).await?;
        Ok(marks.len())
    }

    /// Writes the changed figures of a scope, level by level. Each figure of the next level is summed up from all its
    /// parts, which are read again.
    async fn sum_up(
        &self,
        kind: Kind,
        scope: Scope,
        mut changed: BTreeMap<Period, Counts>,
        mut stamp: u64,
    ) -> Result<(), StoreError> {
        while !changed.is_empty() {
            for (period, counts) in &changed {
                self.put_figure((kind, &scope, *period), counts, stamp).await?;
                stamp += 1;
            }
            let parents: BTreeSet<Period> = changed.keys().filter_map(|it| scope.parent(*it)).collect();
            let mut sums = BTreeMap::new();
            for parent in parents {
                let Some(between) = scope.parts(parent) else {
                    continue;
                };
                let parts = self.figures_between(kind, &scope, &between).await?;
                let mut sum = Counts::default();
                for counts in parts.values() {
                    sum.add_all(counts);
                }
                sums.insert(parent, sum);
            }
            changed = sums;
        }
        Ok(())
    }
}
