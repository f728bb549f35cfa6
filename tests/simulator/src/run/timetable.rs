//! The timetable that starts `rollup` and `run-due-work`: at random times, sometimes twice at once, without waiting for
//! earlier runs.
//!
//! Invariant: as long as there are faults, runs overlap, die, and continue after another run takes their lease. At the
//! end, runs are started until no mark is left uncounted, and no notice or erasure waits any more. After that, the
//! daily look for what erasures left finds nothing.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::{JoinError, spawn_local};

use crate::cloud::{Moment, Process};
use crate::run::delivery::Delivery;
use crate::run::deployment::Deployment;

/// How often the timetable starts `rollup` while the callers are active.
const TIMES: u32 = 3;
/// Roughly how many calls to the cloud a run makes.
const CALLS: u32 = 60;
/// The maximum number of runs that count what is left. The first may find that a dead run still holds the lease.
const LAST_RUNS: u32 = 4;
/// Longer than the lease of a run on any of the clocks.
const LEASE: Duration = Duration::from_secs(65);
/// Longer than a notice waits.
const NOTICE: Duration = Duration::from_mins(61);
const ROLLUP: &str = "rollup";
const DUE: &str = "run-due-work";
const SAMPLE: &str = "sample-erasures";

#[derive(Debug)]
pub struct Timetable {
    deployment: Rc<Deployment>,
    runs: Cell<u32>,
}

impl Timetable {
    pub fn new(deployment: Rc<Deployment>) -> Rc<Self> {
        let runs = Cell::new(0);
        Rc::new(Self { deployment, runs })
    }

    pub async fn keep(self: Rc<Self>) -> Result<(), JoinError> {
        let cloud = &self.deployment.cloud;
        let mut runs = Vec::new();
        for _ in 0..TIMES {
            let soon = cloud.draw(|rng| rng.u8(0..3)) == 0;
            let (least, most) = if soon { (20, 600) } else { (500, 9_000) };
            tokio::time::sleep(cloud.between(least, most)).await;
            // When clocks are turned forward, a run may find that its predecessor has held the lease for too long.
            if cloud.weather().turned_clock > 0 && cloud.draw(fastrand::Rng::bool) {
                cloud.turn_clocks(LEASE);
            }
            let event = self.event();
            let twice = cloud.draw(|rng| rng.u8(0..4)) == 0;
            for _ in 0..=usize::from(twice) {
                let (own, event) = (Rc::clone(&self), event.clone());
                let dies = cloud.death(CALLS);
                runs.push(spawn_local(async move { own.run(ROLLUP, event, dies).await }));
            }
            for _ in 0..=usize::from(!twice) {
                let (own, event) = (Rc::clone(&self), self.event());
                let dies = cloud.death(CALLS);
                runs.push(spawn_local(async move { own.run(DUE, event, dies).await }));
            }
        }
        for run in runs {
            run.await?;
        }
        Ok(())
    }

    /// Starts runs until nothing is marked any more. Returns whether that succeeded.
    pub async fn finish(&self) -> bool {
        for _ in 0..LAST_RUNS {
            tokio::time::sleep(LEASE).await;
            let done = self.run(ROLLUP, self.event(), None).await;
            if done && !self.is_anything_marked() {
                return true;
            }
        }
        false
    }

    /// Lets time pass until no notice and no erasure waits, and lets everything follow. Returns whether that succeeded.
    pub async fn tell(&self, delivery: &Delivery) -> bool {
        for _ in 0..LAST_RUNS {
            if !self.is_anything_waiting() {
                return true;
            }
            self.deployment.cloud.pass(NOTICE);
            // Two at once, which find the same items.
            let (one, other) = tokio::join!(self.run(DUE, self.event(), None), self.run(DUE, self.event(), None));
            if delivery.settle().await != delivery.poisoned() || !(one && other) {
                return false;
            }
        }
        false
    }

    /// Looks for what is left of people who were deleted. Returns whether there was nothing.
    pub async fn sample(&self) -> bool {
        let table = self.deployment.cloud.table();
        let before = table.commit_count();
        self.run(SAMPLE, self.event(), None).await && table.commit_count() == before
    }

    fn is_anything_waiting(&self) -> bool {
        let table = self.deployment.cloud.table();
        let waiting = |noun| table.items_under(noun).iter().any(|item| !item["gsi4pk"].is_null());
        waiting("NO#") || waiting("ER#")
    }

    fn is_anything_marked(&self) -> bool {
        let marks = self.deployment.cloud.table().items_under("DM#");
        marks.iter().any(|mark| !mark["gsi4pk"].is_null())
    }

    async fn run(&self, function: &'static str, event: Value, dies: Option<(u32, Moment)>) -> bool {
        let cloud = &self.deployment.cloud;
        self.runs.set(self.runs.get() + 1);
        let name = format!("{function}.{}", self.runs.get());
        let process = Process::new(name.clone(), dies);
        let ended = self.deployment.consume(&process, function, &event).await;
        cloud.note(&name, format!("→ {ended:?}"));
        ended == Some(Ok(()))
    }

    fn event(&self) -> Value {
        let id = format!("minute-{}", self.runs.get());
        json!({"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.events",
            "account": purser_local::ACCOUNT, "time": "2026-01-01T00:00:00Z", "region": purser_local::REGION,
            "resources": [],
            "detail": {}})
    }
}
