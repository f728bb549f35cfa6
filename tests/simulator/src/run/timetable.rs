//! The timetable that starts `rollup`: at random times, now and then twice, whatever became of the runs before.
//!
//! Invariant: runs meet, die, and go on after others have taken over from them, as long as there is weather; in the
//! end there are runs until nothing is marked as not counted.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::{JoinError, spawn_local};

use crate::cloud::{Moment, Process};
use crate::run::deployment::Deployment;

/// How often the time of a run comes while callers call.
const TIMES: u32 = 3;
/// How many calls a run makes, about.
const CALLS: u32 = 60;
/// How many runs count what is left, at most: the first may find that one which died holds the lease.
const LAST_RUNS: u32 = 4;
/// Longer than a run has the lease by any clock.
const LEASE: Duration = Duration::from_secs(65);

/// The timetable of a deployment.
#[derive(Debug)]
pub struct Timetable {
    deployment: Rc<Deployment>,
    runs: Cell<u32>,
}

impl Timetable {
    /// One that has started nothing.
    pub fn new(deployment: Rc<Deployment>) -> Rc<Self> {
        let runs = Cell::new(0);
        Rc::new(Self { deployment, runs })
    }

    /// Starts runs, and waits until all have ended.
    pub async fn keep(self: Rc<Self>) -> Result<(), JoinError> {
        let cloud = &self.deployment.cloud;
        let mut runs = Vec::new();
        for _ in 0..TIMES {
            let soon = cloud.draw(|rng| rng.u8(0..3)) == 0;
            let (least, most) = if soon { (20, 600) } else { (500, 9_000) };
            tokio::time::sleep(cloud.between(least, most)).await;
            // Where clocks are turned, a run may find that the one before it has had the lease for too long.
            if cloud.weather().turned_clock > 0 && cloud.draw(fastrand::Rng::bool) {
                cloud.turn_clocks(LEASE);
            }
            let event = self.event();
            let twice = cloud.draw(|rng| rng.u8(0..4)) == 0;
            for _ in 0..=usize::from(twice) {
                let (own, event) = (Rc::clone(&self), event.clone());
                let dies = cloud.death(CALLS);
                runs.push(spawn_local(async move { own.run(event, dies).await }));
            }
        }
        for run in runs {
            run.await?;
        }
        Ok(())
    }

    /// Counts what is left; whether that came to an end.
    pub async fn finish(&self) -> bool {
        for _ in 0..LAST_RUNS {
            tokio::time::sleep(LEASE).await;
            let done = self.run(self.event(), None).await;
            if done && !self.is_anything_marked() {
                return true;
            }
        }
        false
    }

    fn is_anything_marked(&self) -> bool {
        let marks = self.deployment.cloud.table().items_under("DM#");
        marks.iter().any(|mark| !mark["gsi4pk"].is_null())
    }

    /// Lets one instance run; whether it did what it had to do.
    async fn run(&self, event: Value, dies: Option<(u32, Moment)>) -> bool {
        let cloud = &self.deployment.cloud;
        self.runs.set(self.runs.get() + 1);
        let name = format!("rollup.{}", self.runs.get());
        let process = Process::new(name.clone(), dies);
        let ended = self.deployment.consume(&process, "rollup", &event).await;
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
