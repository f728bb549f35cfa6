//! The event bus: accepts `PutEvents` as EventBridge does, and calls the functions whose rules match.
//!
//! Invariant: an accepted event reaches every function whose rule matches it, or becomes a dead letter. Pending
//! events are not on disk, so a crash loses them; the stream then sends them again, because it saves its position
//! only while the bus is idle.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::sync::watch;

use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::pattern::Pattern;
use crate::{Now, Target};

mod wire;

/// How many times the laptop tries to deliver an event. The pauses add up to 82 s, because the claim of a consumer that
/// died can last for another minute.
pub const TRIES: u32 = 13;

/// The pause before the second try; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How many accepted events are kept for display; the oldest are dropped first.
const KEPT: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The template's bus, where the functions put their events.
    Own,
    /// The account's default bus, where AWS services put their events.
    Account,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub on: On,
    /// The function's handler, by which [`Target`] calls it.
    pub function: String,
    pub pattern: Pattern,
}

/// A running bus. Clones are handles on the same one.
#[derive(Clone)]
pub struct Bus {
    core: Arc<Core>,
}

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
    /// A bus whose events wait until [`Bus::set_target`] has been called; then each is tried up to `tries` times, with
    /// pauses that double.
    pub fn new(rules: Vec<Rule>, now: Now, dead_letters: DeadLetters, tries: u32) -> Self {
        let core = Arc::new(Core {
            rules,
            now,
            dead_letters,
            tries,
            target: watch::Sender::new(None),
            pending: watch::Sender::new(0),
            accepted: Mutex::default(),
        });
        Self { core }
    }

    /// `PutEvents`, as the SDK's client calls it.
    pub fn service(&self) -> Router {
        Router::new().fallback(wire::put_events).with_state(Arc::clone(&self.core))
    }

    /// Sets what to call. This comes after [`Bus::new`], because the functions need the bus to send their own
    /// events.
    pub fn set_target(&self, target: Target) {
        self.core.target.send_replace(Some(target));
    }

    /// The last accepted events, newest first, in EventBridge's envelope.
    pub fn newest_first(&self) -> Vec<Value> {
        let accepted = self.core.accepted.lock();
        let accepted = accepted.unwrap_or_else(PoisonError::into_inner);
        accepted.iter().rev().cloned().collect()
    }

    /// Publishes an event of an AWS service, in EventBridge's envelope, on the account's default bus.
    pub fn tell(&self, event: &Value) {
        self.core.publish(On::Account, event);
    }

    /// Calls `function` with an event that matches no rule, such as a schedule's. It is tried as often as any other.
    pub fn start_function(&self, function: String, event: Value) {
        self.core.begin(function, event);
    }

    /// Resolves when every accepted event has been delivered or given up on.
    pub async fn idle(&self) {
        // This cannot fail: the sender lives in the core, which this handle keeps alive.
        let _ = self.core.pending.subscribe().wait_for(|it| *it == 0).await;
    }

    /// Waits until the accepted events are delivered or given up on, and drops the target. The target probably holds a
    /// handle on this bus, so keeping it would leak both.
    pub async fn shutdown(&self) {
        // Without a target no event is ever delivered, so waiting would never end.
        if self.core.target.borrow().is_some() {
            self.idle().await;
        }
        self.core.target.send_replace(None);
    }
}

impl Core {
    /// Begins to deliver an event to every matching function. The deliveries count as pending before this returns.
    fn publish(self: &Arc<Self>, on: On, event: &Value) {
        self.keep(event);
        let matching = |it: &&Rule| it.on == on && it.pattern.matches(event);
        for rule in self.rules.iter().filter(matching) {
            self.begin(rule.function.clone(), event.clone());
        }
    }

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
            // A task of its own, so that a panic in a function counts as a failed try.
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

/// Counts a delivery as pending until it ends, even by a panic.
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
