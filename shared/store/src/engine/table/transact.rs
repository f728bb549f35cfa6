//! Transactions: all the writes or none, and why not.
//!
//! Invariant: each write has a condition, and a failed one comes back with the item that failed it.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem,
};

use super::{Table, TableError, classify};
use crate::engine::item::{Item, key_of, number, text};
use crate::engine::keys::Key;
use crate::engine::table::meter::{self, Direction};

/// What must hold of the item a write replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is none.
    Absent,
    /// It is the version that was read.
    Version(u64),
    /// Its attribute of this name is this number.
    Is(&'static str, u64),
}

impl Condition {
    /// What must hold of an item that was read in this version, or not found.
    pub(crate) fn of(version: Option<u64>) -> Self {
        version.map_or(Self::Absent, Self::Version)
    }
}

/// One write of a transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// Puts the whole item.
    Put(Item, Condition),
    /// Deletes the item, if it is this version.
    Delete(Key, Condition),
    /// Changes nothing, and fails like the others.
    Check(Key, Condition),
}

impl Write {
    /// The key the write is about.
    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Self::Put(item, _) => key_of(item),
            Self::Delete(key, _) | Self::Check(key, _) => Some(key.clone()),
        }
    }
}

/// Why one write of a cancelled transaction did not happen.
#[derive(Debug, Clone)]
pub enum Reason {
    /// Nothing was wrong with it.
    None,
    /// Its condition failed; this is the item as it was.
    Condition(Option<Item>),
    /// Another transaction was at the item, or it was throttled.
    Contention,
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Outcome {
    /// It happened.
    Committed,
    /// It did not; one reason a write, in their order.
    Cancelled(Vec<Reason>),
}

impl Table {
    /// Makes all the writes or none.
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
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let builder = TransactWriteItem::builder();
        macro_rules! conditioned {
            ($action:expr, $condition:expr) => {
                match $condition {
                    Condition::Absent => $action.condition_expression("attribute_not_exists(pk)"),
                    Condition::Version(version) => $action
                        .condition_expression("#doc.#version = :version")
                        .expression_attribute_names("#doc", "doc")
                        .expression_attribute_names("#version", "version")
                        .expression_attribute_values(":version", number(*version)),
                    Condition::Is(name, value) => $action
                        .condition_expression("#name = :value")
                        .expression_attribute_names("#name", *name)
                        .expression_attribute_values(":value", number(*value)),
                }
                .table_name(&self.name)
                .return_values_on_condition_check_failure(all_old)
                .build()
                .map_err(missing)?
            };
        }
        let keyed = |key: &Key| [("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))].into();
        Ok(match write {
            Write::Put(item, condition) => {
                builder.put(conditioned!(Put::builder().set_item(Some(item.clone())), condition)).build()
            }
            Write::Delete(key, condition) => {
                builder.delete(conditioned!(Delete::builder().set_key(Some(keyed(key))), condition)).build()
            }
            Write::Check(key, condition) => builder
                .condition_check(conditioned!(ConditionCheck::builder().set_key(Some(keyed(key))), condition))
                .build(),
        })
    }
}

/// The reasons of a cancelled transaction; none when it was not cancelled for reasons.
fn cancellation(error: &TransactWriteItemsError) -> Option<Vec<Reason>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let reason = |reason: &CancellationReason| match reason.code().unwrap_or("None") {
        "None" => Some(Reason::None),
        "ConditionalCheckFailed" => Some(Reason::Condition(reason.item().filter(|item| !item.is_empty()).cloned())),
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => Some(Reason::Contention),
        // ValidationError and ItemCollectionSizeLimitExceeded are our mistakes: classify() reports them.
        _ => None,
    };
    cancelled.cancellation_reasons().iter().map(reason).collect()
}
