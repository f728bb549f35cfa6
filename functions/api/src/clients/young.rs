//! Deleting clients that changed within a day: whoever creates a client and deletes it again learns of its address, and
//! of the id that it was given, whether they are taken.
//!
//! Invariant: such a deletion is charged before it is done (rule A2). What counts is the client in the version that the
//! commit replaces, so nobody can take a client for an old one that has just changed.

use std::sync::atomic::{AtomicBool, Ordering};

use purser_domain::basic::Time;
use purser_domain::parties::Client;
use purser_edge::prelude::*;
use purser_store::StoreError;
use purser_store::parties::guesses::FRESH;

/// Whether the deletion of a client has to be charged, and has been.
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

    /// Refuses to delete a client before that has been charged. The refusal is told to nobody: see
    /// [`Self::is_settled`].
    pub fn must_be_charged(&self, client: &Client) -> Result<(), Refusal> {
        let due = self.charges && !self.charged && client.updated_at.plus(FRESH) > self.now;
        self.due.store(due, Ordering::Relaxed);
        if due { Err(Refusal::TooManyAttempts { seconds: 0 }) } else { Ok(()) }
    }

    /// Whether a deletion came to an end. If it has to be charged first, it is charged now, for `named` addresses and
    /// external ids, and then must be tried again.
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
