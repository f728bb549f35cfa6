//! The simulator: callers, functions, stream and bus in a cloud with faults, checked against a small sequential
//! model.
//!
//! Invariant: a run is a function of its seed. Everything happens on one thread, in virtual time, and every random
//! choice is drawn from the seed. So a run that fails does so every time, and reports what led to the failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

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
use crate::workload::programs::Programs;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub seed: u64,
    pub commands: usize,
    pub people: usize,
    pub programs: usize,
    pub bug: Option<Bug>,
}

/// A run without a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub attempts: usize,
    /// How many writes were committed, those of the set-up included.
    pub commits: usize,
    pub events: usize,
    pub history: Vec<String>,
}

/// A violated invariant, and the part of the history that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    pub problem: String,
    /// The last lines of the history about the callers and runs involved.
    pub history: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, problem, history } = self;
        writeln!(f, "seed {seed}: {problem}")?;
        history.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// How many instances each function has.
const INSTANCES: usize = 3;
const CALLERS: usize = 6;
/// How many lines of the history a failure shows.
const SHOWN: usize = 40;

pub fn run(options: Options) -> Result<Run, Failure> {
    in_virtual_time(options.seed, simulate(options))
}

/// Runs `work` on this thread alone. Virtual time passes whenever there is nothing left to do.
fn in_virtual_time<T>(seed: u64, work: impl Future<Output = T>) -> T {
    // The SDK and the store draw their pauses from this thread's generator. The SDK also draws the ids of its tracing
    // spans from it, but only while a subscriber listens; here none does.
    let _nobody_listens = tracing::subscriber::set_default(NoSubscriber::new());
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), work)
}

async fn simulate(options: Options) -> Result<Run, Failure> {
    let Options { seed, commands, people, programs, bug } = options;
    let cloud = Cloud::new(seed, bug);
    let holds = cloud.draw(fastrand::Rng::bool);
    let deployment = Rc::new(Deployment::new(cloud.clone(), INSTANCES, holds).await);
    let programs = Rc::new(Programs::new(Rc::clone(&deployment), programs).await);
    let from = cloud.table().commit_count();
    let delivery = Delivery::begin(Rc::clone(&deployment));
    let weather = cloud.draw(Weather::of);
    cloud.note("weather", format!("{weather:?}"));
    cloud.set_weather(weather);
    let callers = Rc::new(Callers::new(Rc::clone(&deployment), commands));
    let people = Rc::new(People::new(Rc::clone(&deployment), people));
    let timetable = Timetable::new(Rc::clone(&deployment));
    if let Err(panic) = days(&callers, &people, &programs, &timetable).await {
        let problem = format!("a request or a run panicked: {panic}");
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    cloud.set_weather(Weather::calm());
    let left = delivery.settle().await;
    if !timetable.tell(&delivery).await {
        let problem = "notices that nobody was told, or erasures that did not fall due, are left".to_owned();
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    if !timetable.finish().await {
        let problem = "marks of hours that were never counted are left".to_owned();
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    let record = Record {
        commands: callers.commands(),
        attempts: callers.attempts(),
        asked: people.asked(),
        heard: programs.heard(),
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
        .and_then(|()| judge::seats::judge(&record))
        .and_then(|()| judge::checks::check(&record))
        .and_then(|()| judge::erasures::judge(&record))
        .and_then(|()| judge::figures::judge(&record));
    found.map_err(|problem| failure(&cloud, seed, &problem))?;
    if !timetable.sample().await {
        let problem = "the daily look for what is left of deleted people found something".to_owned();
        return Err(failure(&cloud, seed, &Problem::general(problem)));
    }
    Ok(Run {
        attempts: record.attempts.len(),
        commits: record.commits.len(),
        events: cloud.told(0).len(),
        history: cloud.history().lines(),
    })
}

/// Runs all callers, people and programs, and `rollup` beside them.
async fn days(
    callers: &Rc<Callers>,
    people: &Rc<People>,
    programs: &Rc<Programs>,
    timetable: &Rc<Timetable>,
) -> Result<(), JoinError> {
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
    let uses = (0..programs.count()).map(|_| {
        let programs = Rc::clone(programs);
        spawn_local(async move { programs.run().await })
    });
    let uses: Vec<_> = uses.collect();
    let runs = spawn_local(Rc::clone(timetable).keep());
    for day in calls.into_iter().chain(lives).chain(uses) {
        day.await?;
    }
    runs.await?
}

fn failure(cloud: &Cloud, seed: u64, problem: &Problem) -> Failure {
    Failure { seed, problem: problem.what.clone(), history: cloud.history().about(&problem.about, SHOWN) }
}
