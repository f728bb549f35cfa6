//! Figures: the sums that are asked for, `RU#noun#scope` / period; those of resellers also by period, for rankings.
//!
//! Invariant: a figure is replaced only by one with a higher stamp. A run of `rollup` stamps what it writes with its
//! fence and a number of its own, so neither a run that was given up on nor a call that comes late undoes a later one.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::refid::ResellerRefid;
use serde::{Deserialize, Serialize};

use super::rollup::lost;
use crate::item::{Item, attribute, doc, number, text, text_of};
use crate::keys::Index;
use crate::side_by_side::side_by_side;
use crate::table::{Consistency, Source, Table, classify};
use crate::turn::patiently;
use crate::{Store, StoreError};

/// How many parts of an index are read at a time for a ranking.
const AT_ONCE: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
struct Doc {
    counts: Counts,
}

/// Figures by the key of their period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(HashMap<String, Counts>);

impl Figures {
    /// The sum of these periods.
    pub fn sum(&self, periods: &[Period]) -> Counts {
        let mut sum = Counts::default();
        for period in periods {
            if let Some(counts) = self.0.get(&period.key()) {
                sum.add_all(counts);
            }
        }
        sum
    }
}

/// What each reseller has in a range.
pub type Ranked = BTreeMap<ResellerRefid, Counts>;

fn pk(kind: Kind, scope: &Scope) -> String {
    format!("RU#{}#{scope}", kind.noun())
}

fn ranking(kind: Kind, period: Period) -> String {
    format!("RK#{}#{}", kind.noun(), period.key())
}

impl Store {
    /// The figures of a scope for these periods: one query for each row of neighbours of one length, side by side.
    pub async fn figures(
        &self,
        kind: Kind,
        scope: &Scope,
        periods: impl IntoIterator<Item = Period>,
    ) -> Result<Figures, StoreError> {
        let rows = neighbours(periods).into_iter().map(|between| {
            let (table, pk) = (self.table.clone(), pk(kind, scope));
            async move {
                let source = Source::Table(Consistency::Eventual);
                let items = table.partition(source, &pk, Some(&between));
                items.await?.iter().map(read).collect::<Result<Vec<_>, _>>()
            }
        });
        let found = side_by_side(usize::MAX, rows.collect()).await?;
        Ok(Figures(found.into_iter().flatten().collect()))
    }

    /// What each reseller has of `kind` in these periods. It costs as much as resellers were active times periods.
    pub async fn ranked(
        &self,
        kind: Kind,
        periods: impl IntoIterator<Item = Period>,
    ) -> Result<Ranked, StoreError> {
        let parts = periods.into_iter().map(|period| {
            let (table, pk) = (self.table.clone(), ranking(kind, period));
            async move { ranked_in(&table, pk).await }
        });
        let mut ranked = Ranked::new();
        for (reseller, counts) in side_by_side(AT_ONCE, parts.collect())
            .await?
            .into_iter()
            .flatten()
        {
            ranked.entry(reseller).or_default().add_all(&counts);
        }
        Ok(ranked)
    }

    /// The figures of a scope whose keys are between these two, as of now.
    pub(super) async fn figures_between(
        &self,
        kind: Kind,
        scope: &Scope,
        between: &(String, String),
    ) -> Result<BTreeMap<String, Counts>, StoreError> {
        let pk = pk(kind, scope);
        let source = Source::Table(Consistency::Strong);
        let read_all = || self.table.partition(source, &pk, Some(between));
        let items = patiently(read_all).await?;
        items.iter().map(read).collect()
    }

    /// Writes a figure, if what stands there has a lower stamp, or this one.
    pub(super) async fn put_figure(
        &self,
        (kind, scope, period): (Kind, &Scope, Period),
        counts: &Counts,
        stamp: u64,
    ) -> Result<(), StoreError> {
        let mut item = Item::from([
            ("pk".to_owned(), text(pk(kind, scope))),
            ("sk".to_owned(), text(period.key())),
            ("kind".to_owned(), text("figure")),
            (
                "doc".to_owned(),
                attribute(&Doc {
                    counts: counts.clone(),
                })?,
            ),
            ("stamp".to_owned(), number(stamp)),
        ]);
        if let (Scope::Reseller(reseller), false) = (scope, matches!(period, Period::Hour(_))) {
            Index::Kind.place(&mut item, ranking(kind, period), reseller.to_string());
        }
        let put = async || {
            let put = self
                .table
                .put(item.clone())
                .condition_expression("attribute_not_exists(pk) OR stamp <= :stamp")
                .expression_attribute_values(":stamp", number(stamp));
            let Err(error) = Table::send(put).await else {
                return Ok(true);
            };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(classify(&error)),
            }
        };
        patiently(put).await?.then_some(()).ok_or_else(lost)
    }
}

fn read(item: &Item) -> Result<(String, Counts), StoreError> {
    let period = text_of(item, "sk").unwrap_or_default().to_owned();
    Ok((period, doc::<Doc>(item)?.counts))
}

async fn ranked_in(table: &Table, pk: String) -> Result<Vec<(ResellerRefid, Counts)>, StoreError> {
    let items = table.partition(Source::Index(Index::Kind), &pk, None);
    let ranked = |item: &Item| {
        let named = text_of(item, Index::Kind.sk()).and_then(ResellerRefid::parse);
        let reseller = named.ok_or_else(|| StoreError::Unreadable("a ranking".into()))?;
        Ok((reseller, doc::<Doc>(item)?.counts))
    };
    items.await?.iter().map(ranked).collect()
}

/// The first and last key of each row of neighbours of one length.
pub(super) fn neighbours(periods: impl IntoIterator<Item = Period>) -> Vec<(String, String)> {
    let mut sorted: Vec<Period> = periods.into_iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut last: Option<Period> = None;
    for period in sorted {
        let follows = last.is_some_and(|before| before.next() == Some(period));
        match rows.last_mut().filter(|_| follows) {
            Some((_, end)) => *end = period.key(),
            None => rows.push((period.key(), period.key())),
        }
        last = Some(period);
    }
    rows
}
