//! Transactions: either all writes are made or none, and if none, why not.
//!
//! Invariant: every transaction has a condition, and a condition that fails returns the item that made it fail.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    self, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem,
};

use super::expression::{Condition, Expressions};
use super::update::Update;
use super::{Table, TableError, classify};
use crate::engine::item::{Item, key_of, text};
use crate::engine::keys::Key;
use crate::engine::table::meter::{self, Direction};

#[derive(Debug, Clone)]
pub enum Write {
    Put(Item, Condition),
    Update(Update, Condition),
    Delete(Key, Condition),
    /// Changes nothing, but cancels the transaction if the condition fails.
    Check(Key, Condition),
}

impl Write {
    fn condition(&self) -> &Condition {
        let (Self::Put(_, it) | Self::Update(_, it) | Self::Delete(_, it) | Self::Check(_, it)) = self;
        it
    }

    /// The key of the item that is written or checked. `None` for a put whose item has no key.
    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Self::Put(item, _) => key_of(item),
            Self::Update(update, _) => Some(update.key.clone()),
            Self::Delete(key, _) | Self::Check(key, _) => Some(key.clone()),
        }
    }
}

/// What was wrong with one write of a cancelled transaction.
#[derive(Debug, Clone)]
pub enum Reason {
    None,
    /// The condition failed; this is the item as it was, if there was one.
    Condition(Option<Item>),
    /// Another transaction was using the item, or the write was throttled.
    Contention,
}

#[derive(Debug)]
pub enum Outcome {
    Committed,
    /// Nothing was written. There is one reason for each write, in the same order.
    Cancelled(Vec<Reason>),
}

impl Table {
    pub async fn transact(&self, writes: &[Write]) -> Result<Outcome, TableError> {
        let items = writes.iter().map(|write| self.transact_item(write)).collect::<Result<_, _>>()?;
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                meter::count(Direction::Write, answer.consumed_capacity());
                Ok(Outcome::Committed)
            }
            Err(error) => {
                meter::count(Direction::Write, []);
                let cancelled = error.as_service_error().and_then(cancellation);
                cancelled.map(Outcome::Cancelled).ok_or_else(|| classify(&error))
            }
        }
    }

    fn transact_item(&self, write: &Write) -> Result<TransactWriteItem, TableError> {
        let missing = |error: aws_sdk_dynamodb::error::BuildError| TableError::Failed(error.to_string());
        let builder = TransactWriteItem::builder();
        let mut expressions = Expressions::default();
        let changes = match write {
            Write::Update(update, _) => update.write(&mut expressions),
            Write::Put(..) | Write::Delete(..) | Write::Check(..) => String::new(),
        };
        let condition = write.condition().write(&mut expressions);
        let (names, values) = expressions.into_parts();
        macro_rules! conditioned {
            ($action:expr) => {
                $action
                    .table_name(&self.name)
                    .condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                    .build()
                    .map_err(missing)?
            };
        }
        let keyed = |key: &Key| Some([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))].into());
        Ok(match write {
            Write::Put(item, _) => builder.put(conditioned!(Put::builder().set_item(Some(item.clone())))).build(),
            Write::Update(update, _) => {
                let changing = types::Update::builder().set_key(keyed(&update.key)).update_expression(changes);
                builder.update(conditioned!(changing)).build()
            }
            Write::Delete(key, _) => builder.delete(conditioned!(Delete::builder().set_key(keyed(key)))).build(),
            Write::Check(key, _) => {
                builder.condition_check(conditioned!(ConditionCheck::builder().set_key(keyed(key)))).build()
            }
        })
    }
}

/// The reasons of a cancelled transaction. `None` if the error is another one, or if a reason is unexpected.
fn cancellation(error: &TransactWriteItemsError) -> Option<Vec<Reason>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let reason = |reason: &CancellationReason| match reason.code().unwrap_or("None") {
        "None" => Some(Reason::None),
        "ConditionalCheckFailed" => Some(Reason::Condition(reason.item().filter(|item| !item.is_empty()).cloned())),
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => Some(Reason::Contention),
        // ValidationError and ItemCollectionSizeLimitExceeded are mistakes of ours: `classify` reports them.
        _ => None,
    };
    cancelled.cancellation_reasons().iter().map(reason).collect()
}
