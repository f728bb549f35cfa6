//! The table's stream, read in order and handed to functions as Lambda would hand it.
//!
//! Invariant: a position is saved only when every consumer has taken (or a dead letter holds)
//! every record up to it, and what they sent on is drained. So a crash delivers the tail again,
//! and never skips any of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::streams::shard_id;
use serde_json::{Value, json};
use thiserror::Error;

use crate::cloud::dynamo::Dynamo;
use crate::cloud::position::{POSITION, saved_position};
use crate::template::StreamSpec;
use crate::{ACCOUNT, BoxFuture, REGION};

mod delivery;
mod pump;

pub(crate) use delivery::NAMED;
pub use pump::Pump;

/// The most records that one read brings, as in the cloud.
const READ_LIMIT: usize = 1_000;

/// Takes one stream event; answers what the function does.
pub type Handler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// Resolves when everything that the consumers sent on has arrived.
pub type Drained = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A function that the stream calls.
#[derive(Clone)]
pub struct Consumer {
    /// Its name, for the log and for dead letters.
    pub function: String,
    /// How the template wants it called.
    pub spec: StreamSpec,
    /// What to call.
    pub handler: Handler,
}

/// Why the stream could not be read.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The table has no stream.
    #[error("the table {0} has no stream")]
    NoStream(String),
    /// The database refused.
    #[error("stream: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    /// A record that is not JSON.
    #[error("stream record: {0}")]
    Record(#[from] serde_json::Error),
    /// The position could not be saved.
    #[error("stream position: {0}")]
    Position(#[from] io::Error),
}

/// A reader of one table's stream, with its position.
pub struct StreamReader {
    database: Database,
    table: String,
    arn: String,
    position: Option<String>,
    file: Option<PathBuf>,
}

impl StreamReader {
    /// A reader at the position saved in `folder`, else at the oldest record there is.
    pub fn open(dynamo: &Dynamo, folder: Option<&Path>) -> Result<Self, StreamError> {
        Self::of(dynamo.database(), dynamo.table(), folder)
    }

    /// The same for a table that nobody serves.
    pub fn of(database: &Database, table: &str, folder: Option<&Path>) -> Result<Self, StreamError> {
        let table = table.to_owned();
        let label = database
            .get_table_metadata(&table)?
            .filter(|it| it.stream_enabled)
            .and_then(|it| it.stream_label)
            .ok_or_else(|| StreamError::NoStream(table.clone()))?;
        Ok(Self {
            database: database.clone(),
            arn: format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/{label}"),
            table,
            position: folder.and_then(saved_position),
            file: folder.map(|it| it.join(POSITION)),
        })
    }

    /// The next records after the position, at most `limit`, in order and in Lambda's shape. The
    /// position stays.
    pub fn read(&self, limit: usize) -> Result<Vec<Value>, StreamError> {
        let kind = match self.position {
            Some(_) => "AFTER_SEQUENCE_NUMBER",
            None => "TRIM_HORIZON",
        };
        let start = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: self.arn.clone(),
            shard_id: shard_id(&self.table),
            shard_iterator_type: kind.to_owned(),
            sequence_number: self.position.clone(),
        })?;
        let answer = self.database.get_records(GetRecordsRequest {
            shard_iterator: start.shard_iterator.unwrap_or_default(),
            limit: Some(limit.min(READ_LIMIT)),
        })?;
        let records = answer.records.iter();
        records.map(|it| self.as_lambda_has_it(it)).collect()
    }

    fn as_lambda_has_it(&self, record: &Record) -> Result<Value, StreamError> {
        let mut record = serde_json::to_value(record)?;
        if let Value::Object(fields) = &mut record {
            // Lambda adds the stream's name; the emulator's region is not one.
            fields.insert("eventSourceARN".to_owned(), json!(self.arn));
            fields.insert("awsRegion".to_owned(), json!(REGION));
        }
        Ok(record)
    }

    /// Moves the position behind `record` and saves it.
    pub fn advance(&mut self, record: &Value) -> Result<(), StreamError> {
        let position = sequence_number(record).to_owned();
        // First of all here: a position that can't be saved must not stop the stream.
        self.position = Some(position.clone());
        if let Some(file) = &self.file {
            // Renaming replaces the file at once: a crash leaves the old or the new position.
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, &position)?;
            std::fs::rename(&fresh, file)?;
        }
        Ok(())
    }
}

/// A record's place in the stream.
fn sequence_number(record: &Value) -> &str {
    let number = record.pointer("/dynamodb/SequenceNumber");
    number.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
