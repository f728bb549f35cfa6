//! A Lambda function as a process: started, sent events, measured.
//!
//! Invariant: a phase ends only when the process has asked for the next event and has gone idle, so that work it does
//! after its answer counts as well. Processor time is what the kernel counted for the process's threads.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::runtime_api::{RuntimeApi, Said};

/// Longer than anything measured here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The cost of a start, or of a request.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// The time until the process was ready, or until it answered.
    pub wall: Duration,
    /// The processor time that it used.
    pub cpu: Duration,
}

pub struct Process {
    child: Child,
    api: RuntimeApi,
    log: PathBuf,
    waiting: oneshot::Sender<Bytes>,
    spent: Duration,
}

impl Process {
    /// Starts `program` with exactly this environment and its output in the file `log`, and waits until it asks for
    /// an event.
    pub async fn start(program: &Path, environment: &BTreeMap<String, String>, log: &Path) -> (Self, Phase) {
        let mut api = RuntimeApi::start().await.expect("a port");
        let output = File::create(log).expect("a log");
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a log"))
            .stderr(output);
        let started = Instant::now();
        let mut child = command.spawn().expect("the program should start");
        let (ready, waiting) = match heard(&mut api, &mut child, log).await {
            Said::Next(ready, waiting) => (ready, waiting),
            other => panic!("{} did not start: {other:?}", program.display()),
        };
        let spent = rested(child.id()).await;
        let phase = Phase { wall: ready - started, cpu: spent };
        let process = Self { child, api, log: log.to_owned(), waiting, spent };
        (process, phase)
    }

    pub async fn ask(&mut self, event: &Bytes) -> (Bytes, Phase) {
        let (asked, before) = (Instant::now(), self.spent);
        let (used, _) = oneshot::channel();
        let waiting = std::mem::replace(&mut self.waiting, used);
        waiting.send(event.clone()).expect("the process should be waiting for an event");
        let (answered, answer) = match heard(&mut self.api, &mut self.child, &self.log).await {
            Said::Answer(answered, answer) => (answered, answer),
            other => panic!("no answer: {other:?}"),
        };
        match heard(&mut self.api, &mut self.child, &self.log).await {
            Said::Next(_, waiting) => self.waiting = waiting,
            other => panic!("the process did not ask for the next event: {other:?}"),
        }
        self.spent = rested(self.child.id()).await;
        let phase = Phase { wall: answered - asked, cpu: self.spent.saturating_sub(before) };
        (answer, phase)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killing the process fails only if it has already ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn heard(api: &mut RuntimeApi, child: &mut Child, log: &Path) -> Said {
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        let step = Duration::from_millis(500);
        match timeout(step, api.said()).await {
            Ok(Some(said)) => return said,
            Ok(None) => break,
            Err(_) => waited += step,
        }
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            break;
        }
    }
    let said = fs::read_to_string(log).unwrap_or_default();
    panic!("the process has ended or hangs; its log:\n{said}");
}

/// The processor time of a process, once it no longer increases.
async fn rested(process: u32) -> Duration {
    let mut before = processor_time(process);
    loop {
        sleep(Duration::from_millis(1)).await;
        let now = processor_time(process);
        if now == before {
            return now;
        }
        before = now;
    }
}

/// The processor time of the threads that the process has now. Idle threads live for ten seconds, so none is missed.
fn processor_time(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("Linux's /proc");
    let nanoseconds = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
