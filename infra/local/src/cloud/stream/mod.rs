//! The table's stream, read in order and handed to functions as Lambda does.
//!
//! Invariant: a position is saved only when every record up to it has been taken by every consumer (or is a dead
//! letter) and the events that they sent are drained. So after a crash the last records are delivered again, and none
//! is skipped.

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

/// The most records that one read returns, as in the cloud.
const READ_LIMIT: usize = 1_000;

pub type Handler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// Resolves when everything that the consumers sent has arrived.
pub type Drained = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

#[derive(Clone)]
pub struct Consumer {
    /// The function's handler, for the log and for dead letters.
    pub function: String,
    pub spec: StreamSpec,
    pub handler: Handler,
}

#[derive(Debug, Error)]
pub enum StreamError {
    #[error("the table {0} has no stream")]
    NoStream(String),
    #[error("stream: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    #[error("stream record: {0}")]
    Record(#[from] serde_json::Error),
    #[error("stream position: {0}")]
    Position(#[from] io::Error),
}

pub struct StreamReader {
    database: Database,
    table: String,
    arn: String,
    position: Option<String>,
    file: Option<PathBuf>,
}

impl StreamReader {
    /// A reader that starts after the position saved in `folder`, or at the oldest record if none is saved.
    pub fn open(dynamo: &Dynamo, folder: Option<&Path>) -> Result<Self, StreamError> {
        Self::of(dynamo.database(), dynamo.table(), folder)
    }

    /// Like [`StreamReader::open`], without an HTTP server.
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

    /// Returns up to `limit` records after the position, in order and in Lambda's format. The position does not move.
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
            // Lambda adds the stream's ARN. The region is replaced, because the emulator's is not a real one.
            fields.insert("eventSourceARN".to_owned(), json!(self.arn));
            fields.insert("awsRegion".to_owned(), json!(REGION));
        }
        Ok(record)
    }

    /// Moves the position to `record` and saves it.
    pub fn advance(&mut self, record: &Value) -> Result<(), StreamError> {
        let position = sequence_number(record).to_owned();
        // Move in memory first, so that the stream goes on even if the position can't be saved.
        self.position = Some(position.clone());
        if let Some(file) = &self.file {
            // Renaming replaces the file atomically: a crash leaves the old or the new position.
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, &position)?;
            std::fs::rename(&fresh, file)?;
        }
        Ok(())
    }
}

/// A record's sequence number; empty if it has none.
fn sequence_number(record: &Value) -> &str {
    let number = record.pointer("/dynamodb/SequenceNumber");
    number.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
