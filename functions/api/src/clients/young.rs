//! Commands on clients that changed within a day: whoever may give a new client one address after another, or delete it
//! and create it again, learns of each address whether it is taken.
//!
//! Invariant: such a command is charged before it is done (rule A2). What counts is the client in the version that the
//! commit replaces, so of many commands at once only one can take the client for an old one.

use std::sync::atomic::{AtomicBool, Ordering};

use purser_domain::basic::Time;
use purser_domain::parties::Client;
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::parties::guesses::FRESH;

/// What a command on a young client costs, and whether that has been charged.
#[derive(Debug)]
pub struct Young {
    now: Time,
    /// Operators are not charged.
    charges: bool,
    charged: bool,
    due: AtomicBool,
}

impl Young {
    pub fn of(call: &Call) -> Self {
        let charges = call.caller.must_operate().is_err();
        Self { now: call.now, charges, charged: false, due: AtomicBool::new(false) }
    }

    pub fn is_charged(&self) -> bool {
        self.charged
    }

    /// Charges for a command on a client that was young when it was read, before it is tried in vain.
    pub async fn charge(&mut self, app: &App, call: &Call, found: &Client) -> Result<(), Problem> {
        let tried = self.must_be_charged(found).map_err(StoreError::from);
        self.is_settled((app, call), 1, &tried).await.map(drop)
    }

    /// Refuses a command on `client` that has to be charged first. The refusal is told to nobody: see
    /// [`Self::is_settled`].
    pub fn must_be_charged(&self, client: &Client) -> Result<(), Refusal> {
        let due = self.charges && !self.charged && client.updated_at.plus(FRESH) > self.now;
        self.due.store(due, Ordering::Relaxed);
        if due { Err(Refusal::TooManyAttempts { seconds: 0 }) } else { Ok(()) }
    }

    /// Whether a command came to an end. If it has to be charged first, it is charged now, for `named` addresses and
    /// external ids, and then must be sent again.
    pub async fn is_settled<T>(
        &mut self,
        (app, call): (&App, &Call),
        named: u32,
        outcome: &Result<T, StoreError>,
    ) -> Result<bool, Problem> {
        if outcome.is_ok() || !self.due.swap(false, Ordering::Relaxed) {
            return Ok(true);
        }
        call.charge(app, call.asker(named).as_ref()).await?;
        self.charged = true;
        Ok(false)
    }
}
