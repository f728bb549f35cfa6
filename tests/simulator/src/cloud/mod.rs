//! The parts of AWS that the functions use, with the faults that AWS has: a fault-injecting HTTP client for the SDK.
//!
//! The table is an embedded DynamoDB. This module adds what the embedded one lacks: conflicts, throttling, stale
//! reads, lagging indexes, lost calls and lost answers. Invariant: the seed determines everything that happens.
//! Latencies and faults are drawn in the order of the calls, all time is virtual, and nothing waits for anything
//! outside the simulation, so a run can be repeated exactly.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use purser_edge::process::clock::Clock;
use purser_local::run::sdk;
use purser_local::run::system::template;
use serde_json::Value;
use tokio::time::Instant;

pub mod bugs;
mod history;
mod network;
mod process;
mod table;
mod throughput;
mod weather;
mod wire;

pub use bugs::Bug;
pub use history::History;
pub use process::{Moment, Process};
pub use table::{Change, Commit, Table};
pub use weather::Weather;

use network::Network;

#[derive(Debug, Clone)]
pub struct Published {
    /// The event in EventBridge's envelope.
    pub event: Value,
}

#[derive(Debug, Clone)]
pub struct Mail {
    /// The id of the event that its sender was handling.
    pub event: Option<String>,
    pub to: String,
    /// The plain-text part.
    pub text: String,
}

/// A simulated cloud. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Cloud(Arc<Core>);

#[derive(Debug)]
struct Core {
    started: Instant,
    clocks: Mutex<Vec<Clock>>,
    table: Table,
    weather: Mutex<Weather>,
    longest_lag: AtomicU64,
    /// The time up to which the clocks have been advanced, in milliseconds since the start.
    shown: AtomicU64,
    turned: AtomicBool,
    rng: Mutex<fastrand::Rng>,
    history: History,
    bug: Option<Bug>,
    told: Mutex<Vec<Published>>,
    mails: Mutex<Vec<Mail>>,
}

/// The number of clouds created so far, from which each gets a region of its own. The SDK keeps one retry quota for
/// each service and region in the whole process; sharing a region would let one run use up another run's retries.
static CLOUDS: AtomicU64 = AtomicU64::new(0);

/// The highest probability of a death, per mille, so that some runs always get through.
const MOST_DEATHS: u16 = 600;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// A cloud with the template's table, empty and without faults until [`Cloud::set_weather`]. `bug` is planted in
    /// every request sent to it.
    pub fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        // If a year begins soon after the start, one history spans two hours, days, months and years.
        let start = if rng.u8(0..3) == 0 { "2025-12-31T23:59:50Z" } else { "2026-01-01T00:00:00Z" };
        let start = start.parse().expect("a time");
        let clock = Clock::stopped_at(start);
        let template = template().expect("the template");
        let variables = template.variables();
        let name = variables.get("PURSER_TABLE").expect("a table's name");
        let shown = clock.clone();
        let now: purser_local::Now = Arc::new(move || shown.timestamp());
        Self(Arc::new(Core {
            started: Instant::now(),
            clocks: Mutex::new(vec![clock]),
            table: Table::new(&template.table, name, now),
            weather: Mutex::new(Weather::calm()),
            longest_lag: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            turned: AtomicBool::new(false),
            rng: Mutex::new(rng),
            history: History::default(),
            bug,
            told: Mutex::default(),
            mails: Mutex::default(),
        }))
    }

    pub async fn sdk(&self) -> SdkConfig {
        let sdk = sdk::settings(SharedHttpClient::new(Network(self.clone()))).await;
        let region = format!("cloud-{}", CLOUDS.fetch_add(1, Ordering::Relaxed));
        sdk.into_builder().region(Region::new(region)).build()
    }

    /// A clock that is this far ahead of the others, to imitate the clock skew between machines.
    pub fn clock(&self, ahead: Duration) -> Clock {
        let mut clocks = lock(&self.0.clocks);
        let first = clocks.first().expect("a clock").timestamp();
        let skewed = first.checked_add(ahead).expect("a time");
        let clock = Clock::stopped_at(skewed);
        clocks.push(clock.clone());
        clock
    }

    /// Turns all clocks forward by this much, in addition to the time that passes.
    pub fn turn_clocks(&self, by: Duration) {
        self.note("clock", format!("turned by {} s", by.as_secs()));
        self.0.turned.store(true, Ordering::Relaxed);
        self.advance(by);
    }

    /// Lets time pass, when nothing is in progress any more.
    pub fn pass(&self, by: Duration) {
        self.note("clock", format!("{} s pass", by.as_secs()));
        self.advance(by);
    }

    pub fn were_clocks_turned(&self) -> bool {
        self.0.turned.load(Ordering::Relaxed)
    }

    /// Advances the clocks by the time that has passed since the last call.
    pub(super) fn tick(&self) {
        let now = self.now();
        let shown = self.0.shown.swap(now, Ordering::Relaxed);
        self.advance(Duration::from_millis(now - shown));
    }

    fn advance(&self, by: Duration) {
        let by = by.try_into().expect("a duration");
        for clock in lock(&self.0.clocks).iter() {
            clock.advance(by);
        }
    }

    /// Milliseconds since the start.
    pub fn now(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).expect("a short time")
    }

    pub fn set_weather(&self, weather: Weather) {
        self.0.longest_lag.fetch_max(weather.lag, Ordering::Relaxed);
        *lock(&self.0.weather) = weather;
    }

    /// The highest lag of a stale read so far, in milliseconds.
    pub fn longest_lag(&self) -> u64 {
        self.0.longest_lag.load(Ordering::Relaxed)
    }

    pub fn weather(&self) -> Weather {
        lock(&self.0.weather).clone()
    }

    /// Draws from the simulation's only random generator.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut lock(&self.0.rng))
    }

    pub fn happens(&self, per_mille: u16) -> bool {
        per_mille > 0 && self.draw(|rng| rng.u16(0..1_000)) < per_mille
    }

    /// A random duration in this range, in milliseconds.
    pub fn between(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.draw(|rng| rng.u64(least..=most)))
    }

    /// Draws where a run of about `calls` calls dies: at which call, and before or after it. `None`: the run survives.
    pub fn death(&self, calls: u32) -> Option<(u32, Moment)> {
        // The more calls a function makes, the more often it dies.
        let often = u32::from(self.weather().death) * calls / 5;
        let often = u16::try_from(often).unwrap_or(u16::MAX).min(MOST_DEATHS);
        self.happens(often).then(|| {
            let moment = if self.draw(fastrand::Rng::bool) { Moment::Before } else { Moment::After };
            (self.draw(|rng| rng.u32(0..calls)), moment)
        })
    }

    pub fn table(&self) -> &Table {
        &self.0.table
    }

    pub fn history(&self) -> &History {
        &self.0.history
    }

    pub fn note(&self, who: &str, what: impl Into<String>) {
        self.0.history.note(self.now(), who, what.into());
    }

    pub fn bug(&self) -> Option<Bug> {
        self.0.bug
    }

    /// The events that the bus accepted, without the first `from`.
    pub fn told(&self, from: usize) -> Vec<Published> {
        lock(&self.0.told).get(from..).unwrap_or_default().to_vec()
    }

    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.0.mails).clone()
    }
}
