//! Figures are the stored sums, `RU#noun#scope` / period. Resellers' and clients' figures are also indexed by period;
//! clients' all-time figures are indexed by amount, for rankings.
//!
//! Invariant: a figure is never replaced by one with a lower stamp. A run of `rollup` builds its stamps from its
//! fence and a counter, so neither a run that has lost the lease nor a put that arrives late can undo a later write.

use std::collections::BTreeMap;
use strum::VariantArray;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use purser_domain::analytics::metric::Ranking;
use purser_domain::analytics::period::Period;
use purser_domain::analytics::{Counts, Kind, Scope};
use purser_domain::basic::{ClientRefid, ResellerRefid};
use serde::{Deserialize, Serialize};

use super::lease::lost;
use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, number, text, text_of};
use crate::engine::keys::tenant;
use crate::engine::page::shards;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::table::{Source, classify};
use crate::engine::{Consistency, Index, Item, List, Table};
use crate::{Store, StoreError};

/// How many partitions of an index are read concurrently.
const AT_ONCE: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
struct FigureDoc {
    counts: Counts,
}

/// Figures of one scope, by the key of their period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    scope: Scope,
    counts: BTreeMap<String, Counts>,
}

impl Figures {
    /// The sum over `periods`, each of which must have been read.
    pub fn sum(&self, periods: &[Period]) -> Counts {
        let mut sum = Counts::default();
        for period in periods {
            let (first, last) = asked(&self.scope, (*period, *period));
            for counts in self.counts.range(first..=last).map(|(_, it)| it) {
                sum.add_all(counts);
            }
        }
        sum
    }
}

/// The keys of the first and last figure to read for a run of consecutive periods of equal length. If the scope keeps
/// no figures of that length, these are keys of the shorter periods that make them up.
fn asked(scope: &Scope, (first, last): (Period, Period)) -> (String, String) {
    let parts = |period| scope.parts(period).filter(|_| !scope.keeps(period));
    match (parts(first), parts(last)) {
        (Some((first, _)), Some((_, last))) => (first, last),
        _ => (first.key(), last.key()),
    }
}

pub type Ranked = BTreeMap<ResellerRefid, Counts>;

fn pk(kind: Kind, scope: &Scope) -> String {
    format!("RU#{}#{scope}", kind.into_str())
}

/// The index partition that lists the resellers, or the clients, that have figures of `kind` in `period`.
fn ranking(of: RankedBy, kind: Kind, period: Period) -> String {
    let list = match of {
        RankedBy::Resellers => "RK",
        RankedBy::Clients => "RC",
    };
    format!("{list}#{}#{}", kind.into_str(), period.key())
}

#[derive(Debug, Clone, Copy)]
pub(super) enum RankedBy {
    Resellers,
    /// Clients have figures for hours, months and all time only, and hours are not listed.
    Clients,
}

/// The index partition that lists clients by amount. `owner` is a reseller's refid, or `-` and a shard for the
/// clients' totals across all resellers.
fn top(ranking: Ranking, owner: &str) -> String {
    format!("TC@{}#{owner}", ranking.into_str())
}

fn index(ranking: Ranking) -> Index {
    match ranking {
        Ranking::Licences => Index::Tenant,
        Ranking::Products => Index::Status,
    }
}

/// Adds the index keys under which a figure is listed, if it is.
fn place(item: &mut Item, (kind, scope, period): (Kind, &Scope, Period), counts: &Counts) {
    let of = match scope {
        Scope::All => return,
        Scope::Reseller(_) => RankedBy::Resellers,
        Scope::Client(..) => RankedBy::Clients,
    };
    if let Period::Hour(_) = period {
        return;
    }
    Index::Kind.place(item, ranking(of, kind, period), scope.to_string());
    let (Scope::Client(reseller, client), Period::All) = (scope, period) else {
        return;
    };
    for &ranking in Ranking::VARIANTS {
        let amount = ranking.of(counts);
        if amount > 0 {
            let owner = tenant(reseller.as_ref(), client.as_str());
            index(ranking).place(item, top(ranking, &owner), format!("{amount:020}#{client}"));
        }
    }
}

impl Store {
    /// Reads the figures of a scope for these periods. Each run of consecutive periods of equal length is one query;
    /// the queries run concurrently.
    pub async fn figures(
        &self,
        kind: Kind,
        scope: &Scope,
        periods: impl IntoIterator<Item = Period>,
    ) -> Result<Figures, StoreError> {
        let rows = neighbours(periods).into_iter().map(|row| {
            let (table, pk, between) = (self.table.clone(), pk(kind, scope), asked(scope, row));
            async move {
                let source = Source::Table(Consistency::Eventual);
                let items = table.partition(source, &pk, Some(&between));
                items.await?.iter().map(read).collect::<Result<Vec<_>, _>>()
            }
        });
        let found = side_by_side(usize::MAX, rows.collect()).await?;
        Ok(Figures { scope: scope.clone(), counts: found.into_iter().flatten().collect() })
    }

    /// The counts of `kind` of each reseller over these periods. The cost grows with the number of periods and of the
    /// resellers that were active in each.
    pub async fn ranked(&self, kind: Kind, periods: impl IntoIterator<Item = Period>) -> Result<Ranked, StoreError> {
        let listed = self.listed(RankedBy::Resellers, kind, periods).await?;
        let reseller = |(scope, counts): (Scope, Counts)| Some((scope.reseller()?.clone(), counts));
        Ok(listed.into_iter().filter_map(reseller).collect())
    }

    /// The counts of each listed reseller or client, summed over these periods.
    pub(super) async fn listed(
        &self,
        of: RankedBy,
        kind: Kind,
        periods: impl IntoIterator<Item = Period>,
    ) -> Result<BTreeMap<Scope, Counts>, StoreError> {
        let parts = periods.into_iter().map(|period| {
            let (table, pk) = (self.table.clone(), ranking(of, kind, period));
            async move { Ok(table.partition(Source::Index(Index::Kind), &pk, None).await?) }
        });
        let mut listed: BTreeMap<Scope, Counts> = BTreeMap::new();
        for item in side_by_side(AT_ONCE, parts.collect()).await?.iter().flatten() {
            let scope = text_of(item, Index::Kind.sk()).map(ToOwned::to_owned);
            let scope = scope.and_then(|it| Scope::try_from(it).ok());
            let scope = scope.ok_or_else(|| StoreError::Unreadable("a figure's index key names no scope".into()))?;
            listed.entry(scope).or_default().add_all(&doc::<FigureDoc>(item)?.counts);
        }
        Ok(listed)
    }

    /// The highest-ranking clients, with their all-time counts. They rank by all they hold or, given `reseller`, by
    /// what it sold them.
    pub async fn top_clients(
        &self,
        ranking: Ranking,
        reseller: Option<&ResellerRefid>,
        limit: usize,
    ) -> Result<Vec<(ClientRefid, Counts)>, StoreError> {
        let partitions = match reseller {
            Some(reseller) => vec![top(ranking, reseller.as_str())],
            None => shards(&top(ranking, "-")),
        };
        let list = List::descending(index(ranking), partitions);
        let named = |item: &Item| {
            let client = text_of(item, index(ranking).sk()).and_then(|it| it.split('#').nth(1));
            let client = client.and_then(ClientRefid::parse);
            let client = client.ok_or_else(|| StoreError::Unreadable("a figure's index key names no client".into()))?;
            Ok((client, doc::<FigureDoc>(item)?.counts))
        };
        self.page(&list, limit, None).await?.items.iter().map(named).collect()
    }

    /// The figures of a scope whose period keys lie in `between`, both ends included. Strongly consistent.
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

    /// Writes a figure. Fails if the stored figure has a higher stamp, because that means that this run has lost its
    /// lease.
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
            ("doc".to_owned(), attribute(&FigureDoc { counts: counts.clone() })?),
            ("stamp".to_owned(), number(stamp)),
        ]);
        place(&mut item, (kind, scope, period), counts);
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
    Ok((period, doc::<FigureDoc>(item)?.counts))
}

/// Groups periods into runs of consecutive periods of equal length, each as its first and last period.
pub(super) fn neighbours(periods: impl IntoIterator<Item = Period>) -> Vec<(Period, Period)> {
    let mut sorted: Vec<Period> = periods.into_iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut rows: Vec<(Period, Period)> = Vec::new();
    for period in sorted {
        match rows.last_mut() {
            Some((_, last)) if last.next() == Some(period) => *last = period,
            _ => rows.push((period, period)),
        }
    }
    rows
}
