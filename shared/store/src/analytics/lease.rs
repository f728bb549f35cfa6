//! The lease of the roll-ups: one run at a time writes figures. Its fence, a rising number, stamps all that it writes.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::SignedDuration;
use purser_domain::basic::Time;
use serde::{Deserialize, Serialize};

use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, number, text};
use crate::engine::{Condition, Consistency, Item, Key, Table, Write};
use crate::{Store, StoreError};

/// How long a run holds the lease: longer than the timeout of its function in template.yaml, so that the run ends
/// first.
const LEASE: SignedDuration = SignedDuration::from_secs(58);
/// How far into a run new work may still begin.
const WORKS: SignedDuration = SignedDuration::from_secs(40);
/// How long a commit may take to pass through the stream and show in the list of dirty hours.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(30);
/// An upper bound on the figures that one run writes. A stamp is the fence times this, plus the number of the write,
/// so the stamps of later runs are always higher.
const MOST_WRITES: u64 = 1 << 24;

/// The right to write figures for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    fence: u64,
    writes: u64,
    began: Time,
}

/// How up to date the figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollup {
    /// Everything that happened up to this time is counted. `None` before the first run has ended.
    pub as_of: Option<Time>,
}

fn key() -> Key {
    Key::alone("RL", "rollup")
}

impl Store {
    /// Takes the lease for `run`, or returns `None` while another run holds it.
    pub async fn lease_rollup(&self, run: &str, now: Time) -> Result<Option<Lease>, StoreError> {
        let (key, until) = (key(), now.plus(LEASE));
        let update = || {
            // If the answer to this call is lost, the call is repeated. `run = :run` lets the run take its own lease
            // once more.
            let update = self
                .table
                .update(&key)
                .update_expression("SET kind = :kind, run = :run, lease = :until ADD fence :one")
                .condition_expression("attribute_not_exists(pk) OR lease < :now OR run = :run")
                .expression_attribute_values(":kind", text("rollup"))
                .expression_attribute_values(":run", text(run))
                .expression_attribute_values(":until", text(until))
                .expression_attribute_values(":now", text(now))
                .expression_attribute_values(":one", number(1))
                .return_values(ReturnValue::UpdatedNew);
            Table::send_update(update)
        };
        let Some(answer) = patiently(update).await? else {
            return Ok(None);
        };
        let fence = answer.attributes.as_ref().and_then(|it| it.get("fence"));
        let fence = fence.and_then(|it| it.as_n().ok()?.parse().ok());
        let fence = fence.ok_or_else(|| StoreError::Unreadable("the lease of the roll-ups has no fence".into()))?;
        Ok(Some(Lease { fence, writes: 0, began: now }))
    }

    /// Gives the lease back and returns the new `as_of`. `oldest` is the time at which the oldest remaining hour became
    /// dirty.
    pub async fn end_rollup(&self, lease: &Lease, oldest: Option<Time>, now: Time) -> Result<Time, StoreError> {
        let settled = lease.began.plus(-UNDER_WAY);
        // The change that happened at `oldest` itself is not counted yet.
        let before = |since: Time| since.plus(SignedDuration::from_millis(-1));
        let as_of = oldest.map_or(settled, |since| settled.min(before(since)));
        let (key, rollup) = (key(), attribute(&Rollup { as_of: Some(as_of) })?);
        // A lease is free only if it ended before now: set its end just before now.
        let ended = now.plus(SignedDuration::from_millis(-1));
        let update = || {
            let update = self
                .table
                .update(&key)
                .update_expression("SET lease = :ended, doc = :doc")
                .condition_expression("fence = :fence")
                .expression_attribute_values(":ended", text(ended))
                .expression_attribute_values(":doc", rollup.clone())
                .expression_attribute_values(":fence", number(lease.fence));
            Table::send_update(update)
        };
        patiently(update).await?.ok_or_else(lost)?;
        Ok(as_of)
    }

    pub async fn rollup(&self) -> Result<Rollup, StoreError> {
        let item = self.table.get(&key(), Consistency::Eventual).await?;
        // The first run adds `doc` to the item only when it ends.
        let said = item.filter(|item: &Item| item.contains_key("doc"));
        let said = said.as_ref().map(doc).transpose()?;
        Ok(said.unwrap_or(Rollup { as_of: None }))
    }
}

/// The error of a run whose lease was taken over by another run.
pub(super) fn lost() -> StoreError {
    StoreError::Failed("another run of rollup has taken over".into())
}

impl Lease {
    /// Whether there is time left to begin new work.
    pub fn works(&self, now: Time) -> bool {
        now < self.began.plus(WORKS)
    }

    /// A write that fails its transaction unless this run still holds the lease.
    pub(super) fn check(&self) -> Write {
        Write::Check(key(), Condition::Is("fence", number(self.fence)))
    }

    /// Reserves the stamps of the next `writes` figures and returns the first of them.
    pub(super) fn stamp(&mut self, writes: usize) -> u64 {
        let next = self.fence * MOST_WRITES + self.writes;
        self.writes += u64::try_from(writes).unwrap_or(MOST_WRITES);
        next
    }
}
