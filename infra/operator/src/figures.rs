//! `figures`: the deployment recounts every figure (rules A11, B13, C6).
//!
//! Invariant: figures count as correct only when all of them were compared. Days come first, then the months, years
//! and total that sum them up, so that a rebuilt day is marked before the sums above it are compared.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::analytics::period::{Interval, Period};
use purser_domain::basic::Day;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::api::{Api, ApiError};
use crate::check::count;
use crate::progress::{Progress, counted, say, warn};
use crate::{Failure, Outcome};

const SIDE_BY_SIDE: usize = 4;

/// Which days to recount, and whether to repair them.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub start: Option<Day>,
    pub end: Option<Day>,
    pub rebuild: bool,
}

#[derive(Debug, Deserialize)]
struct Recount {
    first_day: Option<Day>,
    last_day: Option<Day>,
    things: u64,
    figures: u64,
    under_way: u64,
    differing: u64,
    differences: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
struct Difference {
    kind: String,
    period: String,
    thing: Option<String>,
    reseller: Option<String>,
    client: Option<String>,
    kept: Option<BTreeMap<String, i64>>,
    counted: Option<BTreeMap<String, i64>>,
}

#[derive(Default)]
struct Found {
    things: u64,
    figures: u64,
    under_way: u64,
    differing: u64,
    missed: u64,
}

/// Recounts all figures, and prints the differences.
pub async fn figures(api: &Api, work: Work) -> Result<Outcome, Failure> {
    let whole: Recount = api.get(&path(Period::All, false)).await?;
    let start = work.start.or(whole.first_day);
    let end = work.end.or(whole.last_day);
    let (Some(start), Some(end)) = (start, end) else {
        say("there is nothing to count yet");
        return Ok(Outcome::Intact);
    };
    if end < start {
        return Err(format!("the last day, {end}, is before the first, {start}").into());
    }
    let mut found = Found::default();
    for periods in periods(start, end) {
        found.look(api, periods, work.rebuild).await?;
    }
    Ok(found.conclude(work.rebuild))
}

/// The days of a range, then the months, years and total that sum them up: each level after the one below.
fn periods(start: Day, end: Day) -> Vec<(&'static str, BTreeSet<Period>)> {
    let days = std::iter::successors(Some(start), |day| day.next()).take_while(|it| *it <= end);
    let days: Vec<Day> = days.collect();
    let of = |interval: Interval| days.iter().map(|day| interval.bucket(*day)).collect();
    vec![
        ("days counted", of(Interval::Daily)),
        ("months counted", of(Interval::Monthly)),
        ("years counted", of(Interval::Yearly)),
        ("of all time", BTreeSet::from([Period::All])),
    ]
}

fn path(period: Period, rebuild: bool) -> String {
    let act = if rebuild { "rebuild" } else { "check" };
    let interval = match period {
        Period::Month(_) => Interval::Monthly,
        Period::Year(_) => Interval::Yearly,
        _ => Interval::Daily,
    };
    let day = period.days().map(|(day, _)| day);
    let query = day.map_or_else(String::new, |day| format!("?day={day}&interval={}", interval.into_str()));
    format!("/v1/analytics/figures/{act}{query}")
}

impl Found {
    async fn look(
        &mut self,
        api: &Api,
        (what, periods): (&'static str, BTreeSet<Period>),
        rebuild: bool,
    ) -> Result<(), Failure> {
        let progress = Progress::begin(what, Some(count(periods.len())));
        let mut waiting = periods.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < SIDE_BY_SIDE
                && let Some(period) = waiting.next()
            {
                let api = api.clone();
                running.spawn(async move { (one(&api, period, rebuild).await, period) });
            }
            let Some(done) = running.join_next().await else {
                return Ok(());
            };
            match done? {
                (Ok(recount), period) => self.add(&recount, period, &progress),
                // An error about the key or the route would be the same for every other period.
                (Err(error @ (ApiError::Key(_) | ApiError::NotFound)), _) => {
                    return Err(error.into());
                }
                (Err(error), period) => {
                    self.missed += 1;
                    progress.warn(&format!("{}: {error}", period.label()));
                }
            }
            progress.done(1);
        }
    }

    fn add(&mut self, recount: &Recount, period: Period, progress: &Progress) {
        self.things += recount.things;
        self.figures += recount.figures;
        self.under_way += recount.under_way;
        self.differing += recount.differing;
        for difference in &recount.differences {
            progress.say(&difference.to_string());
        }
        let more = recount.differing - count(recount.differences.len());
        if more > 0 {
            progress.say(&format!("and {more} more differences in {}", period.label()));
        }
    }

    fn conclude(&self, rebuild: bool) -> Outcome {
        let complete = self.missed == 0 && self.under_way == 0;
        let verdict = match self.differing {
            0 if complete => "correct".to_owned(),
            0 => "correct, as far as could be counted".to_owned(),
            some if rebuild => format!("{}, will be counted again within two minutes", counted(some, "difference")),
            some => counted(some, "difference"),
        };
        let (things, figures) = (counted(self.things, "thing"), counted(self.figures, "figure"));
        say(&format!("{things}, {figures}: {verdict}"));
        if self.under_way > 0 {
            let hours = counted(self.under_way, "hour");
            warn(&format!(
                "{hours} could not be compared, because changes are still being counted; try again in two minutes"
            ));
        }
        if self.missed > 0 {
            warn(&format!("{} could not be counted", counted(self.missed, "period")));
        }
        // `rebuild` repairs the differences, so they are not a failure.
        if rebuild { Outcome::of(false, self.missed == 0) } else { Outcome::of(self.differing > 0, complete) }
    }
}

async fn one(api: &Api, period: Period, rebuild: bool) -> Result<Recount, ApiError> {
    let path = path(period, rebuild);
    if rebuild { api.act(&path).await } else { api.get(&path).await }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, period, .. } = self;
        if let Some(thing) = &self.thing {
            return write!(f, "{period}: what {kind} {thing} adds to the figures is stored wrongly");
        }
        let whose = self.reseller.as_deref().unwrap_or("everybody");
        write!(f, "{period}: {kind} figures of {whose}")?;
        if let Some(client) = &self.client {
            write!(f, " for {client}")?;
        }
        f.write_str(": ")?;
        let (none, zero) = (BTreeMap::new(), 0);
        let [kept, counted] = [&self.kept, &self.counted].map(|of| of.as_ref().unwrap_or(&none));
        let names: BTreeSet<&String> = kept.keys().chain(counted.keys()).collect();
        let mut joint = "";
        for name in names {
            let [is, should] = [kept, counted].map(|of| of.get(name).unwrap_or(&zero));
            if is != should {
                write!(f, "{joint}{name} is {is}, should be {should}")?;
                joint = "; ";
            }
        }
        Ok(())
    }
}
