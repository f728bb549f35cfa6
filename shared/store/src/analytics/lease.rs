//! The lease of the roll-ups: one run at a time writes figures, and what a run writes carries its fence.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::SignedDuration;
use purser_domain::basic::time::Time;
use serde::{Deserialize, Serialize};

use crate::engine::command::turn::patiently;
use crate::engine::item::{Item, attribute, doc, number, text};
use crate::engine::keys::Key;
use crate::engine::table::{Condition, Consistency, Table, Write};
use crate::{Store, StoreError};

/// How long a run has the lease: longer than Lambda lets it go on.
const LEASE: SignedDuration = SignedDuration::from_secs(58);
/// How long a run begins new work.
const WORKS: SignedDuration = SignedDuration::from_secs(40);
/// How long it may take until a commit has come through the stream, and shows in the list of what is dirty.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(30);
/// How many figures a run may write: their numbers stand behind its fence in their stamps.
const MOST_WRITES: u64 = 1 << 24;

/// The right to write figures, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    fence: u64,
    writes: u64,
    began: Time,
}

/// What is known of the roll-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollup {
    /// Up to when everything that happened is counted; none before the first run.
    pub as_of: Option<Time>,
}

fn key() -> Key {
    Key::alone("RL", "rollup")
}

impl Store {
    /// Takes the lease for the run `run`; none while another run holds it.
    pub async fn lease_rollup(&self, run: &str, now: Time) -> Result<Option<Lease>, StoreError> {
        let (key, until) = (key(), now.plus(LEASE));
        let update = || {
            // A call whose answer was lost is made again; it took the lease for itself.
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
        let fence = fence.ok_or_else(|| StoreError::Unreadable("a lease without a fence".into()))?;
        Ok(Some(Lease { fence, writes: 0, began: now }))
    }

    /// Gives the lease back, and says up to when everything is counted: what is left is dirty since `oldest`.
    pub async fn end_rollup(&self, lease: &Lease, oldest: Option<Time>, now: Time) -> Result<Time, StoreError> {
        let settled = lease.began.plus(-UNDER_WAY);
        // What happened at that very moment is not counted.
        let before = |since: Time| since.plus(SignedDuration::from_millis(-1));
        let as_of = oldest.map_or(settled, |since| settled.min(before(since)));
        let (key, rollup) = (key(), attribute(&Rollup { as_of: Some(as_of) })?);
        // A millisecond ago: a lease that ends now is held now.
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

    /// What is known of the roll-ups.
    pub async fn rollup(&self) -> Result<Rollup, StoreError> {
        let item = self.table.get(&key(), Consistency::Eventual).await?;
        // Before the first run has ended there is no such thing.
        let said = item.filter(|item: &Item| item.contains_key("doc"));
        let said = said.as_ref().map(doc).transpose()?;
        Ok(said.unwrap_or(Rollup { as_of: None }))
    }
}

/// What a run is told that others have taken over from.
pub(super) fn lost() -> StoreError {
    StoreError::Failed("another run of rollup has taken over".into())
}

impl Lease {
    /// Whether there is time to begin new work.
    pub fn works(&self, now: Time) -> bool {
        now < self.began.plus(WORKS)
    }

    /// That it is held still.
    pub(super) fn check(&self) -> Write {
        Write::Check(key(), Condition::Is("fence", self.fence))
    }

    /// The first stamp of the next `writes` that nothing else is written with.
    pub(super) fn stamp(&mut self, writes: usize) -> u64 {
        let next = self.fence * MOST_WRITES + self.writes;
        self.writes += u64::try_from(writes).unwrap_or(MOST_WRITES);
        next
    }
}
