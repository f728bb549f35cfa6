//! The calls to DynamoDB that everything else is built on: get, query, put, update, delete, transact.
//!
//! Invariant: every call asks for its consumed capacity and is counted. Every failure tells whether another try may
//! succeed ([`TableError::Contended`]: throttled, conflicting, unreachable, outcome unknown).

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};

use self::expression::Expressions;
use self::meter::Direction;
use self::range::Part;
use crate::StoreError;
use crate::engine::item::{Item, key_of, text, text_of};
use crate::engine::keys::Key;

pub(crate) mod budget;
mod expression;
pub mod meter;
mod partition;
pub(crate) mod range;
pub(crate) mod side_by_side;
mod transact;
mod update;

pub use expression::Condition;
pub(crate) use range::{Range, Source};
pub use transact::{Outcome, Reason, Write};
pub(crate) use update::{Changed, Update};

/// DynamoDB's limit for the keys of one `BatchGetItem`.
const MOST_AT_ONCE: usize = 100;

/// The table and the SDK client that reaches it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Another try may succeed. If the call was a write, it may have been made.
    #[error("contended: {0}")]
    Contended(String),
    /// Another try would fail alike.
    #[error("failed: {0}")]
    Failed(String),
}

impl From<TableError> for StoreError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Contended(_) => Self::Busy,
            TableError::Failed(why) => Self::Failed(why),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// May be stale, and costs half as much.
    Eventual,
    Strong,
}

/// A condition on a member of `doc`.
#[derive(Debug, Clone)]
pub enum Filter {
    Is(&'static str, String),
    Null(&'static str),
    Some(&'static str),
    /// The text comes before this one, or is this one. A member that is null is neither here nor below.
    AtMost(&'static str, String),
    After(&'static str, String),
    Any(Vec<Filter>),
}

impl Filter {
    /// The filter as an expression.
    fn write(&self, into: &mut Expressions) -> String {
        let mut compare = |member: &str, operator: &str, value: AttributeValue| {
            format!("{} {operator} {}", into.path(&format!("doc.{member}")), into.value(value))
        };
        match self {
            Self::Is(member, value) => compare(member, "=", text(value)),
            Self::Null(member) => compare(member, "=", AttributeValue::Null(true)),
            Self::Some(member) => compare(member, "<>", AttributeValue::Null(true)),
            Self::AtMost(member, value) => compare(member, "<=", text(value)),
            Self::After(member, value) => compare(member, ">", text(value)),
            Self::Any(any) => {
                let any: Vec<String> = any.iter().map(|filter| filter.write(into)).collect();
                format!("({})", any.join(" OR "))
            }
        }
    }
}

#[derive(Debug, Default)]
pub struct Slice {
    /// The items that passed the filters.
    pub items: Vec<Item>,
    /// The sort key at which the query stopped. `None` if it reached the end.
    pub stopped_at: Option<String>,
    /// The complete key at which the query stopped, to continue from.
    pub last_key: Option<Item>,
}

/// Describes an error by the service's code and message, or by its chain of causes, without repeating the request or
/// the item: logs hold no personal data.
pub fn describe<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> String {
    if let Some(known) = error.as_service_error() {
        let code = known.code().unwrap_or("unknown");
        return format!("{code}: {}", known.message().unwrap_or_default());
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

pub(crate) fn classify<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> TableError {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let passing = matches!(
        code,
        "ThrottlingException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "InternalServerError"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "ServiceUnavailable"
    );
    // Without a proper answer from the service, it is unknown whether a write was made.
    let broken = error.raw_response().is_some_and(|answer| answer.status().is_server_error());
    if passing || broken || error.as_service_error().is_none() {
        TableError::Contended(describe(error))
    } else {
        TableError::Failed(describe(error))
    }
}

impl Table {
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    pub async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text(&key.pk))
            .key("sk", text(&key.sk))
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        meter::count(Direction::Read, answer.consumed_capacity());
        Ok(answer.item)
    }

    /// Reads these items, 100 per call. Keys without an item are left out.
    pub async fn get_all(&self, keys: &[Key], consistency: Consistency) -> Result<HashMap<Key, Item>, TableError> {
        let mut found = HashMap::new();
        // DynamoDB rejects a batch that names a key twice.
        let mut known = HashSet::new();
        let distinct: Vec<&Key> = keys.iter().filter(|key| known.insert(*key)).collect();
        for batch in distinct.chunks(MOST_AT_ONCE) {
            found.extend(self.get_batch(batch, consistency).await?);
        }
        Ok(found)
    }

    async fn get_batch(&self, keys: &[&Key], consistency: Consistency) -> Result<HashMap<Key, Item>, TableError> {
        let mut wanted = KeysAndAttributes::builder().consistent_read(consistency == Consistency::Strong);
        for key in keys {
            wanted = wanted.keys(HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))]));
        }
        let wanted = wanted.build().map_err(|error| TableError::Failed(error.to_string()))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.name, wanted)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        meter::count(Direction::Read, answer.consumed_capacity());
        if answer.unprocessed_keys().is_some_and(|keys| !keys.is_empty()) {
            return Err(TableError::Contended("DynamoDB left part of a batch unprocessed".into()));
        }
        let items = answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default();
        let keyed = |item| Some((key_of(&item)?, item));
        Ok(items.into_iter().filter_map(keyed).collect())
    }

    pub(crate) async fn query(&self, range: &Range) -> Result<Slice, TableError> {
        let source = range.source;
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(source.index_name())
            .consistent_read(source.is_strong())
            .expression_attribute_names("#pk", source.pk())
            .expression_attribute_values(":pk", text(&range.pk))
            .scan_index_forward(range.ascending)
            .limit(range.limit)
            .set_exclusive_start_key(range.after.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let condition = match range.part() {
            Part::Whole => "#pk = :pk",
            Part::Beyond(beyond) => {
                query = query.expression_attribute_values(":beyond", text(beyond));
                if range.ascending { "#pk = :pk AND #sk > :beyond" } else { "#pk = :pk AND #sk < :beyond" }
            }
            Part::Between(first, last) => {
                query = query.expression_attribute_values(":first", text(first));
                query = query.expression_attribute_values(":last", text(last));
                "#pk = :pk AND #sk BETWEEN :first AND :last"
            }
            Part::Nothing => return Ok(Slice::default()),
        };
        if condition.contains("#sk") {
            query = query.expression_attribute_names("#sk", source.sk());
        }
        query = query.key_condition_expression(condition);
        let mut expressions = Expressions::default();
        let tests: Vec<String> = range.filters.iter().map(|filter| filter.write(&mut expressions)).collect();
        if !tests.is_empty() {
            query = query.filter_expression(tests.join(" AND "));
        }
        let (names, values) = expressions.into_parts();
        for (placeholder, name) in names.into_iter().flatten() {
            query = query.expression_attribute_names(placeholder, name);
        }
        for (placeholder, value) in values.into_iter().flatten() {
            query = query.expression_attribute_values(placeholder, value);
        }
        let answer = query.send().await.map_err(|error| classify(&error))?;
        meter::count(Direction::Read, answer.consumed_capacity());
        let last_key = answer.last_evaluated_key;
        let stopped_at = last_key.as_ref().and_then(|key| text_of(key, source.sk()).map(ToOwned::to_owned));
        Ok(Slice { items: answer.items.unwrap_or_default(), stopped_at, last_key })
    }

    /// Begins a put of one item. The caller may add a condition, and sends it with [`Self::send`].
    pub(crate) fn put(&self, item: Item) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), TableError> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("pk", text(&key.pk))
            .key("sk", text(&key.sk))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let capacity = answer.as_ref().ok().and_then(|it| it.consumed_capacity());
        meter::count(Direction::Write, capacity);
        answer.map(|_| ()).map_err(|error| classify(&error))
    }

    /// Sends a put that [`Self::put`] began, and counts its cost.
    pub(crate) async fn send(put: PutItemFluentBuilder) -> Result<(), SdkError<PutItemError>> {
        let answer = put.send().await;
        let capacity = answer.as_ref().ok().and_then(|it| it.consumed_capacity());
        meter::count(Direction::Write, capacity);
        answer.map(|_| ())
    }
}
