//! Reading whole partitions, and updating single items.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::range::{Between, Source};
use super::{Table, TableError, classify};
use crate::engine::item::{Item, text};
use crate::engine::keys::Key;
use crate::engine::table::meter::{self, Direction};

impl Table {
    /// All items of a partition, in the order of their sort keys. `between` limits them to a range of sort keys, both
    /// ends included.
    pub(crate) async fn partition(
        &self,
        source: Source,
        pk: &str,
        between: Option<&Between>,
    ) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.name)
                .set_index_name(source.index_name())
                .expression_attribute_names("#pk", source.pk())
                .expression_attribute_values(":pk", text(pk))
                .consistent_read(source.is_strong())
                .set_exclusive_start_key(after)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let mut condition = "#pk = :pk";
            if let Some((first, last)) = between {
                condition = "#pk = :pk AND #sk BETWEEN :first AND :last";
                query = query
                    .expression_attribute_names("#sk", source.sk())
                    .expression_attribute_values(":first", text(first))
                    .expression_attribute_values(":last", text(last));
            }
            let answer = query.key_condition_expression(condition).send().await;
            let answer = answer.map_err(|error| classify(&error))?;
            meter::count(Direction::Read, answer.consumed_capacity());
            items.extend(answer.items.unwrap_or_default());
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// Begins an update of one item. The caller adds the expressions, and sends it with [`Self::send_update`].
    pub(crate) fn update(&self, key: &Key) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(&key.pk))
            .key("sk", text(&key.sk))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Sends an update and counts its cost. Returns `None` if its condition did not hold.
    pub(crate) async fn send_update(update: UpdateItemFluentBuilder) -> Result<Option<UpdateItemOutput>, TableError> {
        let answer: Result<_, SdkError<UpdateItemError>> = update.send().await;
        let capacity = answer.as_ref().ok().and_then(|it| it.consumed_capacity());
        meter::count(Direction::Write, capacity);
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(classify(&error)),
            },
        }
    }
}
