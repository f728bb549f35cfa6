//! A history made up: years of clients, resellers and credits, as they would have come to be.
//!
//! Invariants: everything in it went through the API, with the clock at the moment it happened, so it is as whole as
//! what people make; its origin is `demo`, so nobody is mailed. The same seed on the same day makes the same history.
//! It begins where nothing is: data that are there are not touched. Broken off, it leaves what has happened so far.

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
use purser_domain::parties::client::ClientStatus;
use purser_edge::process::clock::Clock;
use purser_store::engine::item::Origin;
use serde_json::Value;
use thiserror::Error;

use self::calendar::{Calendar, later, start_of};
use self::door::Door;
use self::market::{Act, Client, Partner};
use self::names::Names;
use crate::DemoError;
use purser_local::run::folder::Folder;
use purser_local::run::system::{Options, StartError, System};

/// The functions whose timetables are kept to, now and then: what they make belongs to a history. Those that mail
/// people about the present do not.
const KEPT_UP: [&str; 2] = ["checkpoint-ledger", "rollup"];

/// How often that is.
const NOW_AND_THEN: SignedDuration = SignedDuration::from_hours(28 * 24);

/// When work begins on the first day.
const MORNING: SignedDuration = SignedDuration::from_hours(7);

/// What history to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The random seed.
    pub seed: u64,
    /// How many days it takes, at least one; the last one is that of `until`.
    pub days: u32,
    /// How many clients come in all of it.
    pub clients: u32,
    /// How many resellers, with the one of the demo.
    pub resellers: u32,
    /// When it ends: nothing is later.
    pub until: Timestamp,
}

/// How far a history is.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What time it is in it.
    pub moment: Timestamp,
    /// How many clients have come.
    pub clients: u64,
    /// How many requests were made.
    pub requests: u64,
}

/// Why no history, or no whole one, was made.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// Something is there already.
    #[error(
        "{} holds data already, and a made-up history is not mixed with them: `make run` shows what is there; move \
         the folder away, or name another one with --data, to make one",
        .0.display()
    )]
    Occupied(PathBuf),
    /// The system did not start.
    #[error("{0}")]
    Start(Box<StartError>),
    /// The records that show the product could not be made.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The API refused what it should take.
    #[error("{moment}: {request} was answered {answer}")]
    Refused {
        /// Method and path.
        request: String,
        /// When, in the history.
        moment: Timestamp,
        /// Status and problem.
        answer: String,
    },
    /// An answer without what it must have.
    #[error("an answer has no {0}")]
    Missing(&'static str),
    /// An answer that is not JSON.
    #[error("an answer is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A request that is none, or an answer that breaks off.
    #[error("a request: {0}")]
    Http(#[from] http::Error),
    /// An answer that breaks off.
    #[error("an answer: {0}")]
    Body(#[from] axum::Error),
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    /// A function with a timetable failed.
    #[error("{function}: {reason}")]
    Timetable {
        /// The function.
        function: &'static str,
        /// Why.
        reason: String,
    },
    /// Stream or bus gave up on something.
    #[error("{0} pieces of work were given up on; `make run` shows them at /_local/dead-letters")]
    DeadLetters(usize),
}

/// Makes a history in `folder`, in which nothing may be, with this configuration; `told` hears how far it is.
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
    // Who comes is active at once, unless it is configured otherwise: to activate each takes as long as all the rest.
    let status = variables.entry("PURSER_CLIENT_STATUS".to_owned());
    status.or_insert_with(|| ClientStatus::Active.as_str().to_owned());
    let options = Options {
        folder: Some(folder.to_owned()),
        variables,
        clock: Clock::stopped_at(start),
        origin: Origin::Demo,
        ..Options::default()
    };
    let system = Box::pin(System::start(options)).await;
    let system = system.map_err(|error| HistoryError::Start(Box::new(error)))?;
    // What a crash of the machine spoils can be made again, so no commit waits for the disk.
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

/// A history as it goes on.
struct History {
    plan: Plan,
    start: Timestamp,
    calendar: Calendar,
    rng: Rng,
    names: Names,
    door: Door,
    /// What is still to happen, in the order of time and, at one moment, in that of [`Act`].
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

    /// Runs what timetables would have run by now, once everything pending on stream and bus is done.
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

    /// Puts down that `act` happens in working hours, that many days from now.
    fn after(&mut self, days: std::ops::RangeInclusive<u32>, act: Act) {
        let days = self.rng.u32(days);
        let moment = later(self.door.now(), days, &mut self.rng);
        self.agenda.insert((moment, act));
    }

    /// Whether something happens that happens so many times in a hundred.
    fn happens(&mut self, of_a_hundred: u32) -> bool {
        self.rng.u32(..100) < of_a_hundred
    }
}

/// What every answer of its kind has.
fn part<'a>(answer: &'a Value, pointer: &'static str) -> Result<&'a Value, HistoryError> {
    answer.pointer(pointer).ok_or(HistoryError::Missing(pointer))
}

/// The same, where it is a text.
fn text(answer: &Value, pointer: &'static str) -> Result<String, HistoryError> {
    let text = part(answer, pointer)?.as_str();
    text.map(str::to_owned).ok_or(HistoryError::Missing(pointer))
}

/// The same, where it is a number.
fn number(answer: &Value, pointer: &'static str) -> Result<u64, HistoryError> {
    let number = part(answer, pointer)?.as_u64();
    number.ok_or(HistoryError::Missing(pointer))
}
