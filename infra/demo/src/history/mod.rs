//! Makes up a history: years of realistic changes to clients, resellers and credits.
//!
//! Invariants: everything goes through the API with the clock set to the moment it happens, so the data is as
//! consistent as data that people make. Its origin is `demo`, so nobody gets an e-mail. The same seed on the same day
//! makes the same history. A history begins in an empty folder and never touches existing data; an interrupted one
//! leaves everything that has happened so far.

mod acts;
mod calendar;
mod credits;
mod door;
mod market;
mod names;
mod trade;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use purser_domain::parties::ClientStatus;
use purser_edge::process::clock::Clock;
use purser_local::run::folder::Folder;
use purser_local::run::system::{Options, StartError, System};
use purser_store::engine::item::Origin;
use serde_json::Value;
use thiserror::Error;

use self::calendar::{Calendar, later, start_of};
use self::door::Door;
use self::market::{Act, Client, Partner};
use self::names::Names;
use crate::DemoError;

/// The scheduled functions that a history runs, because their results belong to it. The others only report on the
/// present, so they are left out.
const KEPT_UP: [&str; 2] = ["checkpoint-ledger", "rollup"];

/// How often a history runs the functions of [`KEPT_UP`].
const NOW_AND_THEN: SignedDuration = SignedDuration::from_hours(28 * 24);

const MORNING: SignedDuration = SignedDuration::from_hours(7);

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// Length of the history, at least one day; the last day is that of `until`.
    pub days: u32,
    pub clients: u32,
    /// How many resellers the history has, including the demo's own.
    pub resellers: u32,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub moment: Timestamp,
    pub clients: u64,
    pub requests: u64,
}

#[derive(Debug, Error)]
pub enum HistoryError {
    #[error(
        "{} holds data already, and a made-up history is never mixed with other data: `make run` shows what is there; \
         to make a history, move the folder away or name another one with --data",
        .0.display()
    )]
    Occupied(PathBuf),
    #[error("{0}")]
    Start(Box<StartError>),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("{moment}: {request} failed: {answer}")]
    Refused {
        /// Method and path.
        request: String,
        moment: Timestamp,
        /// Status and body of the response.
        answer: String,
    },
    #[error("a response lacks {0}")]
    Missing(&'static str),
    #[error("a response is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("could not build a request: {0}")]
    Http(#[from] http::Error),
    #[error("could not read a response: {0}")]
    Body(#[from] axum::Error),
    #[error("database: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    #[error("{function}: {reason}")]
    Timetable { function: &'static str, reason: String },
    #[error("{0} stream records or events could not be processed; `make run` shows them at /_local/dead-letters")]
    DeadLetters(usize),
}

/// Makes a history in `folder`, which must not hold a table yet. `variables` configures the system; `told` is called
/// with the progress after each act.
pub async fn make(
    folder: &Path,
    mut variables: BTreeMap<String, String>,
    plan: &Plan,
    mut told: impl FnMut(Step),
) -> Result<Step, HistoryError> {
    if Folder::holds_table(folder) {
        return Err(HistoryError::Occupied(folder.to_owned()));
    }
    let today = plan.until.to_zoned(TimeZone::UTC).date();
    let before = i64::from(plan.days.max(1)) - 1;
    let first = today.saturating_sub(before.days());
    let start = (start_of(first) + MORNING).min(plan.until);
    // Clients start as active unless configured otherwise, because activating each one would take as long as all the
    // rest together.
    let status = variables.entry("PURSER_CLIENT_STATUS".to_owned());
    status.or_insert_with(|| ClientStatus::Active.into_str().to_owned());
    let options = Options {
        folder: Some(folder.to_owned()),
        variables,
        clock: Clock::stopped_at(start),
        origin: Origin::Demo,
        ..Options::default()
    };
    let system = Box::pin(System::start(options)).await;
    let system = system.map_err(|error| HistoryError::Start(Box::new(error)))?;
    // A history spoilt by a crash of the machine can be made again, so no commit waits for the disk.
    system.dynamo().database().enable_bulk_loading()?;
    let mut rng = Rng::with_seed(plan.seed);
    let calendar = Calendar::of(first, plan.days, &mut rng);
    let partners = market::partners(plan, &mut rng);
    let mut history = History {
        plan: plan.clone(),
        start,
        calendar,
        rng,
        names: Names::default(),
        door: Door::of(system),
        agenda: BTreeSet::new(),
        partners,
        clients: Vec::new(),
        invoices: 0,
    };
    let made = Box::pin(history.run(&mut told)).await;
    let end = history.step();
    let dead = history.door.system().dead_letters().len();
    history.door.close().await;
    made?;
    if dead > 0 {
        return Err(HistoryError::DeadLetters(dead));
    }
    Ok(end)
}

struct History {
    plan: Plan,
    start: Timestamp,
    calendar: Calendar,
    rng: Rng,
    names: Names,
    door: Door,
    /// What is still to happen, ordered by time and, at the same moment, by [`Act`].
    agenda: BTreeSet<(Timestamp, Act)>,
    partners: Vec<Partner>,
    clients: Vec<Client>,
    invoices: u32,
}

impl History {
    async fn run(&mut self, told: &mut impl FnMut(Step)) -> Result<(), HistoryError> {
        self.begin().await?;
        let mut kept_up = self.start + NOW_AND_THEN;
        while let Some((moment, act)) = self.agenda.pop_first() {
            if moment > self.plan.until {
                break;
            }
            while kept_up < moment {
                self.door.turn_to(kept_up);
                self.keep_up().await?;
                kept_up += NOW_AND_THEN;
            }
            self.door.turn_to(moment);
            Box::pin(self.perform(act)).await?;
            told(self.step());
        }
        self.door.turn_to(self.plan.until);
        self.keep_up().await
    }

    /// Runs the functions of [`KEPT_UP`], once everything pending on stream and bus is done.
    async fn keep_up(&self) -> Result<(), HistoryError> {
        let system = self.door.system();
        system.settle().await;
        for function in KEPT_UP {
            let done = system.run_schedule(function).await;
            done.map_err(|reason| HistoryError::Timetable { function, reason })?;
        }
        Ok(())
    }

    fn step(&self) -> Step {
        Step {
            moment: self.door.now(),
            clients: self.clients.len().try_into().unwrap_or(u64::MAX),
            requests: self.door.requests(),
        }
    }

    /// Schedules `act` in working hours, a random number of `days` from now.
    fn after(&mut self, days: std::ops::RangeInclusive<u32>, act: Act) {
        let days = self.rng.u32(days);
        let moment = later(self.door.now(), days, &mut self.rng);
        self.agenda.insert((moment, act));
    }

    fn happens(&mut self, of_a_hundred: u32) -> bool {
        self.rng.u32(..100) < of_a_hundred
    }
}

fn part<'a>(answer: &'a Value, pointer: &'static str) -> Result<&'a Value, HistoryError> {
    answer.pointer(pointer).ok_or(HistoryError::Missing(pointer))
}

fn text(answer: &Value, pointer: &'static str) -> Result<String, HistoryError> {
    let text = part(answer, pointer)?.as_str();
    text.map(str::to_owned).ok_or(HistoryError::Missing(pointer))
}

fn number(answer: &Value, pointer: &'static str) -> Result<u64, HistoryError> {
    let number = part(answer, pointer)?.as_u64();
    number.ok_or(HistoryError::Missing(pointer))
}
