//! One run of a function, which may die between any two of its calls.
//!
//! Invariant: what a process had sent when it died goes on without it; what it had not sent is never sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

tokio::task_local! {
    static PROCESS: Process;
}

/// Where at a call a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The call is not made.
    Before,
    /// The call is made, and nobody takes its answer.
    After,
}

/// A run of a function. Clones are the same run.
#[derive(Debug, Clone)]
pub struct Process(Arc<State>);

#[derive(Debug)]
struct State {
    name: String,
    attempt: Option<u32>,
    event: Option<String>,
    dies: Option<(u32, Moment)>,
    calls: AtomicU32,
    harm: AtomicU32,
    death: Notify,
}

impl Process {
    /// A run by this name, which dies at that call, if at any.
    pub fn new(name: impl Into<String>, dies: Option<(u32, Moment)>) -> Self {
        Self::start(name.into(), None, None, dies)
    }

    /// One that answers a caller's attempt.
    pub fn for_attempt(name: String, attempt: u32, dies: Option<(u32, Moment)>) -> Self {
        Self::start(name, Some(attempt), None, dies)
    }

    /// One that handles an event.
    pub fn for_event(name: String, event: String, dies: Option<(u32, Moment)>) -> Self {
        Self::start(name, None, Some(event), dies)
    }

    fn start(name: String, attempt: Option<u32>, event: Option<String>, dies: Option<(u32, Moment)>) -> Self {
        Self(Arc::new(State {
            name,
            attempt,
            event,
            dies,
            calls: AtomicU32::new(0),
            harm: AtomicU32::new(0),
            death: Notify::new(),
        }))
    }

    /// The run that this code is part of.
    pub fn current() -> Option<Self> {
        PROCESS.try_with(Clone::clone).ok()
    }

    /// Does `work`; none if it dies over it.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let work = PROCESS.scope(self.clone(), work);
        tokio::select! {
            biased;
            () = self.0.death.notified() => None,
            done = work => Some(done),
        }
    }

    /// Counts a call, and says where at it the run dies.
    pub(super) fn call(&self) -> Option<Moment> {
        let call = self.0.calls.fetch_add(1, Ordering::Relaxed);
        let (at, moment) = self.0.dies?;
        (at == call).then_some(moment)
    }

    pub(super) fn die(&self) {
        self.harm();
        self.0.death.notify_one();
    }

    /// Notes that it does not know what became of one of its calls.
    pub(super) fn harm(&self) {
        self.0.harm.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it always knew what became of its calls.
    pub fn was_spared(&self) -> bool {
        self.0.harm.load(Ordering::Relaxed) == 0
    }

    /// How it goes by in the history.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The attempt it answers.
    pub fn attempt(&self) -> Option<u32> {
        self.0.attempt
    }

    /// The id of the event it handles.
    pub fn event(&self) -> Option<&str> {
        self.0.event.as_deref()
    }
}
