//! The simulator: callers, functions, stream and bus in a cloud with faults, held against a small sequential model.
//!
//! Invariant: a run is a function of its seed. Everything happens on one thread in virtual time, and what happens is
//! drawn from the seed; so a run that fails does so each time, and says what led there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test stops where something is not as it should be"
)]

pub mod cloud;
mod judge;
pub mod run;
mod workload;

use std::rc::Rc;

use tokio::runtime::Builder;
use tokio::task::{JoinError, LocalSet, spawn_local};
use tracing::subscriber::NoSubscriber;

use crate::cloud::{Bug, Cloud, Weather};

use crate::run::callers::Callers;
use crate::run::delivery::Delivery;
use crate::run::deployment::Deployment;
use crate::run::record::{Problem, Record};
use crate::run::timetable::Timetable;
use crate::workload::people::People;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What everything follows from.
    pub seed: u64,
    /// How many commands.
    pub commands: usize,
    /// How many people with accounts.
    pub people: usize,
    /// A bug to plant.
    pub bug: Option<Bug>,
}

/// A run that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How many attempts the callers made.
    pub attempts: usize,
    /// How often something was written.
    pub commits: usize,
    /// How many events were told.
    pub events: usize,
    /// Everything that happened.
    pub history: Vec<String>,
}

/// What must not happen, and what led there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong.
    pub problem: String,
    /// What led there.
    pub history: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, problem, history } = self;
        writeln!(f, "seed {seed}: {problem}")?;
        history.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// How many instances of each function there are.
const INSTANCES: usize = 3;
/// How many callers there are.
const CALLERS: usize = 6;
/// How many lines of history a failure shows.
const SHOWN: usize = 40;

/// Runs one simulation.
pub fn run(options: Options) -> Result<Run, Failure> {
    in_virtual_time(options.seed, simulate(options))
}

/// Does `work` on this thread alone, whose time passes when there is nothing else to do.
fn in_virtual_time<T>(seed: u64, work: impl Future<Output = T>) -> T {
    // The pauses of the SDK and of the store come from this thread's generator. So do the numbers that the SDK gives
    // its spans, which it draws only while somebody listens to them: here nobody does.
    let _nobody_listens = tracing::subscriber::set_default(NoSubscriber::new());
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), work)
}

async fn simulate(options: Options) -> Result<Run, Failure> {
    let Options { seed, commands, people, bug } = options;
    let cloud = Cloud::new(seed, bug);
    let holds = cloud.draw(fastrand::Rng::bool);
    let deployment = Rc::new(Deployment::new(cloud.clone(), INSTANCES, holds).await);
    let from = cloud.table().commit_count();
    let delivery = Delivery::begin(Rc::clone(&deployment));
    let weather = cloud.draw(Weather::of);
    cloud.note("weather", format!("{weather:?}"));
    cloud.set_weather(weather);
    let callers = Rc::new(Callers::new(Rc::clone(&deployment), commands));
    let people = Rc::new(People::new(Rc::clone(&deployment), people));
    let timetable = Timetable::new(Rc::clone(&deployment));
    if let Err(panic) = days(&callers, &people, &timetable).await {
        let problem = format!("a request or a run ended badly: {panic}");
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    cloud.set_weather(Weather::calm());
    let left = delivery.settle().await;
    if !timetable.finish().await {
        let problem = "marks of hours that are not counted stay".to_owned();
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    let record = Record {
        commands: callers.commands(),
        attempts: callers.attempts(),
        asked: people.asked(),
        items: cloud.table().items(),
        commits: cloud.table().commits(),
        from,
        handled: delivery.handled(),
        left,
        poisoned: delivery.poisoned(),
        deployment,
    };
    let found = judge::judge(&record)
        .and_then(|()| judge::accounts::judge(&record))
        .and_then(|()| judge::checks::check(&record))
        .and_then(|()| judge::figures::judge(&record));
    found.map_err(|problem| failure(&cloud, seed, &problem))?;
    Ok(Run {
        attempts: record.attempts.len(),
        commits: record.commits.len(),
        events: cloud.told(0).len(),
        history: cloud.history().lines(),
    })
}

/// Lets everybody do what they do, and `rollup` run meanwhile.
async fn days(callers: &Rc<Callers>, people: &Rc<People>, timetable: &Rc<Timetable>) -> Result<(), JoinError> {
    let calls = (0..CALLERS).map(|_| {
        let callers = Rc::clone(callers);
        spawn_local(async move { callers.call().await })
    });
    let calls: Vec<_> = calls.collect();
    let lives = (0..people.count()).map(|own| {
        let people = Rc::clone(people);
        spawn_local(async move { people.live(own).await })
    });
    let lives: Vec<_> = lives.collect();
    let runs = spawn_local(Rc::clone(timetable).keep());
    for day in calls.into_iter().chain(lives) {
        day.await?;
    }
    runs.await?
}

fn failure(cloud: &Cloud, seed: u64, problem: &Problem) -> Failure {
    Failure { seed, problem: problem.what.clone(), history: cloud.history().about(&problem.about, SHOWN) }
}
