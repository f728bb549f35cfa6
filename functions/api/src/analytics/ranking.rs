//! Rankings of resellers. Their cost grows with active resellers times periods, so a range is at most ten years.

use purser_charts::table::{Row, csv};
use purser_domain::analytics::period::{Interval, Month, Period};
use purser_domain::analytics::range::DayRange;
use purser_domain::analytics::{Kind, Scope};
use purser_domain::basic::{Day, ResellerRefid};
use purser_domain::parties::Reseller;
use purser_edge::http::negotiation::{Format, Represented};
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::analytics::Ranked;

/// Which days to count, and how many to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TopQuery {
    /// The first day. Without `start` and `end`, the range is all time; with either, it is at most ten years.
    pub(super) start: Option<Day>,
    /// The last day; today by default.
    pub(super) end: Option<Day>,
    /// Count only what belongs to this reseller. When a reseller calls, only its own is counted.
    #[param(value_type = Option<ResellerRefid>)]
    pub(super) reseller: Option<String>,
    /// How many to list; 25 by default.
    pub(super) limit: Option<Limit>,
}

impl TopQuery {
    /// The periods that make up the range. Without a day, the range is all time.
    pub(super) fn periods(&self, app: &App) -> Result<Vec<Period>, Problem> {
        if self.start.is_none() && self.end.is_none() {
            return Ok(vec![Period::All]);
        }
        let end = super::last_day(app, self.start, self.end);
        let start = self.start.unwrap_or_else(|| Month::of(end).minus(119).first());
        let range = DayRange::new(start, end).map_err(super::unusable)?;
        // Ranges have the limit of monthly trends, so this reuses that check and its error.
        range.parts(Interval::Monthly).map_err(super::unusable)?;
        Ok(range.cover())
    }
}

/// The figures of each reseller in the scope, summed over these periods.
pub(super) async fn read(app: &App, kind: Kind, scope: &Scope, periods: &[Period]) -> Result<Ranked, StoreError> {
    match scope.reseller() {
        None => app.store.ranked(kind, periods.iter().copied()).await,
        Some(own) => {
            let figures = app.store.figures(kind, scope, periods.iter().copied());
            Ok(Ranked::from([(own.clone(), figures.await?.sum(periods))]))
        }
    }
}

/// The first `limit` resellers by the first figure, then by the second, then by name. Resellers with no figures are
/// left out.
pub(super) async fn top(
    app: &App,
    all: impl IntoIterator<Item = (ResellerRefid, [i64; 2])>,
    limit: usize,
) -> Result<Vec<(Reseller, [i64; 2])>, StoreError> {
    let mut all: Vec<(ResellerRefid, [i64; 2])> = all.into_iter().filter(|(_, figures)| *figures != [0, 0]).collect();
    all.sort_by(|(_, a), (_, b)| b.cmp(a));
    // Resellers that tie with the last one are ordered by name. Names are not known yet, so keep all of them for now.
    if let Some((_, last)) = all.get(limit.saturating_sub(1)).cloned() {
        all.retain(|(_, figures)| *figures >= last);
    }
    let refids: Vec<ResellerRefid> = all.iter().map(|(refid, _)| refid.clone()).collect();
    let mut known = app.store.resellers_named(&refids).await?;
    let named = all.into_iter().filter_map(|(refid, figures)| Some((known.remove(&refid)?, figures)));
    let mut named: Vec<(Reseller, [i64; 2])> = named.collect();
    named.sort_by(|(a, of_a), (b, of_b)| {
        let by_name = || a.company_name.as_str().cmp(b.company_name.as_str());
        of_b.cmp(of_a).then_with(by_name).then_with(|| a.refid.cmp(&b.refid))
    });
    named.truncate(limit);
    Ok(named)
}

#[derive(Debug, Serialize)]
struct Data<'a, T> {
    data: &'a [T],
}

/// Answers a ranking as JSON or as a CSV table, whichever the caller accepts.
pub(super) fn answer<T: Serialize + Row>(accept: &Accept, data: &[T]) -> Result<Response, Problem> {
    let chosen = accept.choose(&[Format::Json, Format::Csv])?;
    let body = match chosen.format {
        Format::Csv => csv(data).map_err(|error| super::not_shown(&error))?,
        _ => purser_edge::http::json::write(&Data { data })?,
    };
    Ok(Represented { chosen, body }.into_response())
}
