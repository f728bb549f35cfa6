//! Recounting: computes figures from the things themselves and compares them with the stored figures.
//!
//! Invariant: changes that are still under way are not reported as differences. Hours that are dirty, or in which
//! something changed a moment ago, are left out and counted in `under_way`. Whatever differs is looked at a second
//! time, and only a difference that is found both times is reported.

use std::collections::{BTreeMap, BTreeSet};
use strum::VariantArray;

use jiff::SignedDuration;
use purser_domain::analytics::period::{Interval, Period};
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::basic::{Day, Hour, Time};

use super::figure::{RankedBy, neighbours};
use super::mark::Dirty;
use crate::engine::table::side_by_side::side_by_side;
use crate::{Store, StoreError};

/// How long a change may take to reach the figures and the list of dirty hours.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(2);
/// How many scopes are compared concurrently.
const AT_ONCE: usize = 16;
/// How many dirty hours are read. With this many, a recount gives up, because any hour could be under way.
const MOST_DIRTY: i32 = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recount {
    pub things: usize,
    pub figures: usize,
    /// How many hours were left out because changes in them are still being counted.
    pub under_way: usize,
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The stored row of a thing differs from what it adds.
    Thing {
        kind: Kind,
        /// The hour in which the thing was created.
        hour: Hour,
        refid: String,
    },
    /// A stored figure is not the sum that it should be.
    Figure { kind: Kind, scope: Scope, period: Period, kept: Counts, counted: Counts },
}

impl Store {
    /// Recounts a period: a day and its hours from the things created on that day, a longer period from the figures
    /// that it is summed up from. Costs grow with the number of things and resellers; nothing is written.
    pub async fn recount(&self, period: Period, now: Time) -> Result<Recount, StoreError> {
        let first = self.look(period, now).await?;
        if first.differences.is_empty() {
            return Ok(first);
        }
        let mut second = self.look(period, now).await?;
        second.differences.retain(|it| first.differences.contains(it));
        Ok(second)
    }

    async fn look(&self, period: Period, now: Time) -> Result<Recount, StoreError> {
        let dirty = self.dirty(MOST_DIRTY).await?;
        let mut found = Recount::default();
        if dirty.len() == usize::try_from(MOST_DIRTY).unwrap_or(usize::MAX) {
            found.under_way = dirty.len();
            return Ok(found);
        }
        let today = now.day();
        let days = match period.days() {
            Some(days) => days,
            None => (self.first_day().await?.unwrap_or(today), today),
        };
        for &kind in Kind::VARIANTS {
            if let Period::Day(day) = period {
                self.look_at_day((kind, day), now, &dirty, &mut found).await?;
            } else {
                self.look_at_sum((kind, period), days, &dirty, &mut found).await?;
            }
        }
        Ok(found)
    }

    async fn look_at_day(
        &self,
        (kind, day): (Kind, Day),
        now: Time,
        dirty: &[Dirty],
        found: &mut Recount,
    ) -> Result<(), StoreError> {
        let things = self.things(kind, day).await?;
        let open: BTreeSet<Hour> = {
            let moment = now.plus(-UNDER_WAY);
            let fresh = things.iter().filter(|it| it.fact.since > moment);
            let fresh = fresh.map(|it| it.fact.at.hour());
            fresh.chain(dirty_in(kind, Period::Day(day), dirty)).collect()
        };
        found.things += things.len();
        found.under_way += open.len();
        let mut counted: BTreeMap<Scope, BTreeMap<Period, Counts>> = BTreeMap::new();
        for thing in &things {
            let (fact, hour) = (&thing.fact, thing.fact.at.hour());
            if !thing.agrees() && !open.contains(&hour) {
                let refid = fact.refid.clone();
                found.differences.push(Difference::Thing { kind, hour, refid });
            }
            for scope in &fact.scopes {
                let sums = counted.entry(scope.clone()).or_default();
                for period in [Period::Hour(hour), Period::Day(day)] {
                    sums.entry(period).or_default().add_all(&fact.counts);
                }
            }
        }
        let mut scopes: BTreeSet<Scope> = counted.keys().cloned().collect();
        scopes.insert(Scope::All);
        scopes.extend(self.listed(RankedBy::Resellers, kind, [Period::Day(day)]).await?.into_keys());
        let whole = Some(Period::Day(day)).filter(|_| open.is_empty());
        let hours = day.hours().filter(|hour| !open.contains(hour));
        let periods: Vec<Period> = hours.map(Period::Hour).chain(whole).collect();
        let compared = scopes.into_iter().map(|scope| {
            let counted = counted.remove(&scope).unwrap_or_default();
            let (store, periods) = (self.clone(), periods.clone());
            async move { store.compare((kind, scope), &periods, counted).await }
        });
        found.add(side_by_side(AT_ONCE, compared.collect()).await?);
        Ok(())
    }

    async fn look_at_sum(
        &self,
        (kind, period): (Kind, Period),
        days: (Day, Day),
        dirty: &[Dirty],
        found: &mut Recount,
    ) -> Result<(), StoreError> {
        let open: BTreeSet<Hour> = dirty_in(kind, period, dirty).collect();
        if !open.is_empty() {
            found.under_way += open.len();
            return Ok(());
        }
        let (mut summed, mut kept) = (BTreeMap::new(), BTreeMap::new());
        for of in [RankedBy::Resellers, RankedBy::Clients] {
            summed.extend(self.listed(of, kind, parts(of, period, days)).await?);
            kept.extend(self.listed(of, kind, [period]).await?);
        }
        summed.retain(|scope: &Scope, _| scope.keeps(period));
        let all: BTreeSet<&Scope> = summed.keys().chain(kept.keys()).collect();
        let none = Counts::default();
        // The index lags behind the table, so what differs there is compared again in the table.
        let differs = |it: &&&Scope| {
            let [summed, kept] = [&summed, &kept].map(|of| of.get(**it).unwrap_or(&none));
            !summed.same(kept)
        };
        let strange: Vec<Scope> = all.iter().filter(differs).copied().cloned().collect();
        found.figures += all.len() - strange.len();
        let scopes = strange.into_iter().chain([Scope::All]);
        let compared = scopes.map(|scope| {
            let store = self.clone();
            async move {
                let Some(between) = scope.parts(period) else {
                    return Ok(Recount::default());
                };
                let mut counted = BTreeMap::new();
                for part in store.figures_between(kind, &scope, &between).await?.values() {
                    counted.entry(period).or_insert_with(Counts::default).add_all(part);
                }
                store.compare((kind, scope), &[period], counted).await
            }
        });
        found.add(side_by_side(AT_ONCE, compared.collect()).await?);
        Ok(())
    }

    /// Compares the stored figures of a scope with the recounted ones. A figure that is missing on either side counts
    /// as 0.
    async fn compare(
        &self,
        (kind, scope): (Kind, Scope),
        periods: &[Period],
        mut counted: BTreeMap<Period, Counts>,
    ) -> Result<Recount, StoreError> {
        let mut found = Recount::default();
        let mut kept = BTreeMap::new();
        let periods = periods.iter().copied().filter(|it| scope.keeps(*it));
        for (first, last) in neighbours(periods.clone()) {
            let between = (first.key(), last.key());
            kept.extend(self.figures_between(kind, &scope, &between).await?);
        }
        for period in periods {
            let (kept, counted) = (kept.remove(&period.key()), counted.remove(&period));
            found.figures += usize::from(kept.is_some() || counted.is_some());
            let (kept, counted) = (kept.unwrap_or_default(), counted.unwrap_or_default());
            if !kept.same(&counted) {
                let scope = scope.clone();
                found.differences.push(Difference::Figure { kind, scope, period, kept, counted });
            }
        }
        Ok(found)
    }
}

impl Recount {
    fn add(&mut self, parts: Vec<Self>) {
        for part in parts {
            self.figures += part.figures;
            self.differences.extend(part.differences);
        }
    }
}

fn dirty_in(kind: Kind, period: Period, dirty: &[Dirty]) -> impl Iterator<Item = Hour> {
    let of = dirty.iter().filter(move |it| it.kind == kind && period.holds(it.hour.day()));
    of.map(|it| it.hour)
}

/// The listed periods, from day `first` to day `last`, whose figures make up the figure of `period`. Empty if hours
/// make it up, because hours are not listed.
fn parts(of: RankedBy, period: Period, (first, last): (Day, Day)) -> impl Iterator<Item = Period> {
    let length = match (of, period) {
        (RankedBy::Resellers, Period::Month(_)) => Some(Interval::Daily),
        (RankedBy::Resellers, Period::Year(_)) | (RankedBy::Clients, Period::All) => Some(Interval::Monthly),
        (RankedBy::Resellers, Period::All) => Some(Interval::Yearly),
        _ => None,
    };
    length.into_iter().flat_map(move |length| {
        let parts = std::iter::successors(Some(length.bucket(first)), |it| it.next());
        parts.take_while(move |it| *it <= length.bucket(last))
    })
}
