//! Updates: changes of single attributes, which leave the rest of an item as it is.
//!
//! An item that several commands change at the same time is put whole only when it is made; afterwards each names what
//! it changes. Invariant: an update has a condition like every other write. Names and values go into expressions by
//! placeholders only, so an attribute may have any name.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::expression::{Condition, Expressions};
use super::meter::{self, Direction};
use super::{Table, TableError, classify};
use crate::engine::item::Item;
use crate::engine::keys::{Index, Key};

/// The changes of one item. A name with a full stop reaches into a map: `doc.version`.
#[derive(Debug, Clone)]
pub struct Update {
    pub(super) key: Key,
    changes: Vec<(String, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Set(AttributeValue),
    /// Adds a number, or members to a set.
    Add(AttributeValue),
    Remove,
}

impl Update {
    pub(crate) fn of(key: Key) -> Self {
        Self { key, changes: Vec::new() }
    }

    fn with(mut self, name: impl Into<String>, change: Change) -> Self {
        self.changes.push((name.into(), change));
        self
    }

    pub(crate) fn set(self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.with(name, Change::Set(value))
    }

    pub(crate) fn add(self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.with(name, Change::Add(value))
    }

    pub(crate) fn remove(self, name: impl Into<String>) -> Self {
        self.with(name, Change::Remove)
    }

    /// Takes the item off a list.
    pub(crate) fn unlist(self, index: Index) -> Self {
        self.remove(index.pk()).remove(index.sk())
    }

    /// Whether the item will bear the stamp of the request that updates it.
    pub(crate) fn is_stamped(&self) -> bool {
        self.changes.iter().any(|(name, change)| name == "by" && matches!(change, Change::Set(_)))
    }

    pub(super) fn write(&self, into: &mut Expressions) -> String {
        let [mut sets, mut adds, mut removes] = [const { Vec::new() }; 3];
        for (name, change) in &self.changes {
            let name = into.path(name);
            match change {
                Change::Set(value) => sets.push(format!("{name} = {}", into.value(value.clone()))),
                Change::Add(value) => adds.push(format!("{name} {}", into.value(value.clone()))),
                Change::Remove => removes.push(name),
            }
        }
        let clauses = [("SET", sets), ("ADD", adds), ("REMOVE", removes)];
        let filled = clauses.iter().filter(|(_, parts)| !parts.is_empty());
        filled.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }
}

/// What became of an update.
#[derive(Debug)]
pub(crate) enum Changed {
    Yes,
    /// The condition did not hold. This is the item as it is, if there is one.
    No(Option<Item>),
}

impl Table {
    /// Updates one item, if the condition holds. Returns whether it did.
    pub(crate) async fn change(&self, update: &Update, condition: &Condition) -> Result<bool, TableError> {
        // A role that may read only some attributes can't ask for the item.
        let done = self.send_change(update, condition, None).await?;
        Ok(matches!(done, Changed::Yes))
    }

    /// Updates one item, if the condition holds, and otherwise returns it.
    pub(crate) async fn change_or_show(&self, update: &Update, condition: &Condition) -> Result<Changed, TableError> {
        self.send_change(update, condition, Some(ReturnValuesOnConditionCheckFailure::AllOld)).await
    }

    async fn send_change(
        &self,
        update: &Update,
        condition: &Condition,
        shown: Option<ReturnValuesOnConditionCheckFailure>,
    ) -> Result<Changed, TableError> {
        let mut expressions = Expressions::default();
        let call = self
            .update(&update.key)
            .update_expression(update.write(&mut expressions))
            .condition_expression(condition.write(&mut expressions))
            .set_return_values_on_condition_check_failure(shown);
        let (names, values) = expressions.into_parts();
        let call = call.set_expression_attribute_names(names).set_expression_attribute_values(values);
        let answer = call.send().await;
        meter::count(Direction::Write, answer.as_ref().ok().and_then(|it| it.consumed_capacity()));
        match answer {
            Ok(_) => Ok(Changed::Yes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Changed::No(failed.item.clone())),
                _ => Err(classify(&error)),
            },
        }
    }
}
