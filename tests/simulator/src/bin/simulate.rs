//! `simulate`: runs simulations by seed and reports those that fail.
//!
//! Invariant: the exit status is 0 only if every run passed or, when a bug is planted, if at least one run found it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strum::VariantArray;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use purser_simulator::cloud::Bug;
use purser_simulator::run::hot_wallet::sell;
use purser_simulator::{Failure, Options, Run, run};

/// Runs simulations of Purser in a cloud with faults, and checks each of them against a model.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// Number of seeds to run, counting up from --from
    #[arg(long, default_value_t = 50)]
    seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Number of additional random seeds, drawn anew each time
    #[arg(long, default_value_t = 0)]
    fresh: u64,
    /// Number of commands in each simulation
    #[arg(long, default_value_t = 200)]
    commands: usize,
    /// Number of people with accounts in each simulation
    #[arg(long, default_value_t = 3)]
    people: usize,
    /// Number of programs that share seats in each simulation
    #[arg(long, default_value_t = 4)]
    programs: usize,
    /// Name of a bug to plant; the run then succeeds if at least one seed finds it
    #[arg(long)]
    bug: Option<String>,
    /// Print the whole history of each run
    #[arg(long)]
    history: bool,
    /// Instead of simulating, print how much 32 callers buy from one wallet in virtual time, singly and in bulk
    #[arg(long)]
    hot_wallet: bool,
}

#[derive(Default)]
struct Found {
    runs: u64,
    attempts: usize,
    commits: usize,
    events: usize,
    failures: Vec<Failure>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let bug = match arguments.bug.as_deref().map(bug).transpose() {
        Ok(bug) => bug,
        Err(unknown) => {
            eprintln!("simulate: {unknown}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.hot_wallet {
        for (how, in_bulk) in [("singly", false), ("in bulk", true)] {
            println!("32 callers at one wallet, {how}: {}", sell(in_bulk, 4));
        }
        return ExitCode::SUCCESS;
    }
    // A failure is reported with its seed. The panic message of the default hook would only clutter the output.
    std::panic::set_hook(Box::new(|_| {}));
    let found = run_all(&arguments, bug);
    let Found { runs, attempts, commits, events, failures } = &found;
    println!(
        "simulated {runs} seeds of {} commands: {attempts} requests, {commits} commits, {events} events; {} failed",
        arguments.commands,
        failures.len()
    );
    if failures.is_empty() == bug.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn bug(name: &str) -> Result<Bug, String> {
    let known = Bug::VARIANTS.iter().copied().find(|it| format!("{it:?}") == name);
    known.ok_or_else(|| format!("there is no such bug; the bugs are {:?}", Bug::VARIANTS))
}

/// The requested range of seeds, followed by the fresh random ones.
fn seeds(arguments: &Arguments) -> Vec<u64> {
    let fixed = arguments.from..arguments.from + arguments.seeds;
    let fresh = (0..arguments.fresh).map(|_| fastrand::u64(1 << 32..1 << 48));
    fixed.chain(fresh).collect()
}

fn run_all(arguments: &Arguments, bug: Option<Bug>) -> Found {
    let seeds = seeds(arguments);
    let bar = ProgressBar::new(seeds.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_message("none failed");
    bar.enable_steady_tick(Duration::from_secs(1));
    let (waiting, found) = (Mutex::new(VecDeque::from(seeds)), Mutex::new(Found::default()));
    let work = || {
        while let Some(seed) = next(&waiting) {
            let Arguments { commands, people, programs, .. } = *arguments;
            let options = Options { seed, commands, people, programs, bug };
            let done = catch_unwind(AssertUnwindSafe(|| run(options)));
            let mut found = lock(&found);
            if let Some(failure) = found.add(seed, done, arguments.history) {
                bar.suspend(|| println!("{failure}"));
            }
            bar.inc(1);
            bar.set_message(format!("{} failed", found.failures.len()));
            if bug.is_some() && !found.failures.is_empty() {
                return;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn next(waiting: &Mutex<VecDeque<u64>>) -> Option<u64> {
    lock(waiting).pop_front()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Found {
    fn add(&mut self, seed: u64, done: std::thread::Result<Result<Run, Failure>>, history: bool) -> Option<&Failure> {
        self.runs += 1;
        let failure = match done {
            Ok(Ok(run)) => {
                self.attempts += run.attempts;
                self.commits += run.commits;
                self.events += run.events;
                if history {
                    run.history.iter().for_each(|line| println!("{line}"));
                }
                return None;
            }
            Ok(Err(failure)) => failure,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
                let problem = format!("the run panicked: {}", text.unwrap_or_default());
                let history = Vec::new();
                Failure { seed, problem, history }
            }
        };
        self.failures.push(failure);
        self.failures.last()
    }
}
