//! Checkpoints in the table: `CP#date` / number of the part, listed newest first.
//!
//! Invariant: a part is written once, on condition that it is absent, and never replaced. A second writer gets the
//! existing part and must verify it. Parts and wallets are read strongly consistently. Calls are retried while the
//! table is too busy, because a run has minutes, and a run that gives up has to read everything again.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use purser_domain::basic::{Day, ResellerRefid};
use purser_domain::money::Wallet;
use purser_domain::money::checkpoint::Part;
use serde::Deserialize;

use crate::engine::command::turn::patiently;
use crate::engine::item::{doc, item};
use crate::engine::table::classify;
use crate::engine::{Consistency, Index, Item, Key, List, Page, Stamp, Table, TableError, Turn};
use crate::{Store, StoreError};

/// Sorts after `#`, so that in the index the position `date$` lies after all parts of a day and before the next day.
const END_OF_DAY: char = '$';

/// The partition of the index that lists all parts.
const LISTED: &str = "CP";

#[derive(Deserialize)]
struct Named {
    refid: ResellerRefid,
}

fn key(date: Day, part: u32) -> Key {
    Key { pk: format!("CP#{date}"), sk: format!("{part:06}") }
}

impl Store {
    /// A page of all resellers, oldest first, so that a reseller who joins meanwhile comes last.
    pub async fn reseller_refids(
        &self,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<ResellerRefid>, StoreError> {
        let list = List::ascending(Index::Kind, vec!["RS".into()]);
        let named = |item: Item| doc::<Named>(&item).map(|it| it.refid);
        let mut turn = Turn::new();
        loop {
            match self.page(&list, limit, position.clone()).await {
                Err(StoreError::Busy) => turn.wait("a page of resellers").await?,
                page => return page?.map(named),
            }
        }
    }

    /// The wallets of these resellers, in the same order, read strongly consistently. Wallets that do not exist are
    /// left out.
    pub async fn wallets(&self, resellers: &[ResellerRefid]) -> Result<Vec<Wallet>, StoreError> {
        let keys: Vec<Key> = resellers.iter().map(crate::money::wallet::key).collect();
        let found = patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?;
        let there = keys.iter().filter_map(|key| found.get(key));
        there.map(doc).collect()
    }

    /// Part `part` of `date`, as it is in the table. The caller must verify it: whoever can write to the table may
    /// have written it.
    pub async fn checkpoint(&self, date: Day, part: u32) -> Result<Option<Part>, StoreError> {
        let key = key(date, part);
        let found = patiently(|| self.table.get(&key, Consistency::Strong)).await?;
        found.as_ref().map(doc).transpose()
    }

    /// The last part of the newest checkpoint before `date`. The caller must verify it.
    pub async fn checkpoint_before(&self, date: Day) -> Result<Option<Part>, StoreError> {
        let mut turn = Turn::new();
        loop {
            match self.checkpoints(None, 1, Some(date.to_string())).await {
                Err(StoreError::Busy) => turn.wait("the newest checkpoint").await?,
                page => return Ok(page?.items.into_iter().next()),
            }
        }
    }

    /// Writes a part, or returns the part that was written before under the same number.
    pub async fn put_checkpoint(&self, part: &Part, stamp: &Stamp) -> Result<Option<Part>, StoreError> {
        let key = key(part.date, part.part);
        let mut written = item(&key, "checkpoint", part, stamp)?;
        let place = format!("{}#{}", part.date, key.sk);
        Index::Kind.place(&mut written, LISTED.into(), place);
        let mut turn = Turn::new();
        loop {
            let put = self
                .table
                .put(written.clone())
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = Table::send(put).await else {
                return Ok(None);
            };
            if let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
                let found = failed.item();
                let found = found.ok_or_else(|| StoreError::Unreadable("no part".into()))?;
                return Ok(Some(doc(found)?));
            }
            match classify(&error) {
                // If the put took effect after all, the next try finds the part.
                TableError::Contended(why) => turn.wait(&why).await?,
                error @ TableError::Failed(_) => return Err(error.into()),
            }
        }
    }

    /// A page of the parts of `date`, or of all days: newest day first, and within a day the last part first.
    pub async fn checkpoints(
        &self,
        date: Option<Day>,
        limit: usize,
        position: Option<String>,
    ) -> Result<Page<Part>, StoreError> {
        let list = List::descending(Index::Kind, vec![LISTED.into()]);
        let position = position.or_else(|| date.map(|date| format!("{date}{END_OF_DAY}")));
        let page = self.page(&list, limit, position).await?;
        let mut page: Page<Part> = page.map(|item| doc(&item))?;
        let read = page.items.len();
        page.items.retain(|part| date.is_none_or(|date| part.date == date));
        // After a day's first part, the list goes on with the days before it.
        let ended = page.items.len() < read || page.items.last().is_some_and(|it| it.part == 1);
        page.position = page.position.filter(|_| date.is_none() || !ended);
        Ok(page)
    }
}
