//! The event bus: takes `PutEvents` as EventBridge does, and calls what the rules say.
//!
//! Invariant: an event that was accepted reaches every function whose rule matches it, or a dead
//! letter holds it. Nothing of it waits on disk: a crash loses what is pending, and the stream,
//! which saves its position only when the bus is idle, sends it again.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::sync::watch;

use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::loopback::Loopback;
use crate::cloud::pattern::Pattern;
use crate::{Now, Target};

mod wire;

/// How often the laptop tries an event: the pauses add up to 82 s, so they outlast the minute for which a consumer
/// that died may still hold the event.
pub const TRIES: u32 = 13;

/// The pause before the second try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How many events are kept to look at; the oldest go first.
const KEPT: usize = 500;

/// Which bus an event goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The template's, where the functions put their events.
    Own,
    /// The account's, where AWS's services put theirs.
    Account,
}

/// Which events a function gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The bus it listens to.
    pub on: On,
    /// The function's name, as the target knows it.
    pub function: String,
    /// What an event must look like.
    pub pattern: Pattern,
}

/// A running bus. Clones are handles on the same one.
#[derive(Clone)]
pub struct Bus {
    core: Arc<Core>,
    loopback: Arc<tokio::sync::Mutex<Option<Loopback>>>,
    endpoint: Arc<str>,
}

/// What the listener and the handles share.
struct Core {
    rules: Vec<Rule>,
    now: Now,
    dead_letters: DeadLetters,
    tries: u32,
    target: watch::Sender<Option<Target>>,
    pending: watch::Sender<usize>,
    accepted: Mutex<VecDeque<Value>>,
}

impl Bus {
    /// Starts a bus on a port of its own. Events wait until [`Bus::set_target`] was called.
    /// Each is tried so many times, at most, with pauses that double.
    pub async fn start(rules: Vec<Rule>, now: Now, dead_letters: DeadLetters, tries: u32) -> io::Result<Self> {
        let core = Arc::new(Core {
            rules,
            now,
            dead_letters,
            tries,
            target: watch::Sender::new(None),
            pending: watch::Sender::new(0),
            accepted: Mutex::default(),
        });
        let router = Router::new().fallback(wire::put_events).with_state(Arc::clone(&core));
        let loopback = Loopback::serve(router).await?;
        Ok(Self {
            core,
            endpoint: loopback.endpoint().into(),
            loopback: Arc::new(tokio::sync::Mutex::new(Some(loopback))),
        })
    }

    /// The address for an SDK client. Credentials and region can be any.
    pub fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    /// Says what to call. The functions themselves send events, so they exist only after the bus.
    pub fn set_target(&self, target: Target) {
        self.core.target.send_replace(Some(target));
    }

    /// The last events accepted, newest first, in EventBridge's envelope.
    pub fn newest_first(&self) -> Vec<Value> {
        let accepted = self.core.accepted.lock();
        let accepted = accepted.unwrap_or_else(PoisonError::into_inner);
        accepted.iter().rev().cloned().collect()
    }

    /// Publishes what a service of AWS tells, in EventBridge's envelope, on the account's own bus.
    pub fn tell(&self, event: &Value) {
        self.core.publish(On::Account, event);
    }

    /// Starts `function` with `event`, of which no rule knows: a timetable's. It is tried as often as others.
    pub fn start_function(&self, function: String, event: Value) {
        self.core.begin(function, event);
    }

    /// Resolves when every accepted event is delivered or given up on.
    pub async fn idle(&self) {
        // It cannot fail: the sender lives in the core that this handle holds.
        let _ = self.core.pending.subscribe().wait_for(|it| *it == 0).await;
    }

    /// Stops taking events, waits until those taken are delivered or given up on, and lets go of
    /// the target, which is likely to hold what holds this bus.
    pub async fn shutdown(&self) {
        let loopback = self.loopback.lock().await.take();
        if let Some(loopback) = loopback {
            loopback.shutdown().await;
        }
        // Without a target nothing would ever be delivered.
        if self.core.target.borrow().is_some() {
            self.idle().await;
        }
        self.core.target.send_replace(None);
    }
}

impl Core {
    /// Begins the deliveries of an event. They count as pending before this returns.
    fn publish(self: &Arc<Self>, on: On, event: &Value) {
        self.keep(event);
        let matching = |it: &&Rule| it.on == on && it.pattern.matches(event);
        for rule in self.rules.iter().filter(matching) {
            self.begin(rule.function.clone(), event.clone());
        }
    }

    /// Begins one delivery.
    fn begin(self: &Arc<Self>, function: String, event: Value) {
        let pending = Pending::new(Arc::clone(self));
        tokio::spawn(async move { pending.0.deliver(function, event).await });
    }

    fn keep(&self, event: &Value) {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        if accepted.len() == KEPT {
            accepted.pop_front();
        }
        accepted.push_back(event.clone());
    }

    async fn deliver(&self, function: String, event: Value) {
        let mut given = self.target.subscribe();
        let target = match given.wait_for(Option::is_some).await {
            Ok(target) => target.clone(),
            Err(_) => None,
        };
        let Some(target) = target else { return };
        let mut reason = String::new();
        for attempt in 0..self.tries {
            if attempt > 0 {
                tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt - 1)).await;
            }
            // In a task of its own, so that a panic is a failed try.
            reason = match tokio::spawn(target(function.clone(), event.clone())).await {
                Ok(Ok(())) => return,
                Ok(Err(reason)) => reason,
                Err(panic) => panic.to_string(),
            };
        }
        tracing::error!(
            function,
            reason,
            id = event.get("id").map(tracing::field::display),
            kind = event.get("detail-type").map(tracing::field::display),
            "gave up on an event"
        );
        self.dead_letters.bury(&function, &reason, event);
    }
}

/// One delivery that is counted until it ends, however it ends.
struct Pending(Arc<Core>);

impl Pending {
    fn new(core: Arc<Core>) -> Self {
        core.pending.send_modify(|it| *it += 1);
        Self(core)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.pending.send_modify(|it| *it -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laptop_is_more_patient_than_a_dead_consumer_is_long() {
        let pauses = FIRST_PAUSE * (2_u32.pow(TRIES - 1) - 1);
        assert!(pauses > purser_store::events::claim::LEASE.unsigned_abs(), "{pauses:?}");
    }
}
