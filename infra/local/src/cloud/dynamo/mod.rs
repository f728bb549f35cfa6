//! The embedded DynamoDB: one table, created from the template, in an SQLite file or in memory.
//!
//! Invariants: the table matches the template or opening fails; an acknowledged write is in the file, whatever
//! happens to the process; the cost of a write does not grow with the number of stream records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, TableMetadata};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use thiserror::Error;

use crate::Now;
use crate::template::TableSpec;

mod blueprint;
mod keys;
mod schema;
pub mod wire;

pub use keys::IndexKeys;

/// Before every write, the database finds the table's last stream record with `MAX(CAST(…))`. Without an index on
/// exactly that expression, the search reads the whole stream.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS purser_stream_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// How many hours the stream keeps a record that has been read, as in the cloud.
const STREAM_HOURS: i64 = 24;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In an SQLite file, which keeps it between runs. The times of stream records and of expiry come from the
    /// system's clock, because the database offers no other clock for files.
    File(PathBuf),
    /// In memory; it is lost with the process. Its times come from the given clock.
    Memory,
}

#[derive(Debug, Error)]
pub enum DynamoError {
    /// The file holds a table whose keys, indexes, stream or expiry differ from the template's.
    #[error(
        "the table in {} is not the one in the template ({difference}): move its folder away to \
         start with an empty table, or go back to the template it was made from",
        path.display()
    )]
    OtherTable { path: PathBuf, difference: String },
    #[error("the table {0} was created but does not exist")]
    Vanished(String),
    #[error("the path {} is not valid Unicode", .0.display())]
    Path(PathBuf),
    #[error("database: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    #[error("database file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the template's table: {0}")]
    Spec(#[from] serde_json::Error),
    #[error("deleting expired items: {0}")]
    Sweep(#[from] tokio::task::JoinError),
}

/// Clones are handles on the same table. The file is closed with the last of them.
#[derive(Clone)]
pub struct Dynamo {
    database: Database,
    table: String,
    keys: IndexKeys,
    keeps_tokens: bool,
}

impl Dynamo {
    /// Opens the table, and creates it from `spec` if necessary.
    ///
    /// Opening a file deletes the stream records that are older than 24 hours *and* delivered, according to the
    /// position that [`crate::cloud::stream`] keeps in the same folder.
    pub fn open(storage: Storage, spec: &TableSpec, table: &str, now: Now) -> Result<Self, DynamoError> {
        let keeps_tokens = storage == Storage::Memory;
        let database = match storage {
            Storage::File(path) => open_file(&path, spec, table, &now)?,
            Storage::Memory => in_memory(spec, table, now)?,
        };
        Ok(Self { database, table: table.to_owned(), keys: IndexKeys::of(spec), keeps_tokens })
    }

    /// Answers an operation like `GetItem` as DynamoDB does: with a status and JSON.
    ///
    /// By the token of a transaction DynamoDB recognizes a repetition after a lost answer. A table in a file ignores
    /// it: in its process no answer is lost, and the database would go through the tokens of ten minutes each time. A
    /// table in memory keeps it, because tests lose answers on purpose.
    pub fn call(&self, operation: &str, request: &[u8]) -> (u16, String) {
        if let Some(refusal) = self.keys.refusal(operation, request) {
            return (400, refusal.to_string());
        }
        let request = &mut serde_json::Deserializer::from_slice(request);
        if self.keeps_tokens {
            return wire::call(&self.database, operation, request);
        }
        wire::call_once(&self.database, operation, request)
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Deletes the items whose expiry has passed, and returns how many there were. As in the cloud, such items can be
    /// read until then.
    pub async fn sweep_ttl(&self) -> Result<usize, DynamoError> {
        sweep_ttl(&self.database).await
    }
}

pub fn in_memory(spec: &TableSpec, table: &str, now: Now) -> Result<Database, DynamoError> {
    let database = Database::memory_with_clock(Arc::new(TurnedClock(now)))?;
    blueprint::stamp(&database, spec, table)?;
    Ok(database)
}

pub(crate) async fn sweep_ttl(database: &Database) -> Result<usize, DynamoError> {
    // The sweep waits for other requests between its pages, so it must not block this thread.
    let database = database.clone();
    Ok(tokio::task::spawn_blocking(move || database.sweep_ttl()).await??)
}

fn open_file(path: &Path, spec: &TableSpec, table: &str, now: &Now) -> Result<Database, DynamoError> {
    let name = path.to_str().ok_or_else(|| DynamoError::Path(path.to_owned()))?;
    let database = Database::new(name)?;
    // The database offers no other way to set `synchronous` to `NORMAL`: a commit does not wait for the disk. What was
    // acknowledged survives the end of this process, however it ends. A power cut may lose the last seconds, whole
    // commits at a time (docs/adr/0031-a-faster-laptop.md).
    database.disable_bulk_loading()?;
    let present = match database.get_table_metadata(table)? {
        Some(present) => present,
        None => create(&database, spec, table)?,
    };
    if let Some(difference) = schema::difference(&present, spec) {
        return Err(DynamoError::OtherTable { path: path.to_owned(), difference });
    }
    if let (Some(attribute), false) = (&spec.ttl_attribute, present.ttl_enabled) {
        enable_ttl(&database, table, attribute)?;
    }
    // A second connection, because the database does not expose its own.
    let connection = Connection::open(path)?;
    connection.execute_batch(STREAM_INDEX)?;
    if let Some(read) = path.parent().and_then(crate::cloud::position::saved_position) {
        trim(&connection, now(), &read)?;
    }
    Ok(database)
}

fn create(database: &Database, spec: &TableSpec, table: &str) -> Result<TableMetadata, DynamoError> {
    let mut request = spec.create.clone();
    if let Value::Object(fields) = &mut request {
        fields.insert("TableName".to_owned(), json!(table));
    }
    database.create_table(serde_json::from_value(request)?)?;
    database.get_table_metadata(table)?.ok_or_else(|| DynamoError::Vanished(table.to_owned()))
}

fn enable_ttl(database: &Database, table: &str, attribute: &str) -> Result<(), DynamoError> {
    database.update_time_to_live(serde_json::from_value(json!({
        "TableName": table,
        "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
    }))?)?;
    Ok(())
}

/// Deletes stream records that are old and delivered. A record that is old but undelivered stays: on a laptop that
/// was asleep over a weekend, nothing else remembers its event. The last delivered record stays, too, because the
/// emulator derives the next number from it, even if the clock was set back.
fn trim(connection: &Connection, now: Timestamp, read: &str) -> Result<usize, DynamoError> {
    // Stream positions have 21 digits and start at 10^20; the file counts from zero.
    let Some(Ok(read)) = read.strip_prefix('1').map(str::parse::<i64>) else {
        return Ok(0);
    };
    Ok(connection.execute(
        "DELETE FROM _stream_records
         WHERE created_at < ?1 AND CAST(sequence_number AS INTEGER) < ?2",
        (now.as_second() - STREAM_HOURS * 3600, read),
    )?)
}

struct TurnedClock(Now);

impl Clock for TurnedClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
