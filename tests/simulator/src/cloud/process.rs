//! A run of a function, which may die between any two of its calls.
//!
//! Invariant: calls that a process sent before it died are still carried out; it sends none afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

tokio::task_local! {
    static PROCESS: Process;
}

/// When a process dies, relative to one of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    /// After the call is carried out, so that nobody receives its answer.
    After,
}

/// A run of a function. Clones share the same state.
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
    /// A run that dies at the given call, if any.
    pub fn new(name: impl Into<String>, dies: Option<(u32, Moment)>) -> Self {
        Self::start(name.into(), None, None, dies)
    }

    pub fn for_attempt(name: String, attempt: u32, dies: Option<(u32, Moment)>) -> Self {
        Self::start(name, Some(attempt), None, dies)
    }

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

    pub fn current() -> Option<Self> {
        PROCESS.try_with(Clone::clone).ok()
    }

    /// Runs `work`; `None` if the process dies in the middle of it.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let work = PROCESS.scope(self.clone(), work);
        tokio::select! {
            biased;
            () = self.0.death.notified() => None,
            done = work => Some(done),
        }
    }

    /// Counts a call. `Some` if the process dies at it: before or after it.
    pub(super) fn call(&self) -> Option<Moment> {
        let call = self.0.calls.fetch_add(1, Ordering::Relaxed);
        let (at, moment) = self.0.dies?;
        (at == call).then_some(moment)
    }

    pub(super) fn die(&self) {
        self.harm();
        self.0.death.notify_one();
    }

    /// Records that the process can't know the outcome of one of its calls.
    pub(super) fn harm(&self) {
        self.0.harm.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the process knew the outcome of every call.
    pub fn was_spared(&self) -> bool {
        self.0.harm.load(Ordering::Relaxed) == 0
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn attempt(&self) -> Option<u32> {
        self.0.attempt
    }

    pub fn event(&self) -> Option<&str> {
        self.0.event.as_deref()
    }
}
