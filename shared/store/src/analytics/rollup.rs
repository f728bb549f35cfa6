//! Rolling up: the figures of hours that are dirty, and of the days, months, years and all time they are in.
//!
//! Invariant: each figure is computed from what stands in the table, never added to; who writes them holds the lease,
//! and whoever held it before can't write any more what the holder has written, nor take a mark from the list. So a run
//! that comes twice, ends early or goes on after it was given up on leaves the same figures.

use super::lease::Lease;
use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Counts, Kind, Scope};

use super::mark::{Dirty, Mark};
use crate::engine::table::side_by_side::side_by_side;
use crate::{Store, StoreError};

/// How many scopes are summed up at a time.
const AT_ONCE: usize = 16;
/// The most hours that are counted together: their marks are cleared in one transaction, with the lease.
pub const MOST_HOURS: usize = 96;

impl Store {
    /// Counts these hours again, at most [`MOST_HOURS`], and with them whatever they are summed up in.
    /// Says how many of them were dirty.
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
        // Each mark is read before its hour is.
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
            // An hour makes at most four more figures.
            let (store, stamp) = (self.clone(), lease.stamp(5 * hours.len()));
            work.push(async move { store.sum_up(kind, scope, hours, stamp).await });
        }
        side_by_side(AT_ONCE, work).await?;
        self.clear(lease, &marks).await?;
        Ok(marks.len())
    }

    /// Writes figures of a scope that changed, level by level: each is read with its neighbours, and all together make
    /// the next one.
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
